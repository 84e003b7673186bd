"""Executors: they bring the work of a study to processes, on this machine or on others.

An executor knows nothing of studies. It brings tasks, which are bytes, to workers, calls a function there, and brings
messages back. ``ablate`` decides what is in a task and in a message, in which order tasks are submitted, and what
happens after the death of a worker; and only the driver, the process of the command, writes files and database.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType


@dataclasses.dataclass(frozen=True)
class Resources:
    """The needs of a task at its place.

    Attributes:
        cores: the number of CPU cores.
        gpus: the number of GPUs; 0.5 where two tasks share one.
        memory: bytes; 0 where it is not known.
    """

    cores: int = 1
    gpus: float = 0.0
    memory: int = 0


@dataclasses.dataclass(frozen=True)
class Place:
    """A place where tasks run.

    Attributes:
        name: of the machine, and what else tells the place from the others.
        device: a torch device (``"cpu"``, ``"cuda:0"``).
        slots: the number of tasks that can run there side by side, 1 or more.
    """

    name: str
    device: str = "cpu"
    slots: int = 1


@dataclasses.dataclass(frozen=True)
class Task:
    """Work for one worker.

    Attributes:
        name: unique among the tasks of an executor: lower-case letters, digits and hyphens (``"train-12"``).
        data: for the function that the worker calls.
        resources: that it needs.
        inputs: the digests of the contents that it fetches; each was put before (:meth:`Executor.put`).
        alone: whether it needs a process that has done nothing before it and does nothing after it.
        supervised: whether the processes that it starts end by themselves when its own has ended: whoever kills the
            worker must leave them alone.
    """

    name: str
    data: bytes
    resources: Resources = Resources()
    inputs: tuple[str, ...] = ()
    alone: bool = False
    supervised: bool = False


class Channel(Protocol):
    """The worker's side of a task: its only way to the driver.

    Attributes:
        device: the torch device of its place.
        home: the driver's home, where files are read and written in place; None if it is not seen from here.
    """

    device: str
    home: Path | None

    def send(self, message: bytes) -> None:
        """Send a message; those of a task arrive in order, each once."""

    def sign(self, doing: str) -> None:
        """Show that there is progress, and what is at work (up to 400 bytes of text); it costs next to nothing.

        The driver gets the last sign also if this process has died since, as far as the executor can know it.
        """

    def fetch(self, digest: str) -> bytes:
        """Return a content that the task has among its inputs.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def should_stop(self) -> bool:
        """Return whether the driver wants the task to end after its current step."""
        ...


#: The function that a worker calls for each task, as ``work(task.data, channel)``; the task ends when it returns. It is
#: a function of a module, so that other processes can import it by its name.
Work = "Callable[[bytes, Channel], None]"


@dataclasses.dataclass(frozen=True)
class Setup:
    """The purpose of an executor, besides its options.

    Attributes:
        work: the function that workers call for each task.
        home: the driver's home, an existing folder.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        workers: the most tasks that are worth running side by side on one machine.
    """

    work: Callable[[bytes, Channel], None]
    home: Path
    device: str = "cpu"
    workers: int = 1


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that has happened to a task; ``task`` is its name."""

    task: str


@dataclasses.dataclass(frozen=True)
class Noted(Event):
    """A line for the person who waits (``"3 jobs wait in the queue: Resources"``), shown once for each text.

    ``task`` is empty where it is about no certain task.
    """

    text: str


@dataclasses.dataclass(frozen=True)
class Begun(Event):
    """A worker gets the task: the first event of it; ``place`` is the name of the place."""

    place: str


@dataclasses.dataclass(frozen=True)
class Told(Event):
    """A message of the task."""

    message: bytes


@dataclasses.dataclass(frozen=True)
class Signed(Event):
    """The task has shown progress since the last event of this type; ``doing`` is what is at work."""

    doing: str


@dataclasses.dataclass(frozen=True)
class Ended(Event):
    """The task is done: the last event of it."""


@dataclasses.dataclass(frozen=True)
class Died(Event):
    """The task has ended before it was done: the last event of it.

    Attributes:
        how: for people, as the end of a sentence (``"its process died of SIGSEGV"``).
        outside: whether somebody else ended its worker: the system, a scheduler, a machine that is gone.
        asked: whether the task ended after its step because its place, which has to be given back, asked it to. A task
            that has got further since the time before may do so any number of times.
    """

    how: str
    outside: bool = False
    asked: bool = False


class Executor(abc.ABC):
    """Brings tasks to workers and messages back; one thread uses it.

    A task begins when its place has what it needs, in the order of submission. It has exactly one last event,
    :class:`Ended` or :class:`Died`. An executor never runs a task twice: the driver decides what happens after a death.

    Attributes:
        shares_home: whether every worker sees the driver's home, which is checked before it works. Otherwise contents
            travel, through :meth:`put`.
        same_installation: whether the workers use the Python and the packages of the driver itself, so that nobody has
            to compare versions.
        backlog: the number of tasks that the executor holds besides those that run, so that no worker waits.
    """

    shares_home: bool = False
    same_installation: bool = False
    backlog: int = 0

    @abc.abstractmethod
    def __enter__(self) -> Self:
        """Connect, and check the places.

        Raises:
            AblateError: it cannot be used; the message describes what to do.
        """

    @abc.abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all workers, and give back what was taken.

        Tasks that run get some seconds to end after their step, but none if ``kind`` is no :class:`Exception`, as
        :class:`KeyboardInterrupt`.
        """

    @abc.abstractmethod
    def places(self) -> Sequence[Place]:
        """Return where tasks can run; called often, and only while the executor is entered.

        Places that a scheduler will give count as well. There may be none at first: tasks then wait.
        """

    @abc.abstractmethod
    def put(self, digest: str, path: Path) -> None:
        """Keep the content of a file for the tasks to come; nothing is done for one that is kept already.

        Args:
            digest: of the content, a text without spaces.
            path: of the file, which is not changed while tasks need it.
        """

    @abc.abstractmethod
    def submit(self, task: Task) -> None:
        """Add a task."""

    @abc.abstractmethod
    def wait(self, seconds: float) -> list[Event]:
        """Return the events since the last call, in order for each task; wait up to some seconds for the first one."""

    @abc.abstractmethod
    def end(self, task: str) -> None:
        """Kill the worker of a task, whose last event follows; drop a task that has not begun, without an event."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Ask all tasks to end after their current step; only sets a flag, so that a signal handler may call it."""
