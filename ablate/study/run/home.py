"""The home folder, with the database, the results and the reports of a person's studies."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from typing import TYPE_CHECKING

import filelock

from ablate.errors import HomeError
from ablate.files import UNFINISHED, remove, write_whole
from ablate.home import DATABASE
from ablate.printable import printable
from ablate.store.database.address import home_url, shown, sqlite_file
from ablate.study.clean.leftovers import unfinished_files
from ablate.study.clean.stores import note_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The bytes of the header of an SQLite file; a shorter file has nothing in it.
_HEADER = 100
#: What a home has at its top, beside locks and notes.
TOP = ("ablate.db", "artifacts", "audio", "checkpoints", "logs", "observers", "reports")


def open_home(home: Path) -> Path:
    """Make the home folder if it does not exist, and check that it can be written.

    The home itself may be a link. A link at its top is refused: whoever made the home could lead what is written there,
    or removed, to any other place.

    Raises:
        HomeError: it cannot be written, its path is no text, or something at its top is a link.
    """
    _check_not_emptied(home, home_url(home.resolve()))
    link = next((home / name for name in TOP if (home / name).is_symlink()), None)
    if link:
        raise HomeError(
            f"{printable(str(link))} is a link, and nothing is written through links; move the whole home to where the "
            "link leads, and name it with --home"
        )
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f"{UNFINISHED}{os.getpid()}"
        probe.touch()
        probe.unlink(missing_ok=True)  # whoever gets the locks removes unfinished files
    except OSError as error:
        raise HomeError(
            f"cannot write to {home} ({error.strerror}); choose another folder with --home or ABLATE_HOME"
        ) from error
    return home.resolve()


def _check_not_emptied(home: Path, url: str) -> None:
    """Check that the database is not an empty file beside results: these would be computed again without a word.

    Raises:
        HomeError: it is; somebody or something has cut it off.
    """
    file = home / DATABASE
    if file.is_file() and file.stat().st_size < _HEADER and any(home.glob("artifacts/*/*/*")):
        raise HomeError(
            f"{shown(url)} is cut off to {file.stat().st_size} bytes, although {home} has results; put back a copy of "
            "it, or remove it, and everything is computed again"
        )


@contextlib.contextmanager
def only_command(home: Path, url: str, study: str, *others: str, whole: bool = False) -> Iterator[None]:
    """Hold the locks that keep other commands from writing to this home and to its databases.

    Of a PostgreSQL database only the study is locked, so that other homes can run their studies in it. The locks of a
    killed command are released by the operating system, or by the server. Files that it left half written are removed.

    Args:
        home: the folder.
        url: the database that the command writes to.
        study: its study, or for the messages of other commands what the command does.
        others: more databases that it writes to.
        whole: whether it writes to all studies of its databases.

    Raises:
        HomeError: another command holds a lock; the message describes it.
        StoreError: the server of a database cannot be reached.
    """
    databases = {file for each in (url, *others) if (file := sqlite_file(each))}
    locks = [home / "run.lock", *(file.with_name(f"{file.name}.run.lock") for file in sorted(databases))]
    with contextlib.ExitStack() as stack:
        for lock in locks:
            about = lock.with_suffix(".json")
            try:
                stack.enter_context(filelock.FileLock(lock, timeout=0))
            except filelock.Timeout:
                raise HomeError(f"{home} is in use: {_who(about)}; wait for it, or choose another --home") from None
            except OSError as error:
                raise HomeError(f"cannot lock {lock} ({error.strerror}); choose another --home") from error
            note = {"study": study, "pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            with contextlib.suppress(OSError):  # only for the message of a command that finds the lock taken
                write_whole(about, json.dumps(note).encode())
            stack.callback(about.unlink, missing_ok=True)
        for each in dict.fromkeys((url, *others)):
            if sqlite_file(each) is None:
                stack.enter_context(_only_in(each, study, whole=whole))
        _sweep(home)
        note_store(home, url)
        yield


def _only_in(url: str, study: str, *, whole: bool) -> contextlib.AbstractContextManager[None]:
    from ablate.store.database.locks import only_study  # imports SQLAlchemy

    return only_study(url, study, whole=whole)


def _sweep(home: Path) -> None:
    """Remove what a killed command left half written; whoever holds the lock is the only one who writes there."""
    for path in unfinished_files(home):
        remove(path)


def _who(about: Path) -> str:
    try:
        facts = json.loads(about.read_text())
        minutes = (time.time() - facts["since"]) / 60
        where = f"study {facts['study']} runs there, process {facts['pid']} on {facts['host']}"
        return f"{printable(where)}, for {minutes:.0f} min"
    except (OSError, ValueError, KeyError, TypeError):
        return "another ablate command"
