"""Processes that an executor starts: their work by its name, how they have ended, what they have started and left."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.interfaces.executor import Channel


#: The file in the folder of a process that it has locked.
LOCK = "lock"


@dataclasses.dataclass(frozen=True)
class NamedWork:
    """The work of a setup by its name: a machine that only brings tasks on does not import what the work needs.

    Attributes:
        module: that has the function.
        name: of the function.
    """

    module: str
    name: str

    def __call__(self, data: bytes, channel: Channel) -> None:
        """Do the work."""
        getattr(importlib.import_module(self.module), self.name)(data, channel)


def named_work(work: Callable[[bytes, Channel], None]) -> NamedWork:
    """Return the work of a :class:`~ablate.interfaces.executor.Setup` by its name."""
    return NamedWork(work.__module__, work.__name__)


#: Signals that compiled code gets for what it has done itself.
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, getattr(signal, "SIGBUS", signal.SIGSEGV)}


def own_end(code: int) -> str:
    """Return how a process that nobody else ended has ended, for people.

    Args:
        code: the exit status, or the number of a signal times -1.
    """
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"its process died of {name}{' (a crash in compiled code)' if -code in _CRASHES else ''}"
    return f"ended its process with status {code}"


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started; only Linux tells."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in tasks.read_text().split()]
    return [each for child in found for each in (child, *descendants(child))]


@contextlib.contextmanager
def process_folder(prefix: str) -> Iterator[Path]:
    """Make a temporary folder for the time of the block, after those of processes that were killed are removed.

    Args:
        prefix: of its name; all folders with this prefix are made here.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        _remove_unused(left)
    making = Path(tempfile.mkdtemp(prefix=f"new-{prefix}"))
    lock = filelock.FileLock(making / LOCK, timeout=0, thread_local=False)
    lock.acquire()
    folder = making.rename(making.with_name(making.name.removeprefix("new-")))  # another process finds it locked
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _remove_unused(folder: Path) -> None:
    """Remove a folder of this user whose process is gone."""
    lock = folder / LOCK
    with contextlib.suppress(OSError, filelock.Timeout):
        if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
            return
        if lock.exists():
            with filelock.FileLock(lock, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
