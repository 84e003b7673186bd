"""Executors run jobs and return their results; only the driver writes to the database.

``InlineExecutor`` works in this process. ``PoolExecutor`` has one single-threaded process for each core, which is how
small recurrent models use a CPU best, or one for each GPU. Both give the same results, bit for bit, because each job
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
import sys
import threading
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Protocol, Self

import torch

from ablate.engine.devices import one_thread, spread
from ablate.kinds import PROGRAM
from ablate.study.work.dispatch import work
from ablate.study.work.messages import Context, Job, JobStopped, News, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.context import BaseContext
    from pathlib import Path
    from types import TracebackType

    from ablate.errors import HomeError
    from ablate.registry import Registry


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The results of a job, one for each stage that was not stopped; ``fatal`` if the disk is full."""

    job: Job
    results: tuple[StageResult | StageFailure, ...]
    fatal: HomeError | None = None


class Executor(Protocol):
    """Runs jobs.

    Attributes:
        slots: the number of jobs that run side by side.
        fused: whether networks of equal shape are run as one; None is on a GPU only.
    """

    slots: int
    fused: bool | None

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def submit(self, job: Job) -> None:
        """Add a job to the queue; it starts when a slot is free, in the order of submission, but before programs."""

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """Wait a moment for jobs to end, and pass on which jobs start and their progress; the list may be empty."""
        ...

    def stop(self) -> None:
        """Ask the running jobs to stop after their current step, and drop those that have not started.

        Only sets a flag, so that a signal handler can call it at any moment.
        """


class InlineExecutor:
    """One job at a time, in this process."""

    slots = 1

    def __init__(
        self, home: Path, device: str, registry: Registry, checkpoint_seconds: float, *, fused: bool | None = None
    ) -> None:
        self._home, self._device, self._registry = home, device, registry
        self._seconds, self.fused = checkpoint_seconds, fused
        self._jobs: list[Job] = []
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
        _enqueue(self._jobs, job)

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """See :class:`Executor`."""
        job = self._jobs.pop(0)
        if self._stopping:
            return [Outcome(job, ())]
        context = Context(
            self._home, self._device, self._registry, tell, lambda: self._stopping, self._seconds, self.fused
        )
        started(job)
        try:
            return [Outcome(job, tuple(work(job, context)))]
        except JobStopped as stopped:
            return [Outcome(job, stopped.results, stopped.fatal)]

    def stop(self) -> None:
        """See :class:`Executor`."""
        self._stopping = True


def _enqueue(jobs: list[Job], job: Job) -> None:
    """Add a job to those that wait: at the end, or before all programs, so that what they wrote is measured soon."""
    end = len(jobs)
    first = next((index for index, other in enumerate(jobs) if other.kind == PROGRAM), end)
    jobs.insert(end if job.kind == PROGRAM else first, job)


@dataclasses.dataclass
class _Worker:
    """A slot for a job: its device, and its process once it is started."""

    device: str
    pool: cf.ProcessPoolExecutor | None = None


class PoolExecutor:
    """Worker processes, each with one thread and a device.

    Every worker is a pool of one process. If that process dies (the system is out of memory, for example), only its
    own job fails, and a new process replaces it.
    """

    def __init__(
        self,
        home: Path,
        devices: Sequence[str],
        registry: Registry,
        checkpoint_seconds: float,
        *,
        fused: bool | None = None,
    ) -> None:
        self._processes = _processes()
        self._news: Any = self._processes.Queue()
        # without a lock, which a worker that is killed at the wrong moment would hold forever
        self._stopping = self._processes.RawValue("b", 0)
        self._start = (
            self._news,
            self._stopping,
            _Settings(home, registry, checkpoint_seconds, fused, dict(os.environ)),
        )
        self._idle = [_Worker(device) for device in devices]
        self.slots, self.fused = len(devices), fused
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
        return cf.ProcessPoolExecutor(1, self._processes, initializer=_start_worker, initargs=(device, *self._start))

    def submit(self, job: Job) -> None:
        """See :class:`Executor`."""
        _enqueue(self._jobs, job)

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """See :class:`Executor`."""
        stopped = []
        if self._stopping.value:
            stopped = [Outcome(job, ()) for job in self._jobs]
            self._jobs = []
        while self._jobs and self._idle:
            worker, job = self._idle.pop(), self._jobs.pop(0)
            worker.pool = worker.pool or self._new_pool(worker.device)
            with _interrupts_blocked():
                self._busy[worker.pool.submit(_work_in_worker, job)] = (job, worker)
            started(job)
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


def _processes() -> BaseContext:
    """Return the way to start workers: on Linux, each is forked from a process that has imported torch and no more.

    This process itself cannot be forked, because torch may have threads here, and elsewhere a fork is not safe even
    without them. To import torch in every worker, and the part of it that an optimizer imports when it is first used,
    takes over two seconds of a core and 100 MB for each.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__, "torch._dynamo"])
    return server


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Start child processes with SIGINT blocked, so that only the driver reacts to Ctrl-C, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_context: Context | None = None


@dataclasses.dataclass(frozen=True)
class _Settings:
    """The settings that all workers share; each worker loads the components of the registry again.

    The environment is that of the driver: a worker would have that of the process that it is forked from, which is as
    old as the first pool.
    """

    home: Path
    registry: Registry
    checkpoint_seconds: float
    fused: bool | None
    environment: Mapping[str, str]


def _start_worker(device: str, news: Any, stopping: Any, settings: _Settings) -> None:
    """Set up a worker process, once."""
    global _context  # noqa: PLW0603 - there is one for each worker process
    os.environ.clear()
    os.environ.update(settings.environment)
    torch.set_num_threads(1)
    threading.Thread(target=_die_with_driver, daemon=True).start()
    _context = Context(
        settings.home,
        device,
        settings.registry,
        news.put,
        lambda: bool(stopping.value),
        settings.checkpoint_seconds,
        settings.fused,
    )


def _die_with_driver() -> None:
    """End this worker when its driver is gone, for example killed."""
    driver = multiprocessing.parent_process()
    if driver:
        driver.join()
        os._exit(1)


def _work_in_worker(job: Job) -> list[StageResult | StageFailure]:
    if _context is None:
        raise RuntimeError("worker was not started by _start_worker")
    return work(job, _context)


def make_executor(
    home: Path, device: str, workers: int, registry: Registry, checkpoint_seconds: float = 10.0
) -> Executor:
    """Return an executor with ``workers`` processes on a CPU or one for each GPU; without a need, this process only."""
    devices = spread(device, workers)
    if len(devices) == 1:
        return InlineExecutor(home, device, registry, checkpoint_seconds)
    return PoolExecutor(home, devices, registry, checkpoint_seconds)
