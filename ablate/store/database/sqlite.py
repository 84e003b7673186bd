"""Connections to an SQLite file: to write it, or only to read it, even where nothing can be written.

A file in WAL mode cannot be read in the usual way where SQLite cannot make two files beside it. The ways of reading are
therefore tried one after another:

1. where the place can be written: as a command that writes does, but every statement that would change something is
   refused;
2. read-only, with the locks of whoever writes there;
3. ``immutable``, without locks and without the files beside it, if these hold nothing; whether somebody has written
   meanwhile is seen from the times of the file;
4. a copy in a temporary folder, of a file with changes that only SQLite can bring in.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import EmptyStoreError, StoreError
from ablate.store.database import address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The time that one writer waits for another, in milliseconds.
BUSY_MS = 30_000
#: The part of an error code of SQLite that says what kind of error it is.
_PRIMARY = 0xFF
#: The errors of SQLite that another way of reading can avoid: no place for the files that it wants to make.
_PLACE_ERRORS = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
)


def beside(file: Path, ending: str) -> Path:
    """Return the path of a file that SQLite makes beside a database: ``-wal``, ``-shm`` or ``-journal``."""
    return file.with_name(f"{file.name}-{ending}")


def connect(file: Path, *, make: bool = True) -> sqlite3.Connection:
    """Connect to a file for writing; without ``make`` it has to exist."""
    return prepared(_opened(file, "mode=rwc" if make else "mode=rw"))


class ReadOnly:
    """Reads an SQLite file, and leaves it and its folder as they are.

    Args:
        file: the database; it has to exist.
        where: what messages call it.
    """

    def __init__(self, file: Path, where: str) -> None:
        self._file, self._where = file, where
        self._way: Callable[[], sqlite3.Connection] | None = None
        self._before = _times(file)
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def connect(self) -> sqlite3.Connection:
        """Connect in the first way that works, and from then on always in this one."""
        if self._way:
            return self._way()
        problem: sqlite3.Error | None = None
        for way in self._ways():
            try:
                connection = way()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY not in _PLACE_ERRORS:
                    raise
                problem = problem or error
                continue
            self._way = way
            return connection
        raise problem or sqlite3.OperationalError("unable to open database file")

    def check(self) -> None:
        """Check that what was read without locks has not changed meanwhile.

        Raises:
            StoreError: it has.
        """
        if self._way == self._immutable and _times(self._file) != self._before:
            raise StoreError(f"{self._where} was written while it was read; run the same command again")

    def close(self) -> None:
        """Remove the copy, if one was made."""
        if self._copy:
            self._copy.cleanup()

    def _ways(self) -> Iterator[Callable[[], sqlite3.Connection]]:
        changes, index = beside(self._file, "wal"), beside(self._file, "shm")
        unfinished = _holds(changes) or _holds(beside(self._file, "journal"))
        if _can_write(self._file) and _can_write(self._file.parent):
            yield self._usual
        both = changes.exists() and index.exists()
        if both or not (changes.exists() or _can_write(self._file.parent)):
            yield self._locked  # elsewhere it would make these two files, and leave them behind
        yield self._copied if unfinished else self._immutable

    def _usual(self) -> sqlite3.Connection:
        # query_only alone: a read-only connection would leave files behind that it cannot remove
        return _tried(_opened(self._file, "mode=rw"))

    def _locked(self) -> sqlite3.Connection:
        return _tried(_opened(self._file, "mode=ro"))

    def _immutable(self) -> sqlite3.Connection:
        return _tried(_opened(self._file, "mode=ro&immutable=1"))

    def _copied(self) -> sqlite3.Connection:
        if self._copy is None:
            self._copy = tempfile.TemporaryDirectory(prefix="ablate-")
            try:
                for path in (self._file, beside(self._file, "wal"), beside(self._file, "journal")):
                    if path.exists():
                        shutil.copy(path, self._copy.name)
            except OSError as error:
                raise StoreError(f"{self._where} cannot be copied to be read ({error.strerror})") from error
        return _tried(_opened(Path(self._copy.name) / self._file.name, "mode=rw"))


def reader(url: str) -> ReadOnly | None:
    """Return what reads the SQLite file of a URL; None for another database, or a URL with settings of its own.

    Raises:
        EmptyStoreError: there is no such file.
    """
    if not address.has_plain_path(url):
        return None
    file = address.sqlite_file(url)
    where = address.shown(url)
    if file is None or not file.is_file():
        raise EmptyStoreError(f"{where}: no such file")
    return ReadOnly(file, where)


def _opened(file: Path, how: str) -> sqlite3.Connection:
    address = f"file:{urllib.parse.quote(os.fsencode(file.absolute()))}?{how}"
    return sqlite3.connect(address, uri=True, check_same_thread=False)


def prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return the connection with ablate's settings: long patience, foreign keys, and no transactions of the driver."""
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _tried(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection that can only read, once it has read something."""
    try:
        prepared(connection).execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _can_write(path: Path) -> bool:
    try:
        return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
    except OSError:
        return False


def _holds(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _times(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns
