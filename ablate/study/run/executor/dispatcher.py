"""Hand jobs to the workers of an executor, and try again what one took along.

If a worker dies, or is silent for too long, only the stage that was worked on fails: what was finished of its job is
kept, and the rest is tried again one by one, each in a new process. The results are those of one process, bit for bit,
because each job computes with one thread.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Self

from ablate.errors import ExecutorError, HomeError, StageError, one_line
from ablate.interfaces.executor import Begun, Died, Ended, Signed, Told
from ablate.kinds import PROGRAM
from ablate.study.run.executor.blame import blamed
from ablate.study.run.executor.deaths import Part, Running, after_death
from ablate.study.run.executor.handing import Handing
from ablate.study.run.executor.hearing import Fault, hear
from ablate.study.run.executor.local import LOCAL
from ablate.study.run.executor.protocol import Outcome, Working, place
from ablate.study.run.executor.tasks import Shared
from ablate.study.work.messages import Job, News, StageFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from ablate.interfaces.executor import Event, Executor
    from ablate.registry import Registry
    from ablate.specs import ExecutorSpec

#: Seconds between two looks at the workers, at most.
_PAUSE = 0.1
_AS_USUAL = Working()


class Dispatcher:
    """Works on jobs by an executor.

    Args:
        executor: brings tasks to workers.
        home: the folder for files.
        registry: the components.
        working: how jobs are worked on.
        about: the record of the executor, for messages.
        own: processes of this machine, for what reads the files of a person, where the executor does not see the home.
        device: that the study computes on, ``"cpu"`` or one of CUDA.
        fused: whether networks of equal shape are run as one; None is on a GPU only.
    """

    separate = True

    def __init__(
        self,
        executor: Executor,
        home: Path,
        registry: Registry,
        working: Working = _AS_USUAL,
        *,
        about: ExecutorSpec = LOCAL,
        own: Executor | None = None,
        device: str = "cpu",
        fused: bool | None = None,
    ) -> None:
        self._about, self._executor, self._home, self.fused = about, executor, home, fused
        self._limit = working.stall_limit
        shared = Shared(registry, working.checkpoint_seconds, fused)
        self._handing = Handing(executor, own, home, shared, device, about)
        self._executors = self._handing.executors
        self._waiting, self._running = list[Part](), dict[str, Running]()
        self._failed: list[Outcome] = []
        self._stopping, self._killing, self._has_programs = False, False, False
        self._looked = time.monotonic()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack, blamed(self._about):
            for executor in self._executors:
                stack.push(self._leaving(executor.__enter__()))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for running in self._running.values():
            running.close()
        self._stack.__exit__(kind, error, trace)

    def _leaving(self, executor: Executor) -> Callable[..., None]:
        """Return what leaves an executor: at once after :meth:`kill`."""
        return lambda kind, error, trace: executor.__exit__(KeyboardInterrupt if self._killing else kind, error, trace)

    @property
    def slots(self) -> int:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        return sum(place.slots for place in self._executor.places()) or 1

    @property
    def busy(self) -> bool:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        return bool(self._waiting or self._running or self._failed)

    def submit(self, job: Job) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._has_programs = self._has_programs or job.kind == PROGRAM
        # without programs, thousands of jobs are not looked through for each one
        kinds = [part.job.kind for part in self._waiting] if self._has_programs else []
        self._waiting.insert(place(kinds, job.kind) if kinds else len(self._waiting), Part(job))

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        if self._killing:
            return self._end_all(tell)
        with blamed(self._about):
            if self._stopping:
                self._drop()
            self._assign()
            self._limit_silence()
            events = self._happened()
        failed, self._failed = self._failed, []
        return [*failed, *self._take(events, tell, started)]

    def _happened(self) -> list[Event]:
        """Return the events of all executors; wait a moment if there are none."""
        return [event for each in self._executors for event in each.wait(_PAUSE / len(self._executors))]

    def stop(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._stopping = True
        for executor in self._executors:
            executor.stop()

    def kill(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self.stop()
        self._killing = True

    def _drop(self) -> None:
        """Drop what no worker has begun."""
        self._waiting = []
        for name in [name for name, running in self._running.items() if not running.placed]:
            self._end(name)
            self._running.pop(name).close()

    def _end(self, name: str) -> None:
        """End a task, whichever executor has it."""
        for executor in self._executors:
            executor.end(name)

    def _assign(self) -> None:
        if not self._waiting:
            return
        most = self.slots + self._executor.backlog
        while self._waiting and len(self._running) < most:
            part = self._waiting.pop(0)
            try:
                name, running = self._handing.hand_over(part)
            except ExecutorError as error:
                self._failed.append(Outcome(part.job, (), error))
            except StageError as error:
                failures = [StageFailure(s, type(error).__name__, one_line(error)) for s in part.job.stages]
                self._failed.append(Outcome(part.job, tuple(failures)))
            else:
                self._running[name] = running

    def _limit_silence(self) -> None:
        """End the tasks whose component has shown no progress for too long.

        Seconds are added up from look to look, so that a driver that slept does not blame its workers for it.
        """
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, 10 * _PAUSE), now
        for name, running in self._running.items():
            if not running.placed or not self._limit or running.fault or running.part.job.kind == PROGRAM:
                continue
            running.silent += passed
            if running.silent > self._limit:
                running.fault = f"showed no progress for {self._limit:g} s, so its process was ended (--stall-limit)"
                running.stuck = True
                self._end(name)

    def _take(
        self, events: Iterable[Event], tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None
    ) -> Iterator[Outcome]:
        """Take what has happened, and yield the outcomes of the jobs that have ended."""
        for event in events:
            running = self._running.get(event.task)
            if running is None:
                continue
            if isinstance(event, Told):
                self._hear(event, running, tell)
            elif isinstance(event, Signed):
                running.doing, running.silent = event.doing, 0.0
            elif isinstance(event, Begun):
                running.placed = True
                if not (running.part.alone or running.part.deaths):
                    started(running.part.job)
            elif isinstance(event, Ended):
                self._running.pop(event.task).close()
                yield Outcome(running.part.job, tuple(running.results), running.fatal)
            elif isinstance(event, Died):
                self._running.pop(event.task).close()
                yield from self._bury(running, event)

    def _hear(self, told: Told, running: Running, tell: Callable[[News], None]) -> None:
        if running.fault or running.fatal:
            return
        try:
            hear(told.message, running, self._home, tell)
        except Fault as fault:
            running.fault = str(fault)
            self._end(told.task)
        except HomeError as error:
            running.fatal = error
            self._end(told.task)

    def _bury(self, running: Running, died: Died) -> Iterator[Outcome]:
        """Yield the outcome of a task whose worker is gone, and try again what is left of it."""
        if self._stopping or running.fatal:
            yield Outcome(running.part.job, tuple(running.results), running.fatal)
            return
        results, again = after_death(running, died)
        self._waiting[:0] = again
        if results or not again:
            yield Outcome(running.part.job, results)

    def _end_all(self, tell: Callable[[News], None]) -> list[Outcome]:
        """End all tasks, and return what was finished."""
        self._drop()
        for name in self._running:
            self._end(name)
        outcomes: list[Outcome] = []
        deadline = time.monotonic() + 10 * _PAUSE
        while self._running and time.monotonic() < deadline:
            outcomes += self._take(self._happened(), tell)
        outcomes += [Outcome(running.part.job, tuple(running.results)) for running in self._running.values()]
        self._running = {}
        return outcomes
