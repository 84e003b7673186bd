"""Hand jobs to worker processes, each with one thread and a device, which is how small models use a CPU best.

Every worker has a channel of its own. If its process dies, or is silent for too long, only the stage that was worked on
fails: what was finished of its job is kept, and the rest is tried again one by one, each in a new process. The results
are those of one process, bit for bit, because each job computes with one thread.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import queue
import time
from typing import TYPE_CHECKING, Any, Self

from ablate.kinds import KINDS, PROGRAM
from ablate.study.run.executor.process import JobBegun, JobEnded, Settings
from ablate.study.run.executor.protocol import Outcome, Working, place
from ablate.study.run.executor.start import processes
from ablate.study.run.executor.worker import Heard, Task, Unreadable, Worker
from ablate.study.work.messages import Job, News, StageFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from ablate.registry import Registry
    from ablate.study.stage import Stage

_log = logging.getLogger(__name__)

#: Messages that wait for the driver; with more, workers wait.
_MOST_HEARD = 256
#: Seconds between two looks at the workers, at most.
_PAUSE = 0.1
#: Kills from outside that a task survives: chance may hit it again, and a stage without enough memory has to end.
_MOST_KILLS = 3
#: Seconds for workers to save their work when the driver ends with an error, and for idle ones to end.
_GRACE, _IDLE_GRACE = 10.0, 2.0
_AS_USUAL = Working()


class PoolExecutor:
    """Worker processes, started when there is work for them.

    Args:
        home: the folder for files.
        devices: one for each worker.
        registry: the components.
        working: how jobs are worked on.
        fused: whether networks of equal shape are run as one; None is on a GPU only.
    """

    separate = True

    def __init__(
        self,
        home: Path,
        devices: Sequence[str],
        registry: Registry,
        working: Working = _AS_USUAL,
        *,
        fused: bool | None = None,
    ) -> None:
        self._processes = processes(len(devices))
        # without a lock, which a worker that is killed at the wrong moment would hold forever
        self._stopping: Any = self._processes.RawValue("b", 0)
        self._killing = False
        self._settings = Settings(home, registry, working.checkpoint_seconds, fused, dict(os.environ))
        self._limit = working.stall_limit
        self.slots, self.fused = len(devices), fused
        self._free, self._tasks = list(devices), list[Task]()
        self._idle, self._busy, self._leaving = list[Worker](), list[Worker](), list[Worker]()
        self._heard: queue.Queue[Heard] = queue.Queue(_MOST_HEARD)
        self._looked = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.value = 1
        for worker in (*self._busy, *self._idle):
            worker.dismiss()
        at_once = self._killing or (kind is not None and not issubclass(kind, Exception))  # Ctrl-C does not wait
        deadline = time.monotonic() + (0.0 if at_once else _GRACE if self._busy else _IDLE_GRACE)
        for worker in (*self._busy, *self._idle, *self._leaving):
            while time.monotonic() < deadline and not worker.has_ended():
                self._take(lambda news: None, pause=_PAUSE / 10)
            worker.join(deadline - time.monotonic())

    @property
    def busy(self) -> bool:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        return bool(self._tasks or self._busy)

    def submit(self, job: Job) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._tasks.insert(place([task.job.kind for task in self._tasks], job.kind), Task(job))

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        if self._killing:
            return self._end_all(tell)
        if self._stopping.value:
            self._tasks = []
        self._assign(started)
        self._limit_silence()
        ended = [worker for worker in (*self._busy, *self._idle) if worker.has_ended()]
        outcomes = self._take(tell)
        return outcomes + [outcome for worker in ended for outcome in self._bury(worker)]

    def stop(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._stopping.value = 1

    def kill(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._stopping.value = 1
        self._killing = True

    def _assign(self, started: Callable[[Job], None]) -> None:
        while self._tasks and (self._free or self._idle):
            task = self._tasks.pop(0)
            worker = self._worker(new=task.alone)
            worker.begin(task)
            self._busy.append(worker)
            if not (task.alone or task.deaths):
                started(task.job)

    def _worker(self, *, new: bool) -> Worker:
        """Return a worker without work; a new one if asked to, or if there is no other."""
        if self._idle and not new:
            return self._idle.pop()
        if not self._free:
            self._retire(self._idle.pop())
        return Worker(self._processes, self._free.pop(), self._settings, self._stopping, self._heard)

    def _retire(self, worker: Worker) -> None:
        worker.dismiss()
        self._leaving.append(worker)
        self._free.append(worker.device)

    def _limit_silence(self) -> None:
        """Kill the workers whose component has shown no progress for too long."""
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, 10 * _PAUSE), now
        for worker in self._busy:
            task = worker.task
            if self._limit and task and task.job.kind != PROGRAM and worker.silence(passed) > self._limit:
                worker.fault = f"showed no progress for {self._limit:g} s, so its process was ended (--stall-limit)"
                worker.stuck = True
                worker.kill()

    def _take(self, tell: Callable[[News], None], pause: float = _PAUSE) -> list[Outcome]:
        """Take what was heard by now, or wait a moment for it; return the outcomes of the jobs that have ended."""
        outcomes: list[Outcome] = []
        try:
            heard = [self._heard.get(timeout=pause)]
            heard += [self._heard.get_nowait() for _ in range(self._heard.qsize())]
        except queue.Empty:
            return outcomes
        for worker, message in heard:
            if worker.task is None:
                continue
            if isinstance(message, News):
                tell(message)
            elif isinstance(message, JobBegun):
                worker.begun = True
            elif isinstance(message, Unreadable):
                worker.fault = f"sent a result that cannot be read ({message.error})"
                worker.kill()
            elif isinstance(message, JobEnded):
                outcomes.append(Outcome(worker.task.job, tuple(worker.results), message.fatal))
                self._release(worker)
            else:
                worker.results.append(message)
        return outcomes

    def _release(self, worker: Worker) -> None:
        """Take a worker that has done its task back."""
        task, worker.task = worker.task, None
        self._busy.remove(worker)
        if task and task.alone:
            self._retire(worker)
        else:
            self._idle.append(worker)

    def _bury(self, worker: Worker) -> Iterator[Outcome]:
        """Give the slot of a worker that has ended to another one, and yield the outcome of its task."""
        for workers in (self._busy, self._idle):
            if worker in workers:
                workers.remove(worker)
                self._free.append(worker.device)
        task, how, worker.task = worker.task, worker.how_it_ended(), None
        if task is None:
            return
        done = {result.stage.fingerprint for result in worker.results}
        left = tuple(stage for stage in task.job.stages if stage.fingerprint not in done)
        if left and not self._stopping.value and task.deaths < self._tries(worker):
            if worker.begun:
                _log.warning("%s: %s; it is tried again", _at_work(worker, left[0]), how)
            job = dataclasses.replace(task.job, stages=left)
            deaths = 1 if worker.results else task.deaths + 1  # with a result, the first one left is another stage
            self._tasks.insert(0, dataclasses.replace(task, job=job, deaths=deaths))
            if worker.results:
                yield Outcome(task.job, tuple(worker.results))
            return
        failed = [] if self._stopping.value else self._failed_with(worker, task, left)
        alone = [] if self._stopping.value else [stage for stage in left if stage not in failed]
        if alone:
            reason = f"{_at_work(worker, left[0])}: {how}"
            _log.warning("%s; %s: what is left of its job is tried one by one", reason, task.job.kind)
        self._tasks[:0] = [
            Task(dataclasses.replace(task.job, stages=(stage,)), alone=True, deaths=0 if index else task.deaths)
            for index, stage in enumerate(alone)
        ]
        failures = [StageFailure(stage, "WorkerDied", f"{_at_work(worker, stage)}: {how}") for stage in failed]
        yield Outcome(task.job, (*worker.results, *failures))

    def _tries(self, worker: Worker) -> int:
        """Return how many workers may die with a task in the way that this one did, before its stages fail."""
        if worker.was_killed:
            return _MOST_KILLS
        return 0 if worker.begun or worker.stuck else 1

    def _failed_with(self, worker: Worker, task: Task, left: Sequence[Stage]) -> list[Stage]:
        """Return the stages that fail with their worker; the others are tried again.

        The first one that is left was worked on, unless they are worked on together. But it may have died of what
        another one did to the process before, and so gets a second chance, which a component that was stuck does not.
        """
        if task.alone or len(task.job.stages) == 1 or not worker.begun:
            return list(left)
        together = KINDS[task.job.kind].jobs == "together"
        return list(left[:1]) if worker.stuck and not together else []

    def _end_all(self, tell: Callable[[News], None]) -> list[Outcome]:
        """Kill all workers, and return what was finished."""
        self._tasks = []
        workers = list(self._busy)
        for worker in workers:
            worker.kill()
        outcomes: list[Outcome] = []
        deadline = time.monotonic() + 10 * _PAUSE
        while time.monotonic() < deadline and not all(worker.has_ended() for worker in workers):
            outcomes += self._take(tell)
        outcomes += self._take(tell)
        return outcomes + [outcome for worker in workers for outcome in self._bury(worker)]


def _at_work(worker: Worker, stage: Stage) -> str:
    """Return the component that was at work, or what can be said of it without its word."""
    metric = stage.config.get("metric", {}).get("name")
    return worker.component or (f"metric '{metric}'" if metric else KINDS[stage.kind].verb)
