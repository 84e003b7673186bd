"""The driver's side of one pilot."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ablate.interfaces.executor import Begun, Died, Ended, Event
from ablate_slurm.log import Reader, Writer
from ablate_slurm.messages import Begin, Bye, End, Hello, Leave, Leaving, Stop
from ablate_slurm.pace import Pace
from ablate_slurm.session import FROM, PLACE, TO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ablate.interfaces.executor import Task
    from ablate_slurm.messages import Message

_log = logging.getLogger(__name__)

#: Seconds that count as silence between two looks, at most: a driver that slept does not blame its pilots.
_MOST = 1.0


class Link:
    """A pilot, as the driver sees it.

    Args:
        folder: of its messages.

    Attributes:
        job: its job, as squeue shows it.
        since: when it was found, on the clock of ``time.monotonic``.
        node: its machine; empty before it has said hello.
        workers: the number of tasks that it takes side by side.
        tasks: those that it has, by their names.
        leaving: whether it takes no more.
        over: whether it has ended by itself.
        why: its job had to end, as it says itself; empty if it says nothing.
        heard: when something came from it last, on the clock of ``time.monotonic``.
        silent: the seconds since then in which it was listened to.
        used: when it had a task last.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._out, self._in, self._pace = folder, Writer(folder, TO), Reader(folder, FROM), Pace()
        self.job, self.node, self.workers = folder.name.rpartition(".")[0], "", 0
        self.tasks: dict[str, Task] = {}
        self._begun, self._ended, self._dropped, self._asked = set[str](), set[str](), set[str](), tuple[str, ...]()
        self._unsent: list[Message] = []
        self._has_complained = False
        self.leaving, self.over, self.why = False, False, ""
        self.since = self.heard = self.used = self._looked = time.monotonic()
        self.silent = 0.0

    @property
    def free(self) -> int:
        """The number of tasks that it could take now."""
        return 0 if self.leaving or self.over else self.workers - len(self.tasks)

    def begin(self, task: Task) -> None:
        """Hand over a task."""
        self.tasks[task.name] = task
        self._tell(Begin(task.name, task.data, alone=task.alone, supervised=task.supervised))

    def end(self, task: str) -> None:
        """Let the worker of a task be killed; one that has not begun, as far as is known, has no event any more."""
        self._ended.add(task)
        if task not in self._begun:
            self._dropped.add(task)
        self._tell(End(task))

    def stop(self) -> None:
        """Ask all tasks to end after their step."""
        self._tell(Stop())

    def dismiss(self) -> None:
        """Let it end."""
        self.leaving = True
        self._tell(Leave())

    def _tell(self, message: Message) -> None:
        self._unsent.append(message)
        self._pace.moved()
        self._send()

    def _send(self) -> None:
        """Write what the pilot has not got; on a full disk, say, it is tried again at the next look."""
        if not self._unsent:
            return
        try:
            self._out.write(self._unsent)
        except FileNotFoundError:  # its folder is gone, so nothing of it matters any more
            pass
        except OSError as error:
            if not self._has_complained:
                _log.warning("cannot write to %s (%s); it is tried again", self._folder, error.strerror or error)
            self._has_complained = True
            return
        self._unsent, self._has_complained = [], False

    def events(self, *, at_once: bool = False) -> Iterator[Event]:
        """Yield what has happened to its tasks, if it is time for a look; all of it if ``at_once``."""
        now = time.monotonic()
        self.silent, self._looked = self.silent + min(now - self._looked, _MOST), now
        if self.over or not (at_once or self._pace.is_due()):
            return
        self._send()
        while messages := self._in.read():
            self.heard, self.silent = time.monotonic(), 0.0
            for message in messages:
                yield from (event for event in self._heard(message) if event.task not in self._dropped)
            if not at_once:
                break
        if self._in.has_more:
            self._pace.again()
        if self.tasks:
            self.used = time.monotonic()

    def _heard(self, message: Message | Event) -> Iterator[Event]:
        if isinstance(message, Hello):
            self.node, self.workers = message.node, message.workers
        elif isinstance(message, Leaving):
            self.leaving = True
        elif isinstance(message, Bye):
            self.over, self._asked, self.why = True, message.asked, message.why
        elif isinstance(message, Event):
            self._follow(message)
            yield message

    def _follow(self, event: Event) -> None:
        """Note which tasks have begun, and which it has no more."""
        if isinstance(event, Begun):
            self._begun.add(event.task)
        elif isinstance(event, Ended | Died):
            self.tasks.pop(event.task, None)
            self._pace.moved()

    def take_back(self) -> list[Task]:
        """Take the tasks back that it will not begin, because it leaves."""
        if not (self.leaving or self.over):
            return []
        back = [task for name, task in self.tasks.items() if name not in self._begun]
        for task in back:
            del self.tasks[task.name]
        return [task for task in back if task.name not in self._dropped]

    def bury(self, how: str) -> Iterator[Event]:
        """Yield the deaths of its tasks: its job is gone."""
        tasks, self.tasks, self.over = self.tasks, {}, True
        for task in tasks:
            if task in self._dropped:
                continue
            if task not in self._begun:  # nobody knows
                yield Begun(task, PLACE)
            if task in self._ended:
                yield Died(task, "was ended by ablate")
            else:
                yield Died(task, how, outside=True, asked=task in self._asked)
