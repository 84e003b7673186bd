"""The driver's side of one pilot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ablate.interfaces.executor import Died, Ended, Signed, Told
from ablate_slurm.log import Reader, Writer
from ablate_slurm.messages import (
    Begin,
    Bye,
    End,
    Hello,
    Leave,
    Leaving,
    Stop,
    TaskDied,
    TaskEnded,
    TaskSigned,
    TaskTold,
)
from ablate_slurm.pace import Pace
from ablate_slurm.session import FROM, TO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ablate.interfaces.executor import Event, Task
    from ablate_slurm.messages import Message


class Link:
    """A pilot, as the driver sees it.

    Args:
        folder: of its messages.

    Attributes:
        job: its job, as squeue shows it.
        since: when it was found, on the clock of ``time.monotonic``.
        node: its machine; empty before it has said hello.
        workers: the number of tasks that it takes side by side.
        tasks: the names of those that it has.
        leaving: whether it takes no more.
        over: whether it has ended by itself.
        heard: when something came from it last, on the clock of ``time.monotonic``.
        used: when it had a task last.
    """

    def __init__(self, folder: Path) -> None:
        self._out, self._in, self._pace = Writer(folder, TO), Reader(folder, FROM), Pace()
        self.job, self.node, self.workers = folder.name.rpartition(".")[0], "", 0
        self.tasks: list[str] = []
        self._ended, self._asked = set[str](), tuple[str, ...]()
        self.leaving, self.over = False, False
        self.since = self.heard = self.used = time.monotonic()

    @property
    def free(self) -> int:
        """The number of tasks that it could take now."""
        return 0 if self.leaving or self.over else self.workers - len(self.tasks)

    def begin(self, task: Task) -> None:
        """Hand over a task."""
        self.tasks.append(task.name)
        self._tell(Begin(task.name, task.data, alone=task.alone, supervised=task.supervised))

    def end(self, task: str) -> None:
        """Let the worker of a task be killed."""
        self._ended.add(task)
        self._tell(End(task))

    def stop(self) -> None:
        """Ask all tasks to end after their step."""
        self._tell(Stop())

    def dismiss(self) -> None:
        """Let it end."""
        self.leaving = True
        self._tell(Leave())

    def _tell(self, message: Message) -> None:
        self._out.write([message])
        self._pace.moved()

    def events(self, *, at_once: bool = False) -> Iterator[Event]:
        """Yield what has happened to its tasks, if it is time for a look."""
        if self.over or not (at_once or self._pace.is_due()):
            return
        messages = self._in.read()
        if messages:
            self.heard = time.monotonic()
        for message in messages:
            yield from self._heard(message)
        if self.tasks:
            self.used = time.monotonic()

    def _heard(self, message: Message) -> Iterator[Event]:
        if isinstance(message, Hello):
            self.node, self.workers = message.node, message.workers
        elif isinstance(message, Leaving):
            self.leaving = True
        elif isinstance(message, Bye):
            self.over, self._asked = True, message.asked
        elif isinstance(message, TaskTold):
            yield Told(message.task, message.message)
        elif isinstance(message, TaskSigned):
            yield Signed(message.task, message.doing)
        elif isinstance(message, TaskEnded):
            self._remove(message.task)
            yield Ended(message.task)
        elif isinstance(message, TaskDied):
            self._remove(message.task)
            yield Died(message.task, message.how, outside=message.outside, asked=message.asked)

    def _remove(self, task: str) -> None:
        self.tasks.remove(task)
        self._pace.moved()

    def bury(self, how: str) -> Iterator[Event]:
        """Yield the deaths of its tasks: its job is gone."""
        tasks, self.tasks, self.over = self.tasks, [], True
        for task in tasks:
            if task in self._ended:
                yield Died(task, "was ended by ablate")
            else:
                yield Died(task, how, outside=True, asked=task in self._asked)
