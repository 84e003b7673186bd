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
#: Seconds to wait for somebody who writes to a database.
_PATIENCE = 5.0


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
        TableError: it is no SQLite file, or cannot be read; or somebody keeps it locked.
    """
    try:
        # of a database in WAL mode, SQLite would make the files with recent changes where there are none; any other one
        # is locked while it is read, because somebody may write to it
        unchanged = _has_wal_mode(path) and not path.with_name(f"{path.name}-wal").exists()
        address = f"file:{quote(str(path.resolve()))}?mode=ro{'&immutable=1' if unchanged else ''}"
        with contextlib.closing(sqlite3.connect(address, timeout=_PATIENCE, uri=True)) as connection:
            # one state of all tables; and where it is locked, a copy would wait forever
            connection.execute("BEGIN")
            connection.execute("SELECT name FROM sqlite_master").fetchone()
            yield connection
    except sqlite3.Error as error:
        raise TableError(source, f"cannot be read as an SQLite database: {error}") from None


def _has_wal_mode(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(20)[18:] == b"\x02\x02"


def copy_database(path: Path, target: Path, source: str) -> None:
    """Copy an SQLite file with its recent changes, for a library that would change what it opens."""
    with opened(path, source) as connection, contextlib.closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
