"""Versions of the schema: which ones there are, and which one a database has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

#: Not Alembic's default name: Optuna keeps its own revision in that one.
VERSION_TABLE = "ablate_alembic_version"
#: The folder of Alembic's scripts.
MIGRATIONS = Path(__file__).parent / "migrations"


def known() -> frozenset[str]:
    """Return every revision up to the newest; a script's name begins with its revision, a number."""
    return frozenset(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def newest() -> str:
    """Return the revision that this version of ablate works with."""
    return max(known())


def plainly(connection: sqlite3.Connection) -> str:
    """Return the revision of an SQLite file; raises :class:`sqlite3.Error` if it has none."""
    row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 - our own name
    return str(row[0]) if row else ""
