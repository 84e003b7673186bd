"""Databases whose files are removed or replaced while they are written: real files, and nothing written is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.store_material import ask, new_store, opened, put, put_stage, stage

from ablate.errors import StoreError
from ablate.store.database import watch
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database whose path has characters that mean something in a URL."""
    home = tmp_path / "run?1 #50%2F"
    home.mkdir()
    return home / "ablate.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened_store = new_store(path.parent)
    put(opened_store)
    yield opened_store
    opened_store.close()


def finished(path: Path) -> list[str]:
    return [fingerprint for (fingerprint,) in ask(path, "SELECT fingerprint FROM ablate_stages")]


def refusal(store: Store) -> str:
    """What is said to somebody who records a stage."""
    with pytest.raises(StoreError) as caught:
        put_stage(store, stage("train 1"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("endings", [("",), ("", "-wal"), ("", "-shm"), ("", "-wal", "-shm")])
def test_a_removed_database_is_put_back_with_everything(store: Store, path: Path, endings: tuple[str, ...]) -> None:
    put_stage(store, stage("train 0"))
    for ending in endings:
        path.with_name(f"ablate.db{ending}").unlink()
    message = refusal(store)
    assert message.startswith(f"{store.url} was removed while this command wrote to it; it has been put back")
    assert finished(path) == ["train 0", "train 1"]
    with Store(store.url) as again:
        put_stage(again, stage("train 2"))
        assert len(again.runs("one")) == 4
    assert sorted(each.name for each in path.parent.iterdir()) == ["ablate.db"]


@pytest.mark.parametrize("endings", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_a_removed_log_is_brought_into_the_file(store: Store, path: Path, endings: tuple[str, ...]) -> None:
    put_stage(store, stage("train 0"))
    for ending in endings:
        path.with_name(f"ablate.db{ending}").unlink()
    message = refusal(store)
    assert f"{endings[0]} was removed while this command wrote to it; what was in it is now in ablate.db" in message
    store.close()
    assert finished(path) == ["train 0", "train 1"]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_replaced_database_is_kept_and_ours_is_saved_beside_it(store: Store, path: Path) -> None:
    put_stage(store, stage("train 0"))
    other = path.with_name("other.db")
    with opened(other) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    other.replace(path)
    message = refusal(store)
    saved = path.with_name("ablate-saved-1.db")
    assert f"was replaced by another file while this command wrote to it; what it wrote is in {saved}" in message
    assert finished(saved) == ["train 0", "train 1"]
    assert ask(path, "SELECT name FROM sqlite_master") == [("recipes",)]


def test_a_removed_database_is_put_back_without_hard_links(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")  # as on FAT

    monkeypatch.setattr(os, "link", refuse)
    path.unlink()
    assert "it has been put back" in refusal(store)
    assert finished(path) == ["train 1"]


def test_a_database_that_somebody_makes_while_ours_is_put_back_stays(
    store: Store, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link
    other = new_store(tmp_path)
    other.close()

    def late(*names: Path) -> None:
        shutil.copy(tmp_path / "ablate.db", path)
        link(*names)

    monkeypatch.setattr(os, "link", late)
    path.unlink()
    saved = path.with_name("ablate-saved-1.db")
    assert f"was replaced by another file while this command wrote to it; what it wrote is in {saved}" in refusal(store)
    assert finished(path) == []
    assert finished(saved) == ["train 1"]


def test_a_database_is_compared_when_nothing_is_written_any_more(path: Path) -> None:
    with contextlib.ExitStack() as stack:
        put_stage(stack.enter_context(new_store(path.parent)), stage("train 0"))
        path.unlink()
        with pytest.raises(StoreError, match="was removed"):
            stack.close()
    assert finished(path) == ["train 0"]


def test_another_error_is_not_hidden_by_a_removed_database(path: Path) -> None:
    store = new_store(path.parent)
    put_stage(store, stage("train 0"))
    path.unlink()
    store.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert finished(path) == ["train 0"]


def test_a_removed_home_is_reported_in_one_line(store: Store, path: Path) -> None:
    shutil.rmtree(path.parent)
    assert "could not be saved (unable to open database file)" in refusal(store)


def test_nothing_is_made_at_the_place_of_a_removed_database(store: Store, path: Path) -> None:
    place = store._place
    assert isinstance(place, watch.Watched)
    path.unlink()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        place.connect()
    assert not path.exists()
    for _ in range(2):  # whoever does not listen the first time
        with pytest.raises(StoreError, match="put back"):
            store.check()


def test_the_file_alone_has_everything_after_a_command(path: Path, tmp_path: Path) -> None:
    with new_store(path.parent) as store, opened(path) as reader:
        reader.execute("SELECT count(*) FROM ablate_stages").fetchone()  # somebody else keeps the file open
        put_stage(store, stage("train 0"))
        store.close()
        shutil.copy(path, tmp_path / "copy.db")
    assert finished(tmp_path / "copy.db") == ["train 0"]


def test_the_file_alone_lacks_no_more_than_seconds(
    store: Store, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "CHECKPOINT_SECONDS", 0.0)
    put_stage(store, stage("train 0"))
    shutil.copy(path, tmp_path / "copy.db")
    assert finished(tmp_path / "copy.db") == ["train 0"]
    assert path.with_name("ablate.db-wal").stat().st_size > 0  # it is still in use
