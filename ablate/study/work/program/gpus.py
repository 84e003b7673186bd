"""Give each program GPUs of its own: locks of files, which the system releases if a worker is killed."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ablate.engine.devices import gpu_names
from ablate.errors import ProgramFailed
from ablate.study.work.messages import JobStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PAUSE = 0.1


@contextlib.contextmanager
def leased(count: float, home: Path, should_stop: Callable[[], bool]) -> Iterator[tuple[str, ...]]:
    """Hold GPUs that no other program of this home holds.

    Args:
        count: how many; 0.5 is half of one, which another program may share.
        home: the folder for the locks.
        should_stop: whether to give up waiting.

    Yields:
        Their names, for ``CUDA_VISIBLE_DEVICES``.

    Raises:
        JobStopped: ``should_stop`` became true.
        ProgramFailed: this machine has fewer.
    """
    if not count:
        yield ()
        return
    import filelock

    names, whole, shares = gpu_names(), max(1, round(count)), max(1, round(1 / count))
    if len(names) < whole:
        raise ProgramFailed(f"program.gpus = {count:g}, but this machine has {len(names)}; use --set program.gpus=0")
    folder = home / "logs"
    with contextlib.ExitStack() as stack:
        held: list[str] = []
        while len(held) < whole:
            for share in range(shares):
                for name in names:
                    if name not in held and len(held) < whole:
                        with contextlib.suppress(filelock.Timeout):
                            lock = filelock.FileLock(folder / f"gpu-{name}-{share}.lock", timeout=0)
                            stack.enter_context(lock)
                            held.append(name)
            if len(held) < whole:
                if should_stop():
                    raise JobStopped
                time.sleep(_PAUSE)
        yield tuple(held)
