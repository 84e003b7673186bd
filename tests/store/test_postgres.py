"""PostgreSQL as the database of a store: what SQLite files have in another way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from support import postgres as servers
from support.checkout import ROOT
from support.databases import InServer
from support.store_material import fill, measured, measurements, put, put_stage, runs, study, variants

from ablate.errors import HomeError, StoreError, UsageError
from ablate.store import locks, postgres, schema, sqlite, tables, versions
from ablate.store.records import MeasurementRecord
from ablate.store.store import Store
from ablate.study.run.home import only_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.postgres import Server

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[InServer]:
    """A database without any table."""
    name = postgres_server.create()
    yield InServer(postgres_server, name)
    postgres_server.drop(name)


COLUMNS = """
    SELECT table_name, column_name, data_type, collation_name, is_nullable,
           column_default FROM information_schema.columns WHERE table_name LIKE 'ablate%' ORDER BY 1, 2
"""
KEYS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE '%ablate%' UNION
    SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE '%ablate%' UNION
    SELECT viewname, definition FROM pg_views WHERE viewname LIKE 'ablate%' ORDER BY 1, 2
"""


def test_all_migrations_make_what_a_new_database_has(database: InServer, empty: InServer) -> None:
    engine = schema.make_engine(empty.url)
    with engine.begin() as connection:
        schema._upgrade(connection)
        options = {"version_table": versions.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.Base.metadata) == []
    engine.dispose()
    for question in (COLUMNS, KEYS):
        assert empty.ask(question) == database.ask(question)
    assert schema.upgrade_url(empty.url) == (versions.newest(), versions.newest())


def test_rows_of_the_first_schema_are_kept(database: InServer, empty: InServer) -> None:
    """Every row of the oldest SQLite file that is kept, moved to a server and upgraded there, reads as in the file."""
    import alembic.command

    engine, config = schema.make_engine(empty.url), schema._config()
    oldest = sa.create_engine(f"sqlite:///{ROOT / 'tests/data/db/0001.db'}")
    with engine.begin() as there, oldest.connect() as here:
        config.attributes["connection"] = there
        alembic.command.upgrade(config, "0001")
        known = sa.MetaData()
        known.reflect(there, only=lambda name, _: name.startswith("ablate_") and "version" not in name)
        for table in known.sorted_tables:
            rows = here.execute(sa.select(table)).mappings().all()
            there.execute(sa.insert(table), [dict(row) for row in rows])
            if "id" in table.c and table.name != "ablate_cells":  # its numbers are moved on by a migration
                next_one = f"setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT max(id) FROM {table.name}))"
                there.execute(sa.text(f"SELECT {next_one}"))
    engine.dispose()
    oldest.dispose()
    assert schema.upgrade_url(empty.url) == ("0001", versions.newest())
    with Store(empty.url) as store, Store(f"sqlite:///{ROOT / f'tests/data/db/{versions.newest()}.db'}") as expected:
        assert measurements(store, "small") == measurements(expected, "small")
        assert [run.state for run in store.runs("small")] == ["done"] * 4
        assert list(store.row_problems()) == []
        put(store)  # the numbers of new rows follow those of the old ones


def test_text_is_sorted_by_code_points_whatever_language_a_database_has(database: InServer) -> None:
    names = ["B", "a", "Ä", "b", "a.b", "a b", "ab"]
    with Store(database.url) as store:
        for name in names:
            put(store, name=name)
        assert [each.name for each in store.studies()] == sorted(names)


def test_numbers_are_as_large_as_in_a_file(database: InServer) -> None:
    with Store(database.url) as store:
        store.put_study(study(seed=2**63 - 1), variants("a"), runs(["a"], 1))
        record, rows, _ = measured("measure pitch a 0", 1e-310)
        large = MeasurementRecord(0, "m", "f", -0.0, "1", "none", 2**62)
        put_stage(store, record, [*rows, large])
        assert store.study("one").seed == 2**63 - 1
        assert [repr(m.measurement.value) for m in measurements(store, "one")] == ["-0.0", "1e-310"]


def test_a_mean_does_not_depend_on_the_order_of_rows(database: InServer) -> None:
    with Store(database.url) as store:
        put(store)
        put_stage(store, *measured("measure pitch a 0", 1e16, 1.0, -1e16, 3.0))
        assert store.means("one", "pitch", "l1") == {("a", 0): 1.0}
        assert store.means_of_stages(["measure pitch a 0"])["measure pitch a 0"][0].value == 1.0


def test_rows_that_were_edited_are_named(database: InServer) -> None:
    with Store(database.url) as store:
        put(store)
        fill(store)
        database.ask("UPDATE ablate_measurements SET value = 'NaN' WHERE sample = 1 AND fingerprint LIKE '%a 0'")
        with pytest.raises(StoreError, match=r"table ablate_measurements, row id \d+.*value is no finite number"):
            store.measurement_rows("one")
        database.ask('UPDATE ablate_studies SET spec = \'{"question": "\\ud800"}\'')
        with pytest.raises(StoreError, match="ablate_studies, row id 1, name one: spec has a character that no text"):
            store.study("one")
        store.set_run("one", "a", 0, "failed", "Bang", "a zero: \0")
        assert store.delete_study("one")


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

    errors: list[BaseException] = []
    barrier = threading.Barrier(4)

    def open_it() -> None:
        try:
            barrier.wait()
            with Store(empty.url):
                close_storage(open_storage(empty.url))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
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
    database.ask("DROP ROLE eve")


def test_psycopg_that_is_missing_is_named(database: InServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert refusal("postgresql://host/db").endswith("pip install 'ablate-music[postgres]'")


def test_options_of_the_url_are_kept(database: InServer) -> None:
    url = sa.make_url(f"{database.url}&options=-c%20work_mem=5MB&application_name=mine")
    found = postgres.settings(url)
    assert found["options"].endswith("-c tcp_keepalives_count=3 -c work_mem=5MB")
    assert "application_name" not in found
    engine = schema.create_engine(url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        question = "SELECT current_setting('work_mem'), current_setting('lock_timeout')"
        shown: Any = connection.exec_driver_sql(question).one()
    engine.dispose()
    assert tuple(shown) == ("5MB", "30s")
