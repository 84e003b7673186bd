"""The home folder, with the database, the results and the reports of a person's studies."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from typing import TYPE_CHECKING

import filelock

from ablate.errors import HomeError
from ablate.files import remove_unfinished
from ablate.store.address import home_url, sqlite_file
from ablate.study.sources.started import remove_started
from ablate.study.stage import checkpoint_path, program_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def open_home(home: Path) -> Path:
    """Make the home folder if it does not exist, and check that it can be written.

    Raises:
        HomeError: it cannot be written, or its path is no text.
    """
    store_url(home.resolve())
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise HomeError(
            f"cannot write to {home} ({error.strerror}); choose another folder with --home or ABLATE_HOME"
        ) from error
    return home.resolve()


def store_url(home: Path) -> str:
    """Return the URL of the home's own database; see :func:`ablate.store.address.home_url`."""
    return home_url(home)


@contextlib.contextmanager
def only_command(home: Path, url: str, study: str) -> Iterator[None]:
    """Hold the locks that keep other commands from writing to this home and to this database.

    The operating system releases the locks of a killed command. Files that it left half written are removed.

    Raises:
        HomeError: another command holds a lock; the message describes it.
    """
    locks = [home / "run.lock"]
    database = sqlite_file(url)
    if database:
        locks.append(database.with_name(f"{database.name}.run.lock"))
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
                about.write_text(json.dumps(note))
            stack.callback(about.unlink, missing_ok=True)
        _sweep(home)
        yield


def _sweep(home: Path) -> None:
    """Remove what a killed command left half written; whoever holds the lock is the only one who writes there."""
    for folder in [home, home / "checkpoints", home / "logs", *home.glob("artifacts/*/*")]:
        remove_unfinished(folder)


def _who(about: Path) -> str:
    try:
        facts = json.loads(about.read_text())
        minutes = (time.time() - facts["since"]) / 60
        return f"study {facts['study']} runs there, process {facts['pid']} on {facts['host']}, for {minutes:.0f} min"
    except (OSError, ValueError, KeyError):
        return "another ablate command"


def remove_artifacts(home: Path, folders: Iterable[str]) -> None:
    """Delete result folders, relative to the home; missing ones are ignored."""
    for folder in folders:
        shutil.rmtree(home / folder, ignore_errors=True)


def remove_checkpoints(home: Path, fingerprints: Iterable[str]) -> None:
    """Delete the checkpoints of trainings that nobody will resume."""
    for fingerprint in fingerprints:
        (home / checkpoint_path(fingerprint)).unlink(missing_ok=True)
        shutil.rmtree(home / program_checkpoint(fingerprint), ignore_errors=True)
        remove_started(home, fingerprint)
