"""A new database for each test, in a real file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.store_material import new_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ablate.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies, or will lie."""
    return tmp_path / "ablate.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with new_store(path.parent) as opened:
        yield opened
