"""Run one job at a time in this process: for Python, where a person's own process computes, and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ablate.engine.devices import one_thread
from ablate.study.run.executor.protocol import AS_USUAL, Outcome, Working
from ablate.study.run.executor.waiting import Waiting
from ablate.study.work.dispatch import work
from ablate.study.work.messages import Context, JobStopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from ablate.errors import HomeError
    from ablate.registry import Registry
    from ablate.study.work.messages import Job, News, StageFailure, StageResult


class InlineExecutor:
    """One job at a time, in this process."""

    slots = 1
    separate = False

    def __init__(self, home: Path, device: str, registry: Registry, working: Working = AS_USUAL) -> None:
        self._home, self._device, self._registry = home, device, registry
        self._seconds = working.checkpoint_seconds
        self._jobs = Waiting["Job"](lambda job: job.kind)
        self._stopping = False

    def __enter__(self) -> Self:
        self._threads = one_thread()
        self._threads.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.__exit__(kind, error, trace)

    @property
    def busy(self) -> bool:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        return bool(self._jobs)

    def submit(self, job: Job) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._jobs.add(job)

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        job = self._jobs.take()
        if self._stopping:
            return [Outcome(job, ())]
        context = Context(self._home, self._device, self._registry, tell, lambda: self._stopping, self._seconds)
        started(job)
        results: list[StageResult | StageFailure] = []
        fatal: HomeError | None = None
        try:
            for result in work(job, context):
                results.append(result)  # noqa: PERF402 - those before an error count
        except JobStopped as stopped:
            fatal = stopped.fatal
        return [Outcome(job, tuple(results), fatal)]

    def stop(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._stopping = True

    def kill(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`; a job in this process ends after its step."""
        self._stopping = True
