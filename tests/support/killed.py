"""Run commands as real processes, and kill them where a test wants it."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import time
from typing import TYPE_CHECKING

from support import forked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def wait_for(
    reached: Callable[[], object],
    process: forked.Process | subprocess.Popen[str],
    seconds: float = 300,
    pause: float = 0.01,
) -> None:
    """Wait until the process has reached what it is to be killed at."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(pause)


def run_and_kill(
    words: Sequence[str | Path], reached: Callable[[], object], seconds: float = 300, pause: float = 0.01
) -> None:
    """Start a command line of ablate, and kill it as soon as it has reached something."""
    with forked.command(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(reached, process, seconds, pause)
        finally:
            process.kill()


def number(home: Path, query: str) -> int:
    """Return the number that a query of the database of a home gives; 0 while it gives none.

    A store would be opened for it ten times a second, beside the command that is waited for.
    """
    found = None
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(home / "ablate.db")) as file:
        found = file.execute(query).fetchone()
    return (found and found[0]) or 0
