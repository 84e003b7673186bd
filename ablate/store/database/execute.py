"""Run the SQL of the reading half: with Python's own module on an SQLite file, with SQLAlchemy on every database."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from ablate.store.reading.columns import DamagedRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session


def by_sqlite(connection: sqlite3.Connection, sql: str, values: Mapping[str, Any]) -> list[Any]:
    """Run SQL with its parameters in an SQLite file, and return all rows."""
    try:
        return connection.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if "decode" in str(error):
            raise DamagedRow(str(error)) from error
        raise


def by_sqlalchemy(session: Session, sql: str, values: Mapping[str, Any]) -> Sequence[Any]:
    """Run SQL with its parameters in a session, and return all rows."""
    import sqlalchemy as sa

    try:
        return session.execute(sa.text(_portable(session, sql)), dict(values)).all()
    except sa.exc.OperationalError as error:
        if "decode" in str(error.orig):
            raise DamagedRow(str(error.orig)) from error
        raise


def _portable(session: Session, sql: str) -> str:
    """Return SQL for the database of a session: a mean is computed here where a database adds in any order."""
    if session.get_bind().dialect.name != "postgresql":
        return sql
    return sql.replace("avg(m.value)", "array_agg(m.value ORDER BY m.id)")


@contextlib.contextmanager
def any_text(connection: Any) -> Iterator[None]:
    """Let SQLite return texts that are no UTF-8 with surrogates in place of their bytes."""
    if not isinstance(connection, sqlite3.Connection):
        yield
        return
    before = connection.text_factory
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before
