"""The pilot's side of one worker: a process, its channel, and its death."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from ablate.interfaces.executor import Died, Ended, Signed, Told
from ablate.processes import descendants, own_end
from ablate_slurm.node.signs import Signs, new_memory
from ablate_slurm.node.worker import END, LEFT_TO_PILOT, MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from multiprocessing.connection import Connection
    from pathlib import Path

    from ablate.interfaces.executor import Event
    from ablate_slurm.messages import Begin

_KILLED = "its process was killed (SIGKILL); the job may have run out of memory (--set executor.slurm.memory=...)"
#: Seconds between two signs of progress that are passed on, at least.
_BETWEEN = 0.5
#: Seconds for a process to end that has closed its channel; and for one that is dismissed, to tidy up.
_LAST_WORDS, _GOODBYE = 1.0, 2.0


class WorkerProcess:
    """One worker.

    Args:
        session: the folder that is shared with the driver.
        environment: of the process.

    Attributes:
        task: that it works on.
        connection: to it.
    """

    def __init__(self, session: Path, environment: Mapping[str, str]) -> None:
        self.task: Begin | None = None
        self.connection: Connection
        self.connection, there = multiprocessing.Pipe()
        memory = new_memory()
        self._signs, self._changes, self._signed = Signs(memory), 0, 0.0
        self._was_ended, self._was_asked, self._closed = False, "", False
        self._until = 0.0
        self._sender: threading.Thread | None = None
        words = [str(session), str(there.fileno()), str(memory)]
        self._process = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-P", "-m", "ablate_slurm.node.worker", *words],
            pass_fds=(there.fileno(), memory),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
        )
        there.close()
        os.close(memory)

    def begin(self, task: Begin, *, stopping: bool) -> None:
        """Hand over a task; a worker that still imports takes a large one later, so a thread sends it."""
        self.task = task
        self._signs.stop(stopping)
        self._sender = threading.Thread(target=self._send, args=(task.data,), daemon=True)
        self._sender.start()

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it has died, and its end is noticed
            self.connection.send_bytes(data)

    def stop(self) -> None:
        """Ask the task to end after its step, because the driver wants it."""
        self._signs.stop(True)

    def ask_to_leave(self, why: str) -> None:
        """Ask the task to end after its step, because this job has to end."""
        self._was_asked = why
        self._signs.stop(True)

    def events(self, room: int) -> Iterator[Event]:
        """Yield what has happened; when the worker has gone, :attr:`gone` is true afterwards.

        Args:
            room: the bytes after which the rest is left for the next call; the worker waits when its channel is full.
        """
        gone = self.gone  # before its last messages are read
        try:
            while room > 0 and self.connection.poll():
                data = self.connection.recv_bytes()
                room -= len(data)
                yield from self._heard(data[:1], data[1:])
        except (EOFError, OSError):
            gone = self._has_closed()
        if room <= 0:
            return
        yield from self._progress(at_once=gone)
        if gone and self.task:
            task, self.task = self.task.task, None
            how, outside = self._how_it_ended()
            yield Died(task, how, outside=outside)

    def _has_closed(self) -> bool:
        """Wait for the end of a process whose channel is closed; one that only closed it is killed."""
        try:
            self._process.wait(_LAST_WORDS)
        except subprocess.TimeoutExpired:
            self._closed = True
            self._process.kill()
            self._process.wait()
        return True

    def _heard(self, kind: bytes, data: bytes) -> Iterator[Event]:
        if not self.task:
            return
        task = self.task.task
        if kind == MESSAGE:
            yield Told(task, data)
            return
        yield from self._progress(at_once=True)
        self.task = None
        if kind == END:
            # a task that was asked to end early has perhaps not done everything
            yield Died(task, self._was_asked, outside=True, asked=True) if self._was_asked else Ended(task)
        else:
            yield Died(task, f"raised {data.decode(errors='replace')}")

    def _progress(self, *, at_once: bool) -> Iterator[Event]:
        changes, now = self._signs.changes, time.monotonic()
        if self.task and changes != self._changes and (at_once or now - self._signed >= _BETWEEN):
            self._changes, self._signed = changes, now
            yield Signed(self.task.task, self._signs.doing)

    @property
    def gone(self) -> bool:
        """True when the process has ended."""
        return self._process.poll() is not None

    def _how_it_ended(self) -> tuple[str, bool]:
        """Return how the worker ended, for people, and whether somebody else ended it."""
        code = self._process.wait()
        if self._was_ended:
            return "was ended by ablate", False
        if self._closed:
            return "closed the channel of its process to ablate", False
        if code == -signal.SIGKILL:
            return _KILLED, True
        if -code in LEFT_TO_PILOT:  # it handles them, but not while it starts
            return f"its process was ended by {signal.Signals(-code).name} while it started", True
        return own_end(code), False

    def kill(self) -> None:
        """Kill the worker and what it has started, unless that ends by itself."""
        self._was_ended = True
        children = [] if self.task and self.task.supervised else descendants(self._process.pid)
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)

    def dismiss(self) -> None:
        """Let the worker end by itself, so that it tidies up; one that has a task is killed."""
        if self.task:
            self.kill()
        if self._sender:
            self._sender.join(_LAST_WORDS)
        self.connection.close()
        self._until = time.monotonic() + _GOODBYE

    def has_left(self) -> bool:
        """Return whether a worker that was dismissed has gone; one that takes too long is killed."""
        if not self.gone and time.monotonic() > self._until:
            self.kill()
            self._process.wait()
        return self.gone
