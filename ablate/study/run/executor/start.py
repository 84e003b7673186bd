"""The start of worker processes, and the signals that they leave to the driver. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import BaseContext

#: Signals that ask a run to stop. A terminal or a batch system sends them to all processes; the driver alone reacts.
STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
#: Imported once for all workers: their program, and what the work of a study needs.
_PROGRAM = "ablate.study.run.executor.local.process"
_PRELOAD = [_PROGRAM, "ablate.study.run.executor.tasks"]
#: A part of torch that an optimizer imports when it is first used. One worker alone imports it no later.
_FOR_OPTIMIZERS = "torch._dynamo"


def processes(workers: int, work: str = "") -> BaseContext:
    """Return the way to start workers: on Linux, each is forked from a process that has imported torch and no more.

    Args:
        workers: their number.
        work: the module that has their work; empty for that of a study.

    This process itself cannot be forked, because torch may have threads here, and elsewhere a fork is not safe even
    without them. To import torch in every worker, and the part of it that an optimizer imports when it is first used,
    takes over two seconds of a core and 100 MB for each.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    server = multiprocessing.get_context("forkserver")
    preload = [_PROGRAM, work] if work else _PRELOAD
    server.set_forkserver_preload([*preload, _FOR_OPTIMIZERS] if workers > 1 else preload)
    return server


def start_early(workers: int) -> None:
    """Start the process that workers are forked from, if there is one, so that it imports while this one does."""
    if processes(workers).get_start_method() == "forkserver":
        from multiprocessing import forkserver

        with signals_blocked():
            forkserver.ensure_running()


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Start child processes with the signals blocked that ask a run to stop, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # the start of a worker starts this helper of Python's if it is not there, which unblocks SIGINT when it is done
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_signals_to_driver() -> None:
    """Let this worker ignore the signals that ask to stop; the driver tells it when, and kills it if it must.

    What a component starts from here is not a worker: its processes have these signals as usual.
    """
    worker = os.getpid()

    def handle(number: int, _: object) -> None:
        if os.getpid() != worker:  # forked by a component
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in STOPPING:
        signal.signal(number, handle)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
