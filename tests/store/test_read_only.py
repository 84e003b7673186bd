"""Stores that only read: in places where nothing can be written, and of files that others write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.store_material import new_store, put, put_stage, stage

from ablate.errors import EmptyStoreError, StoreError
from ablate.store.database import sqlite
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

#: Opens a database and dies, so that its log stays; leaves one more row of a table in it.
_KILLED = """
import os, sqlite3, sys
opened = sqlite3.connect(sys.argv[1], isolation_level=None)
opened.execute("PRAGMA wal_autocheckpoint = 0")
opened.execute("UPDATE ablate_studies SET profile = 'late'")
os._exit(0)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a study."""
    with new_store(tmp_path) as store:
        put(store)
        put_stage(store, stage("train 0"))
    return tmp_path / "ablate.db"


def leave_log(path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(path)], check=True)


def profile(path: Path) -> str:
    """Read the database where nothing can be written, and check that nothing was."""
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    with Store(f"sqlite:///{path}", writing=False) as store:
        found = store.study("one").profile
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before
    return found


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no folder seem writable: root may write everywhere."""
    monkeypatch.setattr(sqlite, "_can_write", lambda path: False)


@pytest.mark.usefixtures("read_only")
def test_a_file_without_log_is_read_as_it_is(path: Path) -> None:
    path.parent.chmod(0o555)
    with Store(f"sqlite:///{path}", writing=False) as store:
        assert store.study("one").profile == "default"
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            put_stage(store, stage("train 1"))


@pytest.mark.usefixtures("read_only")
def test_what_a_killed_command_left_in_the_log_is_read(path: Path) -> None:
    leave_log(path)
    path.with_name("ablate.db-shm").unlink()
    assert profile(path) == "late"


def test_reading_writes_nothing(path: Path) -> None:
    assert profile(path) == "default"


def test_a_change_while_reading_without_locks_is_noticed(path: Path) -> None:
    reader = sqlite.ReadOnly(path, "here")
    reader._way = reader._immutable
    reader.connect().close()
    reader.check()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE ablate_studies SET profile = 'other'")
    connection.close()
    with pytest.raises(StoreError, match="here was written while it was read; run the same command again"):
        reader.check()


def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(EmptyStoreError, match="no such file"):
        Store(f"sqlite:///{tmp_path / 'ablate.db'}", writing=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 1, 15, 99, 100, 4095, 4096, 20_000])
def test_a_file_that_is_cut_off_is_one_line_and_stays(path: Path, size: int) -> None:
    os.truncate(path, size)
    with pytest.raises(StoreError) as caught:
        profile(path)
    assert "\n" not in str(caught.value)
    assert "nothing that was finished" not in str(caught.value)
    assert path.stat().st_size == size


def test_optunas_tables_alone_are_adopted(path: Path, tmp_path: Path) -> None:
    import optuna

    only = tmp_path / "only.db"
    storage = optuna.storages.RDBStorage(f"sqlite:///{only}")
    storage.engine.dispose()
    shutil.copy(only, tmp_path / "foreign.db")
    with Store(f"sqlite:///{only}") as store:
        put(store)
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'foreign.db'}")
    optuna.create_study(study_name="of somebody else", storage=storage)
    storage.remove_session()
    storage.engine.dispose()
    with pytest.raises(StoreError, match="is not a database of ablate"):
        Store(f"sqlite:///{tmp_path / 'foreign.db'}")
