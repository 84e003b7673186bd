"""Commands of several homes at one PostgreSQL database, and errors of the server in one line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from support import postgres as servers
from support.at_once import errors_at_once
from support.store_material import put

from ablate.errors import HomeError, StoreError, UsageError
from ablate.store.database import engines, locks, postgres, schema, sqlite, versions
from ablate.store.store import Store
from ablate.study.run.home import only_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.databases import InServer


pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


# Others at the same database


def test_a_writer_waits_for_another_one_and_gives_up_in_one_line(
    database: InServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MS", 100)
    with Store(database.url) as one, Store(database.url) as other:
        with one.transaction():
            put(one)
            assert other.studies() == []
            with pytest.raises(StoreError) as caught:
                put(other)
        assert str(caught.value).endswith(
            ": canceling statement due to lock timeout; another program is writing to it; try again when it is done"
        )
        put(other)


def put_in(reader: Store) -> None:
    with reader._session(reading=True) as session:
        session.execute(sa.text("UPDATE ablate_studies SET profile = ''"))


def test_a_reader_sees_one_state(database: InServer) -> None:
    with Store(database.url) as store, Store(database.url, writing=False) as reader:
        put(store)
        with reader._session(reading=True) as session:
            reader._current = session
            before = reader.runs("one")
            store.delete_study("one")
            assert reader.runs("one") == before
            reader._current = None
        with (
            pytest.raises(StoreError, match="cannot execute UPDATE in a read-only"),
            reader._session(reading=True) as s,
        ):
            s.execute(sa.text("UPDATE ablate_studies SET profile = ''"))


def test_opening_at_once_makes_one_database(database: InServer, empty: InServer) -> None:
    from ablate.study.trials.storage import close_storage, open_storage

    def open_it() -> None:
        with Store(empty.url):
            close_storage(open_storage(empty.url))

    assert errors_at_once(open_it) == []
    assert empty.ask("SELECT version_num FROM ablate_alembic_version") == [(versions.newest(),)]
    assert empty.ask("SELECT count(*) FROM alembic_version") == [(1,)]


HOLDER = """
import sys, time
from pathlib import Path
from ablate.study.run.home import only_command
with only_command(Path(sys.argv[1]), sys.argv[2], "one"):
    print("has it", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def holder(home: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the study ``one`` from a home of its own."""
    home.mkdir()
    command = [sys.executable, "-c", HOLDER, str(home), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "has it\n"
            yield process
        finally:
            process.kill()


def can_take(home: Path, url: str) -> bool:
    try:
        with only_command(home, url, "one"):
            return True
    except HomeError:
        return False


def test_homes_lock_a_study_and_a_killed_command_has_no_lock(database: InServer, tmp_path: Path) -> None:
    home = tmp_path / "here"
    home.mkdir()
    with holder(tmp_path / "there", database.url) as process:
        with pytest.raises(HomeError) as caught, only_command(home, database.url, "one"):
            pass
        assert str(caught.value).startswith(
            f"study 'one' is in use in {schema.address.shown(database.url)}: process {process.pid} on {os.uname()[1]}"
        )
        with only_command(home, database.url, "two"):
            pass
        with (
            pytest.raises(HomeError, match=r"is in use: process \d+ on .* has a study; wait"),
            only_command(home, database.url, "clean", whole=True),
        ):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert any(can_take(home, database.url) for _ in range(100))  # the server may need a moment
    with (
        only_command(home, database.url, "clean", whole=True),
        pytest.raises(HomeError, match="checks or cleans it; wait for it"),
        locks.only_study(database.url, "one"),
    ):
        pass


def test_a_lock_that_the_server_ended_is_noticed(database: InServer) -> None:
    with Store(database.url) as store, locks.only_study(database.url, "one"):
        put(store)
        held = f"application_name LIKE 'ablate {os.getpid()} %'"
        database.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {held}")
        with pytest.raises(StoreError, match="has ended the connection that holds the study"):
            put(store)


# Errors


def refusal(url: str) -> str:
    with pytest.raises((StoreError, UsageError)) as caught, Store(url):
        pass
    text = str(caught.value)
    assert "\n" not in text
    assert not any(part in text for part in (servers.PASSWORD, "p%40ss", "w:rd", "hunter2"))
    return text


def test_what_is_wrong_with_an_address_is_one_line_without_the_password(database: InServer, empty: InServer) -> None:
    server, name = database.server, database.name
    good = server.url(name, password=servers.PASSWORD)
    with Store(good.replace("postgresql+psycopg", "postgres")) as store:
        assert store.studies() == []
    expected = {
        server.url(name, password="hunter2"): "look at the user and the password in --store",
        good.replace(name, "nowhere"): "make this database first (createdb NAME)",
        good.replace(str(server.port), "1"): "look whether the server runs",
        good.replace("127.0.0.1", "nowhere.invalid"): "look whether the server runs",
        f"{good}?nonsense=1": "look at the options behind the ? in --store",
        good.replace("p%40ss", "p@ss"): "in a password, @ is written %40",
        good.replace("+psycopg", "+psycopg2"): "begin the URL with postgresql+psycopg://",
    }
    for url, part in expected.items():
        assert part in refusal(url)
    empty.ask("CREATE TABLE recipes (name TEXT)")
    assert "is not a database of ablate (it holds recipes)" in refusal(empty.url)
    assert "no usable database URL" not in refusal(empty.url)


def test_a_database_of_another_encoding_is_refused(database: InServer) -> None:
    database.server.ask("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    assert "has the encoding LATIN1; make one with UTF8" in refusal(database.server.url("latin"))
    database.server.drop("latin")


def test_a_table_that_somebody_has_removed_and_a_missing_right(database: InServer) -> None:
    with Store(database.url) as store:
        put(store)
        database.ask("DROP TABLE ablate_runs CASCADE")
        with pytest.raises(StoreError, match='relation "ablate_runs" does not exist; its tables are not those'):
            store.runs("one")
    database.ask("CREATE ROLE eve LOGIN")
    guest = database.url.replace("ada@", "eve@")
    assert "permission denied for table ablate_alembic_version; its user needs the right to" in refusal(guest)
    database.ask("GRANT SELECT ON ALL TABLES IN SCHEMA public TO eve")
    with Store(guest, writing=False) as reader:
        assert [each.name for each in reader.studies()] == ["one"]
    database.ask("DROP OWNED BY eve; DROP ROLE eve")


def test_psycopg_that_is_missing_is_named(database: InServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert refusal("postgresql://host/db").endswith("pip install 'ablate-music[postgres]'")


def test_options_of_the_url_are_kept(database: InServer) -> None:
    url = sa.make_url(f"{database.url}&options=-c%20work_mem=5MB&application_name=mine")
    found = postgres.settings(url)
    assert found["options"].endswith("-c tcp_keepalives_count=3 -c work_mem=5MB")
    assert "application_name" not in found
    engine = engines.create_engine(url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        question = "SELECT current_setting('work_mem'), current_setting('lock_timeout')"
        shown: Any = connection.exec_driver_sql(question).one()
    engine.dispose()
    assert tuple(shown) == ("5MB", "30s")
