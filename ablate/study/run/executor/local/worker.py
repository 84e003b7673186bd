"""The driver's side of one worker process: its channel, the tasks that it works on, and its death."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from ablate.errors import HomeError, one_line
from ablate.processes import descendants, own_end
from ablate.study.run.executor.local.process import BEGUN, IDLE, MESSAGE, main
from ablate.study.run.executor.local.shared import Signs
from ablate.study.run.executor.start import signals_blocked

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

    from ablate.interfaces.executor import Task
    from ablate.study.run.executor.local.held import Entry, Held
    from ablate.study.run.executor.local.process import Settings

#: Seconds for which a dead worker's last messages are read, where something that it started keeps its channel open.
_LAST_WORDS = 1.0
#: The exit code that `multiprocessing` gives a process whose end nobody can tell.
_UNTOLD = 255
#: Seconds for which the start of a worker is tried.
_START = 5.0
#: What is heard of a worker: the task that it is about, the first byte, and the rest.
Heard = tuple["Worker", "Entry", bytes, bytes]


class Worker:
    """A process, and the thread that talks with it, so that nothing that it does can hold up the driver.

    The thread takes the next task when one has ended, so that the process need not wait for the driver either.

    Args:
        processes: how it is started.
        device: that it computes on.
        settings: those of all workers.
        stopping: the flag of the driver that all workers read.
        heard: where its messages go.
        held: the tasks that wait.

    Attributes:
        device: that it computes on.
        told: the task whose beginning the driver has heard of, and not its end; the driver changes it.
        was_ended: whether :meth:`kill` was called, or it is given up.
        was_killed: whether somebody else killed it: the system that ran out of memory, or a person; known from
            :meth:`how_it_ended`.
    """

    def __init__(
        self,
        processes: BaseContext,
        device: str,
        settings: Settings,
        stopping: Any,
        heard: queue.Queue[Heard],
        held: Held,
    ) -> None:
        self.device, self._heard, self._held, self._signs = device, heard, held, Signs(processes)
        self._stopping, self._lock = stopping, threading.Lock()
        self._entry: Entry | None = None
        self.told: Entry | None = None
        self.was_ended, self.was_killed = False, False
        self._seen, self._died = (0, 0), 0.0  # of the signs: the task and its progress
        self._first: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        here, there = processes.Pipe()
        self._process: Any = _started(processes, (there, device, settings, stopping, self._signs))
        there.close()
        self._thread = threading.Thread(target=self._converse, args=(here,), daemon=True)
        self._thread.start()

    def begin(self, entry: Entry) -> None:
        """Hand over a task to a worker that has none."""
        self._entry = entry
        self._first.put(entry)

    def _converse(self, connection: Connection) -> None:
        """Send tasks and hear what comes of them, until the worker is dead or dismissed."""
        with connection, contextlib.suppress(EOFError, OSError):
            while (entry := self._first.get()) is not None:
                self._heard.put((self, entry, BEGUN, b""))
                connection.send_bytes(entry.packed())
                while following := self._hear_all(entry, connection):
                    entry = following
                self._heard.put((self, entry, IDLE, b""))

    def _hear_all(self, entry: Entry, connection: Connection) -> Entry | None:
        """Hear all that comes of a task; return the next one, which has begun by then."""
        while (heard := connection.recv_bytes())[:1] == MESSAGE:
            self._heard.put((self, entry, MESSAGE, heard[1:]))
        self._heard.put((self, entry, heard[:1], heard[1:]))
        if following := self._next():
            self._send(following, connection)
            self._heard.put((self, following, BEGUN, b""))
        return following

    def _send(self, entry: Entry, connection: Connection) -> None:
        """Send a task.

        Raises:
            OSError: the process has died since, and not of this task, so another one gets it.
        """
        try:
            connection.send_bytes(entry.packed())
        except OSError:
            with self._lock:
                if self._entry is entry:  # the driver has not given this worker up, which ends the task
                    self._entry = None
                    self._held.put_back(entry)
            raise

    def _next(self) -> Entry | None:
        """Leave the task that has ended, and return the next one, unless the driver has to decide."""
        with self._lock:
            ended, self._entry = self._entry, None
            if not (self.was_ended or self._stopping.value or (ended and ended.task.alone)):
                self._entry = self._held.take([self.device], alone=False)
            return self._entry

    @property
    def task(self) -> Task | None:
        """The task that it works on; the driver may not have heard of it yet."""
        entry = self._entry
        return entry and entry.task

    def sign(self) -> str | None:
        """Return what is or was at work in the task :attr:`told`, if there was progress since the last call."""
        number, changes, doing = self._signs.task, self._signs.changes, self._signs.doing
        if self.told is None or not number == self.told.number == self._signs.task:
            return None
        seen, self._seen = self._seen, (number, changes)
        return None if changes == 0 or seen == self._seen else doing

    def has_ended(self) -> bool:
        """Return whether nothing more will be heard of this worker."""
        if not self._thread.is_alive():
            return True
        if self._process.is_alive():
            return False
        self._died = self._died or time.monotonic()
        return time.monotonic() - self._died > _LAST_WORDS

    def how_it_ended(self) -> str:
        """Return how the worker ended, for people."""
        if self.was_ended:
            return "was ended by ablate"
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
        return own_end(code)

    def end(self, name: str) -> None:
        """Kill the worker if it works on this task."""
        with self._lock:  # it must not begin with another one meanwhile
            if self.task and self.task.name == name:
                self.kill()

    def give_up(self) -> Task | None:
        """Return the task of a worker that has ended; its thread takes no other.

        The end of that task may have been heard, but the ends of all tasks before it have been.
        """
        with self._lock:
            self.was_ended = True
            task, self._entry = self.task, None
            return task

    def kill(self) -> None:
        """Kill the worker and what it has started, unless that ends by itself."""
        self.was_ended = True
        supervised = self.task is not None and self.task.supervised
        children = [] if supervised else descendants(self._process.pid)
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)

    def dismiss(self) -> None:
        """Let the worker end after its task; returns at once."""
        self._first.put(None)

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
