"""Try plugins in a process of their own first: one may hang, or end its process, while it is loaded.

The process is forked, which takes a millisecond or two, and loads the plugins of other distributions than ablate's; one
that gets through it is then loaded here. Nothing of it is stored, so an updated plugin is tried again. Other systems
than Linux cannot fork safely: there, a plugin that hangs or ends its process does so to the command.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING

from ablate.errors import UsageError
from ablate.registry.collect import collect

if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Sequence

#: The environment variable with the seconds that a plugin has to load, and its default.
SECONDS = "ABLATE_PLUGIN_SECONDS"
DEFAULT_SECONDS = 15.0

_DONE = b"."


def seconds_to_load() -> float:
    """Return the seconds that a plugin may take to load.

    Raises:
        UsageError: the environment variable is no number above 0.
    """
    text = os.environ.get(SECONDS, "").strip() or str(DEFAULT_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{SECONDS} must be a number of seconds above 0, not '{text}'")
    return seconds


def is_possible() -> bool:
    """Return whether plugins can be tried: on Linux, in a process that is still young and has no threads."""
    return sys.platform == "linux" and "torch" not in sys.modules and threading.active_count() == 1


def try_to_load(entry_points: Sequence[importlib.metadata.EntryPoint], seconds: float) -> dict[int, str]:
    """Load plugins in forked processes, and return why some of them cannot be loaded here, by their index.

    An exception of a plugin is no reason: it is found again here, without harm.

    Args:
        entry_points: of the plugins.
        seconds: that each of them may take.
    """
    problems: dict[int, str] = {}
    first = 0
    while first < len(entry_points):
        loaded, problem = _try_from(entry_points[first:], seconds)
        first += loaded
        if problem:
            problems[first] = problem
            first += 1
    return problems


def _try_from(entry_points: Sequence[importlib.metadata.EntryPoint], seconds: float) -> tuple[int, str]:
    """Load plugins in one forked process until it is over; return how many were loaded, and the end of the next one."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # numpy may have threads, which the child does not use
        child = os.fork()
    if not child:
        _load_all(entry_points, seconds, writing)
    os.close(writing)
    status = None
    try:
        loaded, in_time = _count(reading, seconds, len(entry_points))
        if in_time:
            status = _status(child, seconds)
    finally:
        os.close(reading)
        if status is None:
            _kill(child)
    if loaded == len(entry_points):
        return loaded, ""
    if status is None:
        return loaded, f"it was not loaded within {seconds:g} s"
    return loaded, f"it {_ending(status)} while it was loaded"


def _status(child: int, seconds: float) -> int | None:
    """Return how a process has ended; None if it is alive, like one that has only closed its files."""
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if time.monotonic() > deadline:
            return None
        time.sleep(0.002)


def _count(reading: int, seconds: float, most: int) -> tuple[int, bool]:
    """Return how many plugins were loaded, and whether the process is over: each of them has ``seconds``."""
    loaded, deadline = 0, time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while loaded < most:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return loaded, False
            data = os.read(reading, most)
            if not data:
                return loaded, True
            loaded, deadline = loaded + len(data), time.monotonic() + seconds
    return loaded, True


def _load_all(entry_points: Sequence[importlib.metadata.EntryPoint], seconds: float, writing: int) -> None:
    """Load plugins in this process, report each of them, and end; what they print is printed when they are loaded."""
    try:
        os.setsid()  # a Ctrl-C is for the command, which ends this process; and all that a plugin starts ends with it
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        for entry_point in entry_points:
            signal.alarm(int(seconds) + 5)  # if the command itself is killed
            with contextlib.suppress(BaseException):
                collect(entry_point.load())
            os.write(writing, _DONE)
    finally:
        os._exit(0)


def _kill(child: int) -> None:
    for end in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            end(child, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.waitpid(child, 0)


def _ending(status: int) -> str:
    """Return the end of a process in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"was killed by {signal.Signals(number).name if number in set(signal.Signals) else f'signal {number}'}"
    return f"ended its process (exit code {os.waitstatus_to_exitcode(status)})"
