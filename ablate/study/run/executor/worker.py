"""The driver's side of one worker process: its channel, the job that it works on, its death and its silence."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import HomeError, one_line
from ablate.kinds import PROGRAM
from ablate.study.run.executor.process import JobBegun, JobEnded, main
from ablate.study.run.executor.shared import Signs
from ablate.study.run.executor.start import signals_blocked

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from ablate.study.run.executor.process import Settings
    from ablate.study.work.messages import Job, News, StageFailure, StageResult

#: Seconds for which a dead worker's last messages are read, where something that it started keeps its channel open.
_LAST_WORDS = 1.0
#: The exit code that `multiprocessing` gives a process whose end nobody can tell.
_UNTOLD = 255
#: Signals that compiled code gets for what it has done itself.
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, getattr(signal, "SIGBUS", signal.SIGSEGV)}
#: Seconds for which the start of a worker is tried.
_START = 5.0


@dataclasses.dataclass(frozen=True)
class Task:
    """A job to hand to a worker.

    Attributes:
        job: one that was submitted, or a part of one that took its worker along.
        alone: whether it is such a part, and needs a new process to itself.
        deaths: how many workers died with it, killed from outside or before they began.
    """

    job: Job
    alone: bool = False
    deaths: int = 0


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """A message that cannot be read."""

    error: str


#: What is heard of a worker.
Heard = tuple["Worker", "News | StageResult | StageFailure | JobBegun | JobEnded | Unreadable"]


class Worker:
    """A process, and the thread that talks with it, so that nothing that it does can hold up the driver.

    Args:
        processes: how it is started.
        device: that it computes on.
        settings: those of all workers.
        stopping: the flag of the driver that all workers read.
        heard: where its messages go.

    Attributes:
        task: that it works on.
        results: those of the task so far.
        fault: why the driver killed it; empty if it did not.
        stuck: whether this was for its silence.
        was_killed: whether somebody else killed it: the system that ran out of memory, or a person; known from
            :meth:`how_it_ended`.
    """

    def __init__(
        self, processes: BaseContext, device: str, settings: Settings, stopping: Any, heard: queue.Queue[Heard]
    ) -> None:
        self.device, self._heard, self._signs = device, heard, Signs(processes)
        self.task: Task | None = None
        self.results: list[StageResult | StageFailure] = []
        self.begun, self.stuck, self.was_killed, self.fault = False, False, False, ""
        self._changes, self._silent, self._died = 0, 0.0, 0.0
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        here, there = processes.Pipe()
        self._process: Any = _started(processes, (there, device, settings, stopping, self._signs))
        there.close()
        self._thread = threading.Thread(target=self._converse, args=(here,), daemon=True)
        self._thread.start()

    def begin(self, task: Task) -> None:
        """Hand over a task."""
        self.task, self.results, self.begun, self._silent = task, [], False, 0.0
        self._jobs.put(task.job)

    def _converse(self, connection: Connection) -> None:
        """Send jobs and hear what comes of them, until the worker is dead or dismissed."""
        with connection, contextlib.suppress(EOFError, OSError):
            while (job := self._jobs.get()) is not None:
                connection.send(job)
                while not self._hear(connection):
                    pass

    def _hear(self, connection: Connection) -> bool:
        """Hear one message; return whether it is the end of a job."""
        message: Any
        try:
            message = connection.recv()
        except (EOFError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - the message may hold anything of a component
            message = Unreadable(f"{type(error).__name__}: {one_line(error)}")
        self._heard.put((self, message))
        return isinstance(message, JobEnded)

    @property
    def component(self) -> str:
        """The component that is or was at work; empty without one."""
        return self._signs.component

    def silence(self, passed: float) -> float:
        """Return for how many seconds there was no sign of progress, with those that have passed since the last call.

        They are added up, so that a driver that slept does not blame its workers for it.
        """
        changes = self._signs.changes
        self._silent = self._silent + passed if changes == self._changes else 0.0
        self._changes = changes
        return self._silent

    def has_ended(self) -> bool:
        """Return whether nothing more will be heard of this worker."""
        if not self._thread.is_alive():
            return True
        if self._process.is_alive():
            return False
        self._died = self._died or time.monotonic()
        return time.monotonic() - self._died > _LAST_WORDS

    def how_it_ended(self) -> str:
        """Return how the worker ended, or why the driver killed it; for people."""
        if self.fault:
            return self.fault
        self._process.join(_LAST_WORDS)
        code = self._process.exitcode
        if code is None:
            self.kill()
            return "closed the channel of its process to ablate"
        if code == _UNTOLD:  # who started it would know its end, and is gone; or a component has left with this status
            self.was_killed = True
            if self._thread.is_alive():  # it still holds its channel
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process.pid, signal.SIGKILL)
            return "was ended, or the process that starts workers was killed (status 255)"
        if code == -signal.SIGKILL:
            self.was_killed = True
            return "its process was killed (SIGKILL); the system may have run out of memory (try fewer --workers)"
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            crash = " (a crash in compiled code)" if -code in _CRASHES else ""
            return f"its process died of {name}{crash}"
        return f"ended its process with status {code}"

    def kill(self) -> None:
        """Kill the worker and what its component has started; a program's supervisor ends with the worker."""
        runs_program = self.task is not None and self.task.job.kind == PROGRAM
        children = [] if runs_program else _descendants(self._process.pid)
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)

    def dismiss(self) -> None:
        """Let the worker end after its job; returns at once."""
        self._jobs.put(None)

    def join(self, seconds: float) -> None:
        """Wait for a worker that was dismissed or killed, and kill it if it takes longer."""
        self._process.join(max(seconds, 0.0))
        if self._process.exitcode is None:
            self.kill()
            self._process.join(_LAST_WORDS)


def _started(processes: BaseContext, arguments: tuple[Any, ...]) -> Any:
    """Return a process that has been started; it is tried again if the process that starts it was just killed.

    Raises:
        HomeError: no process can be started.
    """
    deadline = time.monotonic() + _START
    while True:
        process: Any = processes.Process(target=main, args=arguments)  # type: ignore[attr-defined]
        try:
            with signals_blocked():
                process.start()
        except (EOFError, OSError) as error:
            if time.monotonic() > deadline:
                reason = one_line(error) or type(error).__name__
                raise HomeError(f"cannot start a worker process: {reason}; try again, with fewer --workers") from error
            time.sleep(0.1)
        else:
            return process


def _descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started; only Linux tells."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in tasks.read_text().split()]
    return [each for child in found for each in (child, *_descendants(child))]
