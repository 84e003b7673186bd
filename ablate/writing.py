"""One writer at a time of a file or folder that no other lock protects, and the removal of what killed ones left."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING

from ablate.errors import HomeError
from ablate.files import UNFINISHED, remove, unfinished
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Seconds that a command waits for another one that writes the same report.
PATIENCE = 600.0
#: Seconds after which an unfinished file that no lock protects belongs to nobody: such files are written in a moment.
OLD = 3600.0
_LEFT = re.compile(rf"{re.escape(UNFINISHED)}[0-9a-f]{{8}}-(.+)", re.DOTALL)


@contextlib.contextmanager
def only_writer(target: Path, *, wait: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of a file or folder that is to be replaced, after removing what killed writers of it left.

    The lock is a hidden file beside it; the operating system releases it when a process ends.

    Args:
        target: the file or folder; missing folders above it are made.
        wait: seconds to wait for another writer.

    Raises:
        HomeError: another process is writing it for all that time.
        OSError: its folder cannot be written.
    """
    import filelock  # seldom needed

    target.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(lock_of(target), timeout=wait)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise HomeError(f"another command is writing {printable(str(target))}; wait for it") from None
    try:
        for path in unfinished(target.parent):
            match = _LEFT.fullmatch(path.name)
            if match and match[1] == target.name:
                remove(path)
        yield
    finally:
        lock.release()


def lock_of(target: Path) -> Path:
    """Return the path of the lock of a file or folder."""
    return target.with_name(f".{target.name}.lock")


def abandoned(folder: Path) -> list[Path]:
    """Return the unfinished files and folders in a folder whose writers have died.

    Their writers hold locks, or have written nothing for :data:`OLD` seconds.
    """
    return [path for path in unfinished(folder) if _is_abandoned(path)]


def _is_abandoned(path: Path) -> bool:
    match = _LEFT.fullmatch(path.name)
    with contextlib.suppress(OSError):
        if match and lock_of(path.with_name(match[1])).exists():
            return not _is_locked(lock_of(path.with_name(match[1])))
        return time.time() - path.lstat().st_mtime > OLD
    return False


def _is_locked(lock: Path) -> bool:
    import filelock

    try:
        with filelock.FileLock(lock, timeout=0):
            return False
    except filelock.Timeout:
        return True
