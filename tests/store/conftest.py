"""A new database for each test: in a real file, or in a real server where a test is about every database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.databases import InFile, InServer
from support.store_material import new_store

from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.databases import Database
    from support.postgres import Server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies, or will lie."""
    return tmp_path / "ablate.db"


@pytest.fixture
def database(request: pytest.FixtureRequest, path: Path) -> Iterator[Database]:
    """A database with all tables and no rows: a file, unless a test is marked with ``EVERY_DATABASE``."""
    if getattr(request, "param", "sqlite") == "sqlite":
        new_store(path.parent).close()
        yield InFile(path)
        return
    server, template = request.getfixturevalue("postgres_template")
    name = server.create(template)
    yield InServer(server, name)
    server.drop(name)


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[InServer]:
    """A database of a server without any table."""
    name = postgres_server.create()
    yield InServer(postgres_server, name)
    postgres_server.drop(name)


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    with Store(database.url) as opened:
        yield opened
