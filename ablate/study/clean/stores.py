"""The databases of other places (``--store``) whose studies have files in a home: those files must not look unused."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from ablate.files import write_whole
from ablate.inside import inside
from ablate.store.database.address import home_url, shown, sqlite_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FILE = "stores.json"


def note_store(home: Path, url: str) -> None:
    """Write down that studies of another database than the home's own have files in this home; without passwords."""
    known = noted_stores(home)
    if _name(url) in known or is_own(home, url):
        return
    with contextlib.suppress(OSError):  # the command itself reports a full disk
        write_whole(home / _FILE, json.dumps(sorted({*known, _name(url)}), indent=1).encode())


def noted_stores(home: Path) -> list[str]:
    """Return the databases that were written down, sorted: the paths of SQLite files, the URLs of others."""
    try:
        found = json.loads(inside(home, _FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    return sorted(each for each in found if isinstance(each, str)) if isinstance(found, list) else []


def unnamed_stores(home: Path, urls: Iterable[str]) -> list[str]:
    """Return the databases whose studies may have files in a home, without some that are known already.

    These are the home's own and those that were written down; not those whose SQLite file is gone.
    """
    named = {_name(url) for url in urls}
    known = dict.fromkeys([_name(home_url(home)), *noted_stores(home)])
    return [name for name in known if name not in named and _exists(name)]


def is_own(home: Path, url: str) -> bool:
    """Return whether a database is the home's own."""
    return _name(url) == _name(home_url(home))


def _exists(name: str) -> bool:
    file = sqlite_file(name)
    return file is None or file.exists()


def _name(url: str) -> str:
    """Return what tells a database from others: a password does not, nor the spelling of a path."""
    file = sqlite_file(url)
    return f"sqlite:///{file}" if file else shown(url)
