"""Load each migration once in a process: Optuna loads all of its own twice for each new database.

They are the larger part of what a new database takes, and hundreds of tests make one.
"""

from __future__ import annotations

import functools
from typing import Any

import alembic.util

_load = alembic.util.load_python_file
_load_once = functools.cache(_load)


def _load_migration(folder: Any, name: Any) -> Any:
    """Take the place of Alembic's function, which runs ``env.py`` by loading it."""
    return (_load if name == "env.py" else _load_once)(folder, name)


def load_once() -> None:
    """Load migrations once from now on."""
    alembic.util.load_python_file = _load_migration
