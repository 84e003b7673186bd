"""SQLAlchemy's engines of the databases: for the store, and for Optuna."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from ablate.errors import UsageError
from ablate.store.database import address, postgres, sqlite

if TYPE_CHECKING:
    import sqlite3

    from ablate.store.database.watch import Watched


def make_engine(url: str, place: sqlite.ReadOnly | Watched | None = None) -> sa.Engine:
    """Return an engine for ``url``: with foreign keys, and transactions that write one at a time.

    Args:
        url: of the database.
        place: connects to an SQLite file.

    Raises:
        UsageError: the URL is not valid, or its driver is not installed.
    """
    parsed, file = address.parsed(url), address.sqlite_file(url)
    how: dict[str, Any] = {}
    if place:
        how["creator"] = place.connect
    elif file and not parsed.query:
        how["creator"] = functools.partial(sqlite.connect, file)
    engine = create_engine(url, **how)
    if engine.dialect.name == "sqlite":
        if not how:
            event.listen(engine, "connect", _on_connect)
        lock_at_begin(engine)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", postgres.begin)
    return engine


def create_engine(url: str, *, name: str = "ablate", **how: Any) -> sa.Engine:
    """Return SQLAlchemy's engine for a URL.

    Args:
        url: of the database.
        name: of its connections, on a server.
        how: settings of SQLAlchemy.

    Raises:
        UsageError: as :func:`make_engine`.
    """
    parsed = address.parsed(url)
    if postgres.is_postgres(parsed):
        how |= {"connect_args": postgres.settings(parsed, name), "json_deserializer": postgres.loads}
    try:
        return sa.create_engine(parsed, **how)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise UsageError(address.unusable(url, error)) from error


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    sqlite.prepared(connection)


def _on_begin(connection: sa.Connection) -> None:
    # taking the lock at once, instead of at the first write, avoids a deadlock of two writers
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def optuna_engine(url: str, place: sqlite.ReadOnly | None = None) -> tuple[str, dict[str, Any]]:
    """Return the URL and the engine settings with which Optuna opens a database: with the patience of the store.

    An SQLite file has to exist: Optuna would make one where somebody has removed it.

    Args:
        url: of the database.
        place: reads an SQLite file that is only read.
    """
    if place:
        return "sqlite:///ablate.db", {"creator": place.connect}
    file, parsed = address.sqlite_file(url), address.parsed(url)
    if postgres.is_postgres(parsed):
        url = parsed.render_as_string(hide_password=False)
        return _escaped(url), {"connect_args": postgres.settings(parsed)}
    if file is None or parsed.query:
        return _escaped(url), {}
    return "sqlite:///ablate.db", {"creator": functools.partial(sqlite.connect, file, make=False)}


def _escaped(url: str) -> str:
    return url.replace("{", "{{").replace("}", "}}")  # Optuna fills in templates


def lock_at_begin(engine: sa.Engine) -> None:
    """Let every transaction of an engine take the write lock of an SQLite file at once.

    One that takes it at its first write fails without waiting if another program has written since its first read.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _on_begin)
