"""SQLite files of other tools: they are read, and stay as they are byte for byte."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ablate.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The first bytes of an SQLite file.
MAGIC = b"SQLite format 3\x00"
_SCHEME = "sqlite:///"


def database_file(source: str, example: str) -> Path:
    """Return the file of an SQLite URL or path.

    Args:
        source: ``sqlite:///mine.db``, or the path of a file.
        example: what to do with a database of another kind, for the message.

    Raises:
        TableError: it is the address of another database, or there is no such file.
    """
    if "://" in source and not source.startswith(_SCHEME):
        raise TableError(source, f"only SQLite files can be read (sqlite:///FILE); {example}")
    path = Path(source.removeprefix(_SCHEME))
    if not path.is_file():
        raise TableError(source, f"there is no file {path}")
    return path


@contextlib.contextmanager
def opened(path: Path, source: str) -> Iterator[sqlite3.Connection]:
    """Open an SQLite file for reading only.

    Raises:
        TableError: it is no SQLite file, or cannot be read.
    """
    try:
        # a database with a journal of recent changes needs them; without one, no file is made next to it
        journal = path.with_name(f"{path.name}-wal").exists()
        address = f"file:{quote(str(path.resolve()))}?mode=ro{'' if journal else '&immutable=1'}"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise TableError(source, f"cannot be read as an SQLite database: {error}") from None


def copy_database(path: Path, target: Path, source: str) -> None:
    """Copy an SQLite file with its recent changes, for a library that would change what it opens."""
    with opened(path, source) as connection, contextlib.closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
