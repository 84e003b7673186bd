"""Run commands as real processes, and kill them where a test wants it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(
    reached: Callable[[], object], process: subprocess.Popen[str], seconds: float = 60, pause: float = 0.01
) -> None:
    """Wait until the process has reached what it is to be killed at."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(pause)


def run_and_kill(words: list[str], reached: Callable[[], object], seconds: float = 60, pause: float = 0.01) -> None:
    """Start a command, and kill it as soon as it has reached something."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as process:
        wait_for(reached, process, seconds, pause)
        os.kill(process.pid, signal.SIGKILL)
