"""Errors of a database in one line: what it said, and what to do about it."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING

from ablate.errors import StoreError, one_line
from ablate.store.database import address, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

#: What to do about a file that SQLite cannot read to its end.
_DAMAGED = "the file is damaged or cut off: put back a copy of it, or move it away to start again with an empty one"
#: What to do about an error of SQLite, by the text of the error.
_HINTS = {
    "database or disk is full": "free some space, then run the same command again",
    "disk I/O error": "look at the disk's space and health, then run the same command again",
    "database is locked": "another program is writing to it; try again when it is done",
    "file is not a database": f"{_DAMAGED}; if it belongs to another program, choose another --home or --store",
    "database disk image is malformed": _DAMAGED,
    "unable to open database file": "it must be a file in a folder that exists and that you may write to",
    "attempt to write a readonly database": "look at the permissions of the file and its folder",
}
#: The texts of SQLite about a table or a column that was removed by hand.
_CHANGED = re.compile(r"no such (table|column)|table \S+ has no column")
#: What to do about any other error.
_HINT = "try the same command again"


def store_error(url: str | sa.URL, error: BaseException) -> StoreError:
    """Return what an error of a database is for people.

    Args:
        url: of the database.
        error: of SQLAlchemy or of the driver.
    """
    own = getattr(error, "orig", None) or error
    cause = address.without_secrets(" ".join(postgres.text_of(own).split()) or one_line(own), url)
    hint = (
        f"{postgres.REMOVED} --home or --store"
        if _CHANGED.match(cause)
        else _HINTS.get(cause, postgres.hint(own) or _HINT)
    )
    return StoreError(f"{address.shown(url)}: {cause}; {hint}")


@contextlib.contextmanager
def database_errors(url: str | sa.URL) -> Iterator[None]:
    """Turn an error of the environment (disk, locks, files) into a :class:`StoreError` of one line."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        if not _is_of_environment(error):
            raise  # a bug in ablate: the traceback is needed
        raise store_error(url, error) from error


def _is_of_environment(error: Exception) -> bool:
    if isinstance(error, sqlite3.DatabaseError):  # SQLAlchemy does not wrap errors of connecting
        return not isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError)
    import sqlalchemy as sa  # takes longer than most commands; whoever gets one of its errors has it already

    if isinstance(error, sa.exc.DBAPIError) and postgres.is_of_environment(error.orig):
        return True
    bugs = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError)
    return isinstance(error, sa.exc.DatabaseError) and not isinstance(error, bugs)
