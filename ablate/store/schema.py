"""Opens a database file of ours, makes a new one, or says why not."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from ablate.errors import StoreError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    import alembic.config

#: Not Alembic's default name: Optuna keeps its own revision in that one.
VERSION_TABLE = "ablate_alembic_version"


#: How long one writer waits for another, in milliseconds.
BUSY_MS = 30_000
#: Where Alembic's scripts lie.
MIGRATIONS = Path(__file__).parent / "migrations"
#: What to do about an error of SQLite, by its text.
_HINTS = {
    "database or disk is full": "free some space, then run the same command again",
    "disk I/O error": "look at the disk's space and health, then run the same command again",
    "database is locked": "another program is writing to it; try again when it is done",
    "file is not a database": "choose another --home or --store",
    "unable to open database file": "it must be a file in a folder that exists and that you may write to",
    "attempt to write a readonly database": "look at the permissions of the file and its folder",
}


def make_engine(url: str) -> sa.Engine:
    """An engine for ``url``; on SQLite with foreign keys, and transactions that take the write lock at once.

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


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL, absolute, whatever its driver; None for another database or one in memory."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        return None  # said in plain words when the store is opened
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database).resolve()


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA foreign_keys = ON")


def _on_begin(connection: sa.Connection) -> None:
    # taking the lock at once, instead of at the first write, is what keeps two writers from a deadlock
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextlib.contextmanager
def explained(engine: sa.Engine) -> Iterator[None]:
    """Turn what went wrong outside of us (disk, locks, files) into a :class:`StoreError` of one line."""
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError):
        raise  # a bug of ours: its traceback is worth more than a line
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:  # SQLAlchemy does not wrap those of connecting
        cause = one_line(getattr(error, "orig", error))
        hint = _HINTS.get(cause, "nothing that was finished is lost")
        raise StoreError(f"{engine.url.render_as_string()}: {cause}; {hint}") from error


def _config() -> alembic.config.Config:
    import alembic.config  # a fifth of a second, which only a database that has to change takes

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """The revision that this version of ablate works with."""
    return max(_known())


def current(connection: sa.Connection) -> str | None:
    """The revision of the database, or None where it has none."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    found: str | None = connection.scalar(sa.select(version.c.version_num))
    return found


def ensure(engine: sa.Engine) -> None:
    """Make the tables in an empty database; refuse one that is not ours or of another revision, leaving it alone.

    Raises:
        StoreError: in one line, with the command that helps.
    """
    where = engine.url.render_as_string()
    with explained(engine):
        with engine.execution_options(reading=True).begin() as connection:
            found = current(connection)
            tables = sa.inspect(connection).get_table_names()
        if found is None and tables:
            some = ", ".join(sorted(tables)[:3])
            raise StoreError(f"{where} is not a database of ablate (it holds {some}); choose another --home or --store")
        if found not in (None, newest()):
            raise StoreError(_mismatch(where, str(found)))
        _use_wal(engine)
        if found is None:
            with engine.begin() as connection:
                _upgrade(connection)


def _mismatch(where: str, found: str) -> str:
    if found in _known():
        return f"{where} was written by an older ablate (schema {found}); run: ablate db upgrade"
    return f"{where} was written by a newer ablate (schema {found}); upgrade ablate"


def _known() -> set[str]:
    """Every revision up to the newest; scripts are named by theirs, a number that grows."""
    return {path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py")}


def _use_wal(engine: sa.Engine) -> None:
    """Let readers read while a run writes. SQLite keeps this in the file, so it is done to files of ours only."""
    if engine.dialect.name == "sqlite":
        with contextlib.closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA journal_mode = WAL")


def upgrade_url(url: str) -> tuple[str, str]:
    """Bring an older database to the newest revision; returns the revisions before and after.

    Raises:
        StoreError: it cannot be opened, is not ours, or is newer than this ablate.
    """
    engine = make_engine(url)
    where = engine.url.render_as_string()
    try:
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
            raise StoreError(f"{where}: no such file")  # connecting would make an empty one
        with explained(engine), engine.begin() as connection:
            before = current(connection)
            if before is None:
                raise StoreError(f"{where} is not a database of ablate; nothing was changed")
            if before not in _known():
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
