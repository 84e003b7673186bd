"""Submit tasks to an executor and keep its events, for its contract."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.interfaces.executor import Died, Ended, Event, Noted, Signed, Task, Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.interfaces.executor import Executor


class Log:
    """Submits tasks to an executor, and keeps its events.

    Args:
        executor: entered.
        seconds: the longest time to wait for an event.

    Attributes:
        events: all events so far.
        open: the names of the tasks that have no last event.
    """

    def __init__(self, executor: Executor, seconds: float) -> None:
        self._executor, self._seconds = executor, seconds
        self.events: list[Event] = []
        self.open: set[str] = set()

    def submit(
        self, what: str, *arguments: str, name: str = "", alone: bool = False, inputs: tuple[str, ...] = ()
    ) -> str:
        """Submit one of the tasks of :mod:`ablate.testing.executor_work`; return its name."""
        name = name or what
        self.open.add(name)
        self._executor.submit(Task(name, json.dumps([what, *arguments]).encode(), alone=alone, inputs=inputs))
        return name

    def until(self, condition: Callable[[], bool]) -> None:
        """Take events until a condition holds."""
        deadline = time.monotonic() + self._seconds
        while not condition():
            assert time.monotonic() < deadline, f"nothing happened for {self._seconds:g} s; still open: {self.open}"
            if self._take(0.1):
                deadline = time.monotonic() + self._seconds

    def until_over(self) -> None:
        """Take events until every task has had its last one."""
        self.until(lambda: not self.open)

    def settle(self) -> None:
        """Take events until none comes for a moment."""
        while self._take(0.3):
            pass

    def _take(self, seconds: float) -> bool:
        events = self._executor.wait(seconds)
        for event in events:
            self.events.append(event)
            if isinstance(event, Noted):
                assert len(event.text.splitlines()) == 1, f"a note is not one line: {event.text!r}"
            if isinstance(event, Ended | Died):
                assert event.task in self.open, f"task '{event.task}' has two last events"
                self.open.discard(event.task)
        return any(not isinstance(event, Signed | Noted) for event in events)

    def of(self, task: str, kind: type[Any]) -> list[Any]:
        """Return the events of a type of a task."""
        return [event for event in self.events if event.task == task and isinstance(event, kind)]

    def told(self, task: str) -> Any:
        """Return the first message of a task."""
        messages = self.of(task, Told)
        assert messages, f"task '{task}' has sent nothing: {[event for event in self.events if event.task == task]}"
        return json.loads(messages[0].message)

    def died(self, task: str) -> Died:
        """Return the death of a task."""
        deaths: list[Died] = self.of(task, Died)
        assert deaths, f"task '{task}' has ended as if it were done"
        return deaths[0]


def runs(where: tuple[str, int, str, Any]) -> bool:
    """Return whether a process of this machine runs; of another one nobody knows."""
    machine, process, *_ = where
    if machine != socket.gethostname():
        return False
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        with contextlib.suppress(OSError):
            os.kill(process, 0)
            return not Path("/proc").is_dir()
        return False
    return state not in "ZX"
