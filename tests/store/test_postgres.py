"""PostgreSQL as the database of a store: what SQLite files have in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from support.checkout import ROOT
from support.store_material import fill, measured, measurements, put, put_stage, runs, study, variants

from ablate.errors import StoreError
from ablate.store.database import engines, schema, tables, versions
from ablate.store.records import MeasurementRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from support.databases import InServer

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


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
    engine = engines.make_engine(empty.url)
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

    engine, config = engines.make_engine(empty.url), schema._config()
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
