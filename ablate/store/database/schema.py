"""Open a database of ablate, or make a new one."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ablate.errors import EmptyStoreError, StoreError
from ablate.printable import printable
from ablate.store.database import address, postgres, sqlite, tables, versions
from ablate.store.database.engines import make_engine
from ablate.store.database.problems import database_errors
from ablate.store.database.versions import VERSION_TABLE, known, newest

if TYPE_CHECKING:
    from collections.abc import Collection

    import alembic.config

#: As Alembic makes it.
_VERSION = sa.Table(
    VERSION_TABLE,
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)
#: The tables of Optuna.
_OPTUNA_TABLES = frozenset(
    [
        "studies",
        "study_directions",
        "study_user_attributes",
        "study_system_attributes",
        "trials",
        "trial_user_attributes",
        "trial_system_attributes",
        "trial_params",
        "trial_values",
        "trial_intermediate_values",
        "trial_heartbeats",
        "version_info",
        "alembic_version",
    ]
)


def _config() -> alembic.config.Config:
    import alembic.config  # takes a fifth of a second, needed only to change a database

    config = alembic.config.Config()
    config.set_main_option("script_location", str(versions.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def current(connection: sa.Connection) -> str | None:
    """Return the revision of the database, or None if it has none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.scalar(sa.select(_VERSION.c.version_num))
    return revision


def ensure(engine: sa.Engine, *, writing: bool = True) -> None:
    """Make the tables in an empty database; leave all others unchanged.

    Args:
        engine: of the database.
        writing: whether anything may be written.

    Raises:
        EmptyStoreError: it has no tables, and nothing may be written.
        StoreError: it is not a database of ablate, or of another revision; one line with the command that helps.
    """
    where = address.shown(engine.url)
    with database_errors(engine.url):
        with engine.execution_options(reading=True).begin() as connection:
            revision = current(connection)
            found = sa.inspect(connection).get_table_names()
            foreign = revision is None and bool(found) and not _is_of_our_trials(connection, found)
            postgres.check_encoding(connection)
        if foreign:
            names = ", ".join(sorted(found)[:3])
            raise StoreError(
                f"{where} is not a database of ablate (it holds {names}); choose another --home or --store"
            )
        if revision not in (None, newest()):
            raise StoreError(_mismatch(where, str(revision)))
        if not writing:
            if revision is None:
                raise EmptyStoreError(f"{where} is empty: no studies are in it; if it had some, put back a copy of it")
            return
        _use_wal(engine)
        if revision is None:
            with engine.begin() as connection:
                if current(connection) is None:  # another command may have been faster
                    _make(connection)


def _is_of_our_trials(connection: sa.Connection, found: Collection[str]) -> bool:
    """Return whether a database has Optuna's tables alone, with no study in them that ablate did not make.

    Such a file is what a trial leaves where somebody has removed a database; the other tables can be made in it.
    """
    if not _OPTUNA_TABLES.issuperset(found) or "studies" not in found:
        return False
    others = "SELECT count(*) FROM studies WHERE study_id NOT IN "
    ours = "(SELECT study_id FROM study_user_attributes WHERE key LIKE 'ablate:%')"
    return not connection.scalar(sa.text(others + ours))


def _make(connection: sa.Connection) -> None:
    """Make all tables and views as they are now: running every migration would take ten times as long."""
    tables.Base.metadata.create_all(connection, checkfirst=False)
    for view in tables.VIEWS:
        connection.exec_driver_sql(view)
    _VERSION.create(connection)
    connection.execute(sa.insert(_VERSION).values(version_num=newest()))


def _mismatch(where: str, revision: str) -> str:
    if revision in known():
        return f"{where} was written by an older ablate (schema {revision}); run: ablate db upgrade"
    if not (revision.isdigit() and len(revision) <= 8):
        row = f"table {VERSION_TABLE}, row version_num '{printable(revision[:40])}'"
        return f"{where}: {row}: is no version of ablate; it was changed by hand or is damaged; restore a copy"
    return f"{where} was written by a newer ablate (schema {revision}); upgrade ablate"


def _use_wal(engine: sa.Engine) -> None:
    """Let readers read while a command writes. SQLite stores this in the file, so only files of ablate get it."""
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + sqlite.BUSY_MS / 1000
    with contextlib.closing(engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # to change the mode, SQLite does not wait for others that do the same: one of them has to give way
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def compact(engine: sa.Engine) -> None:
    """Write an SQLite file again without the room of deleted rows, and the changes beside it into it.

    Raises:
        StoreError: there is no room for a second file, or another command uses this one.
    """
    if engine.dialect.name == "sqlite":
        with database_errors(engine.url), contextlib.closing(engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def upgrade_url(url: str) -> tuple[str, str]:
    """Bring an older database to the newest revision; return the revisions before and after.

    Raises:
        StoreError: it cannot be opened, is not a database of ablate, or is newer than this version.
    """
    engine, file = make_engine(url), address.sqlite_file(url)
    where = address.shown(engine.url)
    try:
        if file and not file.is_file():
            raise StoreError(f"{where}: no such file")  # connecting would make an empty file
        with database_errors(engine.url), engine.begin() as connection:
            before = current(connection)
            if before is None:
                raise StoreError(f"{where} is not a database of ablate; nothing was changed")
            if before not in known():
                raise StoreError(_mismatch(where, before))
            _upgrade(connection)
            return before, newest()
    finally:
        engine.dispose()


def _upgrade(connection: sa.Connection) -> None:
    import alembic.command

    config = _config()
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")
