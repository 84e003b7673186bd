"""Hand jobs to the workers of an executor, and try again what one took along.

If a worker dies, or is silent for too long, only the stage that was worked on fails: what was finished of its job is
kept, and the rest is tried again one by one, each in a new process. The results are those of one process, bit for bit,
because each job computes with one thread.
"""

from __future__ import annotations

import itertools
import pickle
import time
from typing import TYPE_CHECKING, Self

from ablate.interfaces.executor import Begun, Died, Ended, Signed, Task, Told
from ablate.kinds import PROGRAM
from ablate.study.run.executor.blame import blamed
from ablate.study.run.executor.deaths import Part, Running, after_death
from ablate.study.run.executor.local import LOCAL
from ablate.study.run.executor.protocol import Outcome, Working, place
from ablate.study.run.executor.tasks import JobBegun, JobEnded, Shared, Unreadable, pack, read_message
from ablate.study.work.messages import Job, News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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
        registry: the components.
        working: how jobs are worked on.
        about: the record of the executor, for messages.
        fused: whether networks of equal shape are run as one; None is on a GPU only.
    """

    separate = True

    def __init__(
        self,
        executor: Executor,
        registry: Registry,
        working: Working = _AS_USUAL,
        *,
        about: ExecutorSpec = LOCAL,
        fused: bool | None = None,
    ) -> None:
        self._about = about
        self._executor, self.fused, self._limit = executor, fused, working.stall_limit
        self._shared = pickle.dumps(Shared(registry, working.checkpoint_seconds, fused))
        self._waiting, self._running = list[Part](), dict[str, Running]()
        self._numbers = itertools.count(1)
        self._stopping, self._killing, self._has_programs = False, False, False
        self._looked = time.monotonic()

    def __enter__(self) -> Self:
        with blamed(self._about):
            self._executor.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.__exit__(KeyboardInterrupt if self._killing else kind, error, trace)

    @property
    def slots(self) -> int:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        return sum(place.slots for place in self._executor.places()) or 1

    @property
    def busy(self) -> bool:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        return bool(self._waiting or self._running)

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
            events = self._executor.wait(_PAUSE)
        return list(self._take(events, tell, started))

    def stop(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._stopping = True
        self._executor.stop()

    def kill(self) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self.stop()
        self._killing = True

    def _drop(self) -> None:
        """Drop what no worker has begun."""
        self._waiting = []
        for name in [name for name, running in self._running.items() if not running.placed]:
            del self._running[name]
            self._executor.end(name)

    def _assign(self) -> None:
        if not self._waiting:
            return
        most = self.slots + self._executor.backlog
        while self._waiting and len(self._running) < most:
            part = self._waiting.pop(0)
            name = f"{part.job.kind}-{next(self._numbers)}"
            data = pack(self._shared, part.job)
            self._running[name] = Running(part)
            self._executor.submit(Task(name, data, alone=part.alone, supervised=part.job.kind == PROGRAM))

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
                self._executor.end(name)

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
                del self._running[event.task]
                yield Outcome(running.part.job, tuple(running.results), running.fatal)
            elif isinstance(event, Died):
                del self._running[event.task]
                yield from self._bury(running, event)

    def _hear(self, told: Told, running: Running, tell: Callable[[News], None]) -> None:
        message = read_message(told.message)
        if isinstance(message, News):
            tell(message)
        elif isinstance(message, JobBegun):
            running.begun = True
        elif isinstance(message, Unreadable):
            running.fault = f"sent a result that cannot be read ({message.error})"
            self._executor.end(told.task)
        elif isinstance(message, JobEnded):
            running.fatal = message.fatal
        else:
            running.results.append(message)

    def _bury(self, running: Running, died: Died) -> Iterator[Outcome]:
        """Yield the outcome of a task whose worker is gone, and try again what is left of it."""
        if self._stopping:
            yield Outcome(running.part.job, tuple(running.results))
            return
        results, again = after_death(running, died)
        self._waiting[:0] = again
        if results or not again:
            yield Outcome(running.part.job, results)

    def _end_all(self, tell: Callable[[News], None]) -> list[Outcome]:
        """End all tasks, and return what was finished."""
        self._drop()
        for name in self._running:
            self._executor.end(name)
        outcomes: list[Outcome] = []
        deadline = time.monotonic() + 10 * _PAUSE
        while self._running and time.monotonic() < deadline:
            outcomes += self._take(self._executor.wait(_PAUSE), tell)
        outcomes += [Outcome(running.part.job, tuple(running.results)) for running in self._running.values()]
        self._running = {}
        return outcomes
