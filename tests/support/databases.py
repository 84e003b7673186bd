"""The databases that a store can be in, as any other program sees them."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.postgres import Server

#: For tests of what every database does; those without it are about SQLite files.
EVERY_DATABASE = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@dataclasses.dataclass(frozen=True)
class InFile:
    """An SQLite file."""

    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def ask(self, question: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run SQL, with ``:name`` in the place of values, and return the rows."""
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(question, values).fetchall()

    def tables(self) -> set[str]:
        return {name for (name,) in self.ask("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def orphans(self) -> list[Any]:
        """Return the rows whose foreign keys lead nowhere."""
        return self.ask("PRAGMA foreign_key_check")


@dataclasses.dataclass(frozen=True)
class InServer:
    """A database of a PostgreSQL server."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def ask(self, question: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run SQL, with ``:name`` in the place of values, and return the rows if there are any."""
        import sqlalchemy as sa

        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            found = connection.execute(sa.text(question), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def tables(self) -> set[str]:
        return {name for (name,) in self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    def orphans(self) -> list[Any]:
        """Return nothing: the server checks foreign keys at the end of every transaction."""
        return []


Database = InFile | InServer
