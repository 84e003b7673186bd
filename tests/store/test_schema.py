"""Opening, refusing and upgrading database files."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from support.at_once import errors_at_once
from support.checkout import ROOT
from support.store_material import ask, described, fill, measurements, opened, put, put_stage, stage

from ablate.errors import StoreError, UsageError
from ablate.store.database import engines, schema, sqlite, tables, versions
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def refusal(path: Path | str) -> str:
    """Why a database is not opened: one line."""
    url = path if isinstance(path, str) else f"sqlite:///{path}"
    with pytest.raises(StoreError) as caught:
        Store(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A database that every migration has made, from the first one on."""
    engine = engines.make_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.begin() as connection:
        schema._upgrade(connection)
    engine.dispose()
    return tmp_path / "migrated.db"


# A new file


def test_a_new_database_holds_our_tables_alone(store: Store, path: Path) -> None:
    names = {name for (name,) in ask(path, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    assert {name for name in names if not name.startswith(("ablate_", "ix_ablate_"))} == set()
    assert ask(path, "SELECT version_num FROM ablate_alembic_version") == [(versions.newest(),)]


def test_the_migrations_make_what_the_tables_say(migrated: Path) -> None:
    engine = engines.make_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        options = {"version_table": versions.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.Base.metadata) == []
    engine.dispose()


def test_a_new_database_is_as_one_that_all_migrations_made(store: Store, path: Path, migrated: Path) -> None:
    found, expected = described(path), described(migrated)
    assert found == expected
    assert len(expected) > 20


def test_readers_do_not_wait_and_foreign_keys_are_kept(store: Store, path: Path) -> None:
    assert ask(path, "PRAGMA journal_mode") == [("wal",)]
    engine = engines.make_engine(store.url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
        insert = sa.insert(tables.Measurement).values(
            fingerprint="none", sample=0, metric="m", feature="f", value=1.0, unit="1", direction="none", n=1
        )
        with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"):
            connection.execute(insert)
    engine.dispose()


def test_a_bug_of_ours_is_not_taken_for_trouble_with_the_database(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        put(store, ["a", "a"])
    assert store.studies() == []


def test_opening_twice_at_once_makes_one_database(path: Path) -> None:
    assert errors_at_once(lambda: Store(f"sqlite:///{path}").__exit__(None, None, None)) == []
    assert ask(path, "SELECT version_num FROM ablate_alembic_version") == [(versions.newest(),)]


def test_the_mode_of_a_new_database_is_changed_when_the_others_have_let_go(path: Path) -> None:
    """Two commands that change it at once make SQLite give up at once; a connection without patience does the same."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with contextlib.closing(other):
        other.execute("BEGIN")
        assert other.execute("SELECT * FROM sqlite_master").fetchall() == []
        engine = engines.make_engine(f"sqlite:///{path}")
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 0"))
        release = threading.Timer(0.2, other.execute, ("COMMIT",))
        release.start()
        schema.ensure(engine)
        release.join()
        engine.dispose()
    assert ask(path, "PRAGMA journal_mode") == [("wal",)]


# What is refused


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("notes to myself " * 100)
    assert refusal(path) == (
        f"sqlite:///{path}: file is not a database; the file is damaged or cut off: put back a copy of it, or move it "
        "away to start again with an empty one; if it belongs to another program, choose another --home or --store"
    )
    assert path.read_text() == "notes to myself " * 100


def test_somebody_elses_database_is_refused_and_left_alone(path: Path) -> None:
    with opened(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    expected = f"sqlite:///{path} is not a database of ablate (it holds recipes); choose another --home or --store"
    assert refusal(path) == expected
    with pytest.raises(StoreError) as caught:
        schema.upgrade_url(f"sqlite:///{path}")
    assert str(caught.value) == f"sqlite:///{path} is not a database of ablate; nothing was changed"
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", ["", "no such folder/ablate.db", "a file/ablate.db"])
def test_places_where_no_file_can_be_are_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").touch()
    hint = "unable to open database file; it must be a file in a folder that exists and that you may write to"
    assert refusal(tmp_path / place) == f"sqlite:///{tmp_path / place}: {hint}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    assert "you may write to" in refusal(folder / "ablate.db")


@pytest.mark.parametrize("url", ["results.db", "nosuch:///x", "nosuch+driver://x/y", ""])
def test_what_is_no_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Store(url)
    message = str(caught.value)
    assert message.startswith(f"--store {url}: no usable database URL (")
    assert message.endswith("); e.g. sqlite:///results.db")


def test_a_database_of_a_newer_ablate_is_refused_and_left_alone(store: Store, path: Path) -> None:
    put(store)
    set_revision(path, "9999")
    expected = f"sqlite:///{path} was written by a newer ablate (schema 9999); upgrade ablate"
    assert refusal(path) == expected
    with pytest.raises(StoreError) as caught:
        schema.upgrade_url(f"sqlite:///{path}")
    assert str(caught.value) == expected
    assert ask(path, "SELECT version_num FROM ablate_alembic_version") == [("9999",)]


def set_revision(path: Path, revision: str) -> None:
    with opened(path) as connection:
        connection.execute("UPDATE ablate_alembic_version SET version_num = ?", (revision,))


# Upgrading: with a revision that a later ablate might bring

LATER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9000", "{newest}", None, None


def upgrade():
    with op.batch_alter_table("ablate_studies") as table:
        table.add_column(sa.Column("note", sa.String(), nullable=False, server_default="none yet"))
    op.create_table("ablate_more", sa.Column("id", sa.Integer(), primary_key=True))
    {then}
"""


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The script of a later revision, in a copy of our migrations that is used instead of them."""
    folder = tmp_path / "migrations"
    shutil.copytree(versions.MIGRATIONS, folder)
    script = folder / "versions" / "9000_later.py"
    script.write_text(LATER.format(newest=versions.newest(), then="pass"))
    monkeypatch.setattr(versions, "MIGRATIONS", folder)
    yield script
    sys.modules.pop("9000_later_py", None)


def test_a_database_of_an_older_ablate_is_refused_with_the_command_that_helps(
    store: Store, path: Path, later: Path
) -> None:
    put(store)
    (before,) = ask(path, "SELECT version_num FROM ablate_alembic_version")
    expected = f"sqlite:///{path} was written by an older ablate (schema {before[0]}); run: ablate db upgrade"
    assert refusal(path) == expected
    assert ask(path, "SELECT version_num FROM ablate_alembic_version") == [before]


def test_upgrading_keeps_what_is_there(store: Store, path: Path, later: Path) -> None:
    put(store)
    fill(store)
    measured, runs = measurements(store, "one"), store.runs("one")
    (before,) = ask(path, "SELECT version_num FROM ablate_alembic_version")
    assert schema.upgrade_url(store.url) == (before[0], "9000")
    assert schema.upgrade_url(store.url) == ("9000", "9000")
    with Store(store.url) as again:
        assert measurements(again, "one") == measured
        assert again.runs("one") == runs
    assert ask(path, "SELECT note FROM ablate_studies") == [("none yet",)]
    assert ask(path, "PRAGMA foreign_key_check") == []


def test_an_upgrade_that_fails_changes_nothing(store: Store, path: Path, later: Path) -> None:
    put(store)
    before = ask(path, "SELECT * FROM sqlite_master ORDER BY name")
    (revision,) = ask(path, "SELECT version_num FROM ablate_alembic_version")
    later.write_text(LATER.format(newest=revision[0], then="raise MemoryError"))
    with pytest.raises(MemoryError):
        schema.upgrade_url(store.url)
    assert ask(path, "SELECT * FROM sqlite_master ORDER BY name") == before
    assert ask(path, "SELECT version_num FROM ablate_alembic_version") == [revision]
    assert len(store.runs("one")) == 4


def test_there_is_nothing_to_upgrade_where_nothing_is(path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        schema.upgrade_url(f"sqlite:///{path}")
    assert str(caught.value) == f"sqlite:///{path}: no such file"
    assert not path.exists()


# Others at the same file


def test_a_reader_sees_the_last_whole_state_while_a_writer_writes(store: Store, path: Path) -> None:
    put(store)
    with opened(path) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM ablate_runs")
        assert len(store.runs("one")) == 4
        writer.execute("COMMIT")
    assert store.runs("one") == []


def test_a_writer_that_waits_in_vain_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MS", 20)
    with Store(f"sqlite:///{path}") as store, opened(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            put(store)
        hint = "another program is writing to it; try again when it is done"
        assert str(caught.value) == f"sqlite:///{path}: database is locked; {hint}"
        other.execute("ROLLBACK")
        put(store)


def test_a_full_disk_is_said_and_loses_nothing(store: Store, path: Path) -> None:
    put(store)

    @sa.event.listens_for(store._engine, "begin")
    def little_room(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes it as: not a page more

    with pytest.raises(StoreError) as caught:
        put_stage(store, stage("train 0", config={"much": "x" * 100_000}))
    hint = "free some space, then run the same command again"
    assert str(caught.value) == f"sqlite:///{path}: database or disk is full; {hint}"
    assert len(store.runs("one")) == 4
    assert store.stages(["train 0"]) == {}


WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from support.store_material import put_stage, stage
from ablate.store.store import Store

with Store(sys.argv[1]) as store:
    for number in range(60):
        put_stage(store, stage(f"train {sys.argv[2]} {number}"))
"""


def test_two_processes_can_write_at_once(store: Store) -> None:
    command = [sys.executable, "-c", WRITER, store.url]
    tests = str(ROOT / "tests")
    writers = [subprocess.Popen([*command, name, tests]) for name in ("x", "y")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(store.finished("train")) == 120


def test_a_table_that_somebody_has_removed(tmp_path: Path) -> None:
    path = tmp_path / "ablate.db"
    with Store(f"sqlite:///{path}", writing=True) as store:
        put(store)
    with contextlib.closing(sqlite3.connect(path)) as opened:
        opened.execute("DROP TABLE ablate_runs")
    with Store(f"sqlite:///{path}") as store, pytest.raises(StoreError, match="no such table: ablate_runs; its tables"):
        store.runs("one")
