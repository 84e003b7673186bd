"""Writing to an SQLite file that somebody may remove or replace meanwhile.

What has no name any more is gone with the last connection: a command could say that all went well, and nothing would be
left of it. So the file and its log (WAL) are compared with what was opened, and saved if their names are gone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from ablate.errors import StoreError, one_line
from ablate.files import UNFINISHED
from ablate.store.database import address, sqlite

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds between two times that the log is brought into the file: without its log, a file lacks no more than these.
CHECKPOINT_SECONDS = 5.0
#: Milliseconds to wait at the end for readers, before the log is brought into the file.
_LAST_WAIT_MS = 2000
_AGAIN = "To continue, run the same command again"


class Watched:
    """An SQLite file that is being written.

    Args:
        file: the database; it is made if there is none.
        where: what messages call it.
    """

    def __init__(self, file: Path, where: str) -> None:
        self._file, self._where = file, where
        self._own: sqlite3.Connection | None = None
        self._known: dict[Path, int | None] = {}
        self._checkpoint = time.monotonic()
        self._problem = ""

    def connect(self) -> sqlite3.Connection:
        """Connect to the file; from :meth:`watch` on it is not made again."""
        return sqlite.connect(self._file, make=self._own is None)

    def watch(self) -> None:
        """Remember which file is open now, with its log."""
        self._own = sqlite.connect(self._file, make=False)
        self._own.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the log
        self._known = {path: _identity(path) for path in (self._file, *self._log)}

    @property
    def _log(self) -> tuple[Path, Path]:
        return sqlite.beside(self._file, "wal"), sqlite.beside(self._file, "shm")

    def check(self) -> None:
        """Check that the file and its log are still those that were opened; now and then bring the log into the file.

        Raises:
            StoreError: they are not, or were not before; the message has the path of everything that was written.
        """
        if self._problem:
            raise StoreError(self._problem)
        if self._own is None:
            return
        changed = [path for path, known in self._known.items() if known is not None and _identity(path) != known]
        if changed:
            self._problem = self._saved(changed)
            raise StoreError(self._problem)
        if time.monotonic() > self._checkpoint + CHECKPOINT_SECONDS:
            self._checkpoint = time.monotonic()
            self._own.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Bring the log into the file, so that the file alone has everything, and close it."""
        if self._own is None:
            return
        with contextlib.suppress(sqlite3.Error):  # what is in the log is not lost
            self._own.execute(f"PRAGMA busy_timeout = {_LAST_WAIT_MS}")
            self._own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._own.close()
        self._own = None

    def _saved(self, changed: list[Path]) -> str:
        """Save what was written, and return the message about it."""
        own, self._own = self._own, None
        assert own  # noqa: S101 - for mypy
        there = _identity(self._file)
        try:
            if there is None and self._put_back(own):
                return (
                    f"{self._where} was removed while this command wrote to it; it has been put back with everything "
                    f"that was in it. {_AGAIN}"
                )
            if there == self._known[self._file] and not self._is_somebody_elses(self._log[0]):
                own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                return (
                    f"{changed[0]} was removed while this command wrote to it; what was in it is now in "
                    f"{self._file.name}. {_AGAIN}"
                )
            saved = _free_name(self._file)
            _copy(own, saved)
        except (OSError, sqlite3.Error) as error:
            return (
                f"{self._where} was removed or replaced while this command wrote to it, and could not be saved "
                f"({one_line(error)}); what this command finished is computed again by the next one"
            )
        finally:
            own.close()
        return (
            f"{self._where} was replaced by another file while this command wrote to it; what it wrote is in {saved}: "
            "move that to the place of the other one, or continue without it"
        )

    def _is_somebody_elses(self, log: Path) -> bool:
        """Return whether another program has begun a log of its own, and written to it."""
        return _identity(log) != self._known[log] and log.exists() and log.stat().st_size > 0

    def _put_back(self, own: sqlite3.Connection) -> bool:
        """Write the file again at its place; return False if somebody has just made another one there."""
        partial = self._file.with_name(f"{UNFINISHED}{self._file.name}")
        try:
            _copy(own, partial)
            for path in self._log:
                if _identity(path) == self._known[path]:
                    path.unlink(missing_ok=True)  # of the file that is gone: in another one, it would be replayed
            _give_name(partial, self._file)
        except FileExistsError:
            return False
        finally:
            partial.unlink(missing_ok=True)
        return True


def watched(url: str) -> Watched | None:
    """Return what writes the SQLite file of a URL; None for another database, or a URL with settings of its own."""
    file = address.sqlite_file(url)
    return None if file is None or address.parsed(url).query else Watched(file, address.shown(url))


def _copy(source: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _give_name(file: Path, name: Path) -> None:
    """Give a file a name; raises FileExistsError if another one has it."""
    try:
        os.link(file, name)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as that of a memory stick
        if name.exists():
            raise FileExistsError from None
        file.rename(name)


def _free_name(file: Path) -> Path:
    names = (file.with_name(f"{file.stem}-saved-{number}{file.suffix}") for number in range(1, 1000))
    return next(name for name in names if not name.exists())


def _identity(path: Path) -> int | None:
    """Return what tells a file from another one of the same name; None if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None
