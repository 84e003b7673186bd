"""Queries of the documentation, checked against the tables and views of a new database."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from ablate.store.database.tables import VIEWS, Base

if TYPE_CHECKING:
    from collections.abc import Iterator


def explain(query: str) -> None:
    """Let SQLite plan a query; it raises an error for a table or a column that does not exist."""
    connection = sqlite3.connect(":memory:")
    for statement in (*tables_as_sql(), *VIEWS):
        connection.execute(statement)
    connection.execute(f"EXPLAIN {query}")


def tables_as_sql() -> Iterator[str]:
    for table in Base.metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=sqlite.dialect()))
