"""The home folder: where the database, the results and the reports of a person's studies lie."""

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
from ablate.store.schema import sqlite_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def open_home(home: Path) -> Path:
    """Make the folder if it is not there, and see that it can be written.

    Raises:
        HomeError: it cannot.
    """
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
    """The home's own database."""
    return f"sqlite:///{home / 'ablate.db'}"


@contextlib.contextmanager
def only_run(home: Path, url: str, study: str) -> Iterator[None]:
    """Hold the locks that keep a second run from this home and from this database.

    They are the operating system's: a killed run holds them no longer. What it left half written is removed.

    Raises:
        HomeError: another run holds one, with what is known of it.
    """
    places = [home / "run.lock"]
    database = sqlite_file(url)
    if database:
        places.append(database.with_name(f"{database.name}.run.lock"))
    with contextlib.ExitStack() as stack:
        for place in places:
            about = place.with_suffix(".json")
            try:
                stack.enter_context(filelock.FileLock(place, timeout=0))
            except filelock.Timeout:
                raise HomeError(f"{home} is in use: {_who(about)}; wait for it, or choose another --home") from None
            except OSError as error:
                raise HomeError(f"cannot lock {place} ({error.strerror}); choose another --home") from error
            note = {"study": study, "pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            with contextlib.suppress(OSError):  # only a courtesy to whoever finds the lock taken
                about.write_text(json.dumps(note))
            stack.callback(about.unlink, missing_ok=True)
        _sweep(home)
        yield


def _sweep(home: Path) -> None:
    """Remove what a killed command left half written; whoever holds the lock is the only one who writes there."""
    for folder in [home / "checkpoints", home / "logs", *home.glob("artifacts/*/*")]:
        remove_unfinished(folder)


def _who(about: Path) -> str:
    try:
        facts = json.loads(about.read_text())
        minutes = (time.time() - facts["since"]) / 60
        return f"study {facts['study']} runs there, process {facts['pid']} on {facts['host']}, for {minutes:.0f} min"
    except (OSError, ValueError, KeyError):
        return "another run of ablate"


def remove_artifacts(home: Path, folders: Iterable[str]) -> None:
    """Delete result folders, given relative to the home; one that is gone already is fine."""
    for folder in folders:
        shutil.rmtree(home / folder, ignore_errors=True)


def remove_checkpoints(home: Path, fingerprints: Iterable[str]) -> None:
    """Delete the progress of trainings that nobody will go on with."""
    from ablate.study.stage import checkpoint_path  # with NumPy, which reading a database does without

    for fingerprint in fingerprints:
        (home / checkpoint_path(fingerprint)).unlink(missing_ok=True)
