"""Executors run jobs and hand back what came of them; the driver alone writes to the database.

``InlineExecutor`` works in this process; ``PoolExecutor`` in one single-threaded process a core, which is how small
recurrent models use a CPU best, or in one for each GPU. Both give the same results, bit for bit, because each job
computes with one thread.
"""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import dataclasses
import multiprocessing
import os
import queue
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Protocol, Self

import torch

from ablate.engine.devices import one_thread, spread
from ablate.study.work.dispatch import work
from ablate.study.work.messages import Context, Job, JobStopped, News, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from ablate.errors import HomeError


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a job: a result for each of its stages, or nothing if it was stopped or the disk is full."""

    job: Job
    results: tuple[StageResult | StageFailure, ...]
    fatal: HomeError | None = None


class Executor(Protocol):
    """Where jobs are worked on.

    Attributes:
        places: how many of them at a time.
        fused: whether to fuse models where possible; None means only on a GPU.
    """

    places: int
    fused: bool | None

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def submit(self, job: Job) -> None:
        """Take a job; it starts when there is a place for it, in the order of submission."""

    def wait(self, tell: Callable[[News], None]) -> list[Outcome]:
        """Wait a moment for jobs to end; passes news on meanwhile. May return nothing yet."""
        ...

    def stop(self) -> None:
        """Ask the running jobs to stop after their current step, and drop those that have not begun.

        Only sets a flag, so that a signal handler may call it whatever was interrupted.
        """


class InlineExecutor:
    """One job at a time, in this process."""

    places = 1

    def __init__(self, home: Path, device: str, checkpoint_seconds: float, *, fused: bool | None = None) -> None:
        self._home, self._device, self._seconds, self.fused = home, device, checkpoint_seconds, fused
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._stopping = False

    def __enter__(self) -> Self:
        self._threads = one_thread()
        self._threads.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.__exit__(kind, error, trace)

    def submit(self, job: Job) -> None:
        """See :class:`Executor`."""
        self._jobs.put(job)

    def wait(self, tell: Callable[[News], None]) -> list[Outcome]:
        """See :class:`Executor`."""
        job = self._jobs.get_nowait()
        if self._stopping:
            return [Outcome(job, ())]
        context = Context(self._home, self._device, tell, lambda: self._stopping, self._seconds, self.fused)
        try:
            return [Outcome(job, tuple(work(job, context)))]
        except JobStopped as stopped:
            return [Outcome(job, stopped.results, stopped.fatal)]

    def stop(self) -> None:
        """See :class:`Executor`."""
        self._stopping = True


@dataclasses.dataclass
class _Worker:
    """A place to work: its device, and its process once there is one."""

    device: str
    pool: cf.ProcessPoolExecutor | None = None


class PoolExecutor:
    """Worker processes, each with one thread and a device.

    Every worker is a pool of one, so that the death of a process (the system out of memory, say) is the failure of
    the one job it had, and its place is taken by a new one.
    """

    def __init__(
        self, home: Path, devices: Sequence[str], checkpoint_seconds: float, *, fused: bool | None = None
    ) -> None:
        spawn = multiprocessing.get_context("spawn")  # fork and threads of torch do not agree
        self._news: Any = spawn.Queue()
        # without a lock, which a worker killed at the wrong moment would hold for ever
        self._stopping = spawn.RawValue("b", 0)
        self._start = (self._news, self._stopping, os.getpid(), home, checkpoint_seconds, fused)
        self._idle = [_Worker(device) for device in devices]
        self.places, self.fused = len(devices), fused
        self._busy: dict[cf.Future[list[StageResult | StageFailure]], tuple[Job, _Worker]] = {}
        self._jobs: list[Job] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.value = 1
        for worker in [*self._idle, *(worker for _, worker in self._busy.values())]:
            if worker.pool:
                worker.pool.shutdown(cancel_futures=True)
        self._news.close()

    def _new_pool(self, device: str) -> cf.ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return cf.ProcessPoolExecutor(1, spawn, initializer=_start_worker, initargs=(device, *self._start))

    def submit(self, job: Job) -> None:
        """See :class:`Executor`."""
        self._jobs.append(job)

    def wait(self, tell: Callable[[News], None]) -> list[Outcome]:
        """See :class:`Executor`."""
        stopped = []
        if self._stopping.value:
            stopped = [Outcome(job, ()) for job in self._jobs]
            self._jobs = []
        while self._jobs and self._idle:
            worker, job = self._idle.pop(), self._jobs.pop(0)
            worker.pool = worker.pool or self._new_pool(worker.device)
            with _deaf_children():
                self._busy[worker.pool.submit(_work_in_worker, job)] = (job, worker)
        ended, _ = cf.wait(self._busy, timeout=0.1, return_when=cf.FIRST_COMPLETED)
        for news in self._new_news():
            tell(news)
        return stopped + [self._outcome(future) for future in ended]

    def _new_news(self) -> Iterator[News]:
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._news.get_nowait()

    def _outcome(self, future: cf.Future[list[StageResult | StageFailure]]) -> Outcome:
        job, worker = self._busy.pop(future)
        self._idle.append(worker)
        try:
            return Outcome(job, tuple(future.result()))
        except JobStopped as stopped:
            return Outcome(job, stopped.results, stopped.fatal)
        except BrokenProcessPool:
            if worker.pool:
                worker.pool.shutdown()
            worker.pool = None
            text = "its process died; the system may have run out of memory (try fewer --workers)"
            return Outcome(job, tuple(StageFailure(stage, "WorkerDied", text) for stage in job.stages))

    def stop(self) -> None:
        """See :class:`Executor`."""
        self._stopping.value = 1


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes begun in here do not hear Ctrl-C, which reaches the whole group; the driver decides what it means."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_context: Context | None = None


def _start_worker(
    device: str,
    news: Any,
    stopping: Any,
    driver: int,
    home: Path,
    checkpoint_seconds: float,
    fused: bool | None,  # noqa: FBT001
) -> None:
    """Set up a worker process, once."""
    global _context  # noqa: PLW0603 - a worker process is its own world
    torch.set_num_threads(1)
    threading.Thread(target=_die_with, args=(driver,), daemon=True).start()
    _context = Context(home, device, news.put, lambda: bool(stopping.value), checkpoint_seconds, fused)


def _die_with(driver: int) -> None:
    """End this worker when its driver is gone, killed for instance, so that no work goes on unseen."""
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)


def _work_in_worker(job: Job) -> list[StageResult | StageFailure]:
    if _context is None:
        raise RuntimeError("worker was not started by _start_worker")
    return work(job, _context)


def make_executor(home: Path, device: str, workers: int, checkpoint_seconds: float = 10.0) -> Executor:
    """A process for each of ``workers`` on a CPU, or for each GPU where none is named; otherwise this one alone."""
    devices = spread(device, workers)
    if len(devices) == 1:
        return InlineExecutor(home, device, checkpoint_seconds)
    return PoolExecutor(home, devices, checkpoint_seconds)
