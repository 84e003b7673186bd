"""Opens a database file of ours, makes a new one, or says why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

from ablate.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

#: Not Alembic's default name: Optuna keeps its own revision in that one.
VERSION_TABLE = "ablate_alembic_version"


def make_engine(url: str) -> sa.Engine:
    """An engine for ``url``; on SQLite with WAL, foreign keys, and transactions that take the write lock at once.

    Raises:
        StoreError: the URL is none, or its driver is not installed.
    """
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise StoreError(f"--store {url}: no usable database URL ({error}); e.g. sqlite:///results.db") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")


def _on_begin(connection: sa.Connection) -> None:
    # taking the lock at once, instead of at the first write, is what keeps two writers from a deadlock
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _config() -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """The revision that this version of ablate works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise StoreError("this installation of ablate lacks its migrations; install it again")
    return head


def current(connection: sa.Connection) -> str | None:
    """The revision of the database, or None where it has none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def ensure(engine: sa.Engine) -> None:
    """Make the tables in an empty database; refuse one that is not ours or of another revision.

    Raises:
        StoreError: in one line, with the command that helps.
    """
    where = engine.url.render_as_string()
    with engine.execution_options(reading=True).begin() as connection:
        found = current(connection)
        tables = sa.inspect(connection).get_table_names()
    if found is None and tables:
        some = ", ".join(sorted(tables)[:3])
        raise StoreError(f"{where} is not a database of ablate (it holds {some}); choose another --home or --store")
    if found is None:
        with engine.begin() as connection:
            _upgrade(connection)
    elif found != newest():
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if found in known:
            raise StoreError(f"{where} was written by an older ablate (schema {found}); run: ablate db upgrade")
        raise StoreError(f"{where} was written by a newer ablate (schema {found}); upgrade ablate")


def upgrade_url(url: str) -> tuple[str | None, str]:
    """Bring an older database to the newest revision; returns the revisions before and after.

    Raises:
        StoreError: it cannot be opened or is not ours.
    """
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            before = current(connection)
            if before is None:
                raise StoreError(f"{engine.url.render_as_string()} is not a database of ablate; nothing was changed")
            _upgrade(connection)
            return before, newest()
    except sa.exc.DatabaseError as error:
        raise StoreError(f"{engine.url.render_as_string()}: {error.orig}") from error
    finally:
        engine.dispose()


def _upgrade(connection: sa.Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        alembic.command.upgrade(config, "head")
    except alembic.util.CommandError as error:
        raise StoreError(f"{connection.engine.url.render_as_string()}: {error}; upgrade ablate") from error
