"""Hand jobs to the workers of an executor, and try again what one took along.

If a worker dies, or is silent for too long, only the stage that was worked on fails: what was finished of its job is
kept, and the rest is tried again one by one, each in a new process. The results are those of one process, bit for bit,
because each job computes with one thread.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Self

from ablate.errors import ExecutorError, HomeError, StageError, listed_names, one_line
from ablate.interfaces.executor import Begun, Died, Ended, Noted, Signed, Told
from ablate.study.run.executor.blame import blamed
from ablate.study.run.executor.deaths import Part, Running, after_death
from ablate.study.run.executor.handing import Handing
from ablate.study.run.executor.hearing import Fault, Notes, hear
from ablate.study.run.executor.local import LOCAL
from ablate.study.run.executor.places import slots_for, suited
from ablate.study.run.executor.protocol import AS_USUAL, Outcome, Working
from ablate.study.run.executor.silence import Silence
from ablate.study.run.executor.tasks import Shared
from ablate.study.run.executor.transfer.seen import new_proof, shown
from ablate.study.run.executor.waiting import Waiting
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
    """

    separate = True

    def __init__(
        self,
        executor: Executor,
        home: Path,
        registry: Registry,
        working: Working = AS_USUAL,
        *,
        about: ExecutorSpec = LOCAL,
        own: Executor | None = None,
        device: str = "cpu",
    ) -> None:
        self._about, self._executor, self._home = about, executor, home
        self._notes, self._silence = Notes(about), Silence(working.stall_limit)
        # nobody doubts that processes of this machine see a home of this machine
        self._proof = new_proof() if executor.shares_home and about is not LOCAL else None
        shared = Shared(registry, working.checkpoint_seconds, proof=self._proof)
        self._handing = Handing(executor, own, home, shared, device, about)
        self._executors = self._handing.executors
        # what needs a GPU and what does not wait for different places
        self._waiting = {gpus: Waiting[Part](lambda part: part.job.kind) for gpus in (1.0, 0.0)}
        self._running: dict[str, Running] = {}
        self._failed: list[Outcome] = []
        self._stopping, self._killing, self._checked = False, False, not own

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack, blamed(self._about):
            if self._proof:
                stack.enter_context(shown(self._proof, self._home))
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
        return slots_for(self._executor.places(), float(self._handing.on_gpu))

    @property
    def busy(self) -> bool:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        working = any(running.part.job.stages for running in self._running.values())  # and not only checked
        return bool(any(self._waiting.values()) or self._failed or working)

    def submit(self, job: Job) -> None:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        self._waiting[self._handing.gpus(job)].add(Part(job))

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """See :class:`~ablate.study.run.executor.protocol.Executor`."""
        if self._killing:
            return self._end_all(tell)
        with blamed(self._about):
            if self._stopping:
                self._drop()
            self._assign()
            for name in self._silence.look(self._running):
                self._end(name)
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
        for waiting in self._waiting.values():
            waiting.clear()
        for name in [name for name, running in self._running.items() if not running.placed]:
            self._end(name)
            self._running.pop(name).close()

    def _end(self, name: str) -> None:
        """End a task, whichever executor has it."""
        for executor in self._executors:
            executor.end(name)

    def _assign(self) -> None:
        places = self._executor.places()
        held = any(running.gpus and not running.placed for running in self._running.values())
        if places and not suited((place.device for place in places), 1.0) and (held or self._waiting[1.0]):
            names = listed_names([place.name for place in places])
            raise ExecutorError(f"{self._about.about} has no place with a GPU, but {names}; use --device cpu")
        if not any(self._waiting.values()):
            return
        if not self._checked:  # this machine works meanwhile, and the others may come late
            name, running = self._handing.check()
            self._running[name], self._checked = running, True
        for gpus, waiting in self._waiting.items():
            most = slots_for(places, gpus) + self._executor.backlog
            count = sum(running.gpus == gpus for running in self._running.values()) if waiting else 0
            for _ in range(min(most - count, len(waiting))):
                self._hand_over(waiting.take())

    def _hand_over(self, part: Part) -> None:
        try:
            name, running = self._handing.hand_over(part)
        except ExecutorError as error:
            self._failed.append(Outcome(part.job, (), error))
        except StageError as error:
            failures = [StageFailure(s, type(error).__name__, one_line(error)) for s in part.job.stages]
            self._failed.append(Outcome(part.job, tuple(failures)))
        else:
            self._running[name] = running

    def _take(
        self, events: Iterable[Event], tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None
    ) -> Iterator[Outcome]:
        """Take what has happened, and yield the outcomes of the jobs that have ended."""
        for event in events:
            running = self._running.get(event.task)
            if isinstance(event, Noted):
                self._notes.show(event.text)
            elif running is None:
                continue
            elif isinstance(event, Told):
                self._hear(event, running, tell)
            elif isinstance(event, Signed):
                running.doing, running.silent = event.doing, 0.0
            elif isinstance(event, Begun):
                running.placed = True
                if running.part.job.stages and not running.part.again:
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
            hear(told.message, running, self._home, tell, self._notes)
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
        self._waiting[running.gpus].put_back(again)
        if not again and running.foreign and not (running.begun or died.outside or running.fault):
            text = f"{self._about.about}: a worker has ended before it could begin to work: {died.how}"
            yield Outcome(running.part.job, (), ExecutorError(text))
        elif results or not again:
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
