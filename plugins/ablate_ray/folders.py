"""Folders of one process, in the folder for temporary files, which are removed even if the process was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The file in each folder that its process has locked.
LOCK = "lock"


@contextlib.contextmanager
def own_folder(prefix: str) -> Iterator[Path]:
    """Make a folder for the time of the block, after those of processes that were killed are removed.

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
