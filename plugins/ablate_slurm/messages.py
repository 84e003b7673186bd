"""The messages between a driver and its pilots; what comes of a task are the events of every executor."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Message:
    """A message of either side."""


@dataclasses.dataclass(frozen=True)
class Begin(Message):
    """The driver hands over a task; see :class:`ablate.interfaces.executor.Task`."""

    task: str
    data: bytes
    alone: bool = False
    supervised: bool = False


@dataclasses.dataclass(frozen=True)
class End(Message):
    """The driver wants the worker of a task to be killed."""

    task: str


@dataclasses.dataclass(frozen=True)
class Stop(Message):
    """The driver wants all tasks, also those to come, to end after their step."""


@dataclasses.dataclass(frozen=True)
class Leave(Message):
    """The driver needs this pilot no more."""


@dataclasses.dataclass(frozen=True)
class Hello(Message):
    """A pilot takes tasks.

    Attributes:
        node: the machine.
        workers: the number of tasks that it takes side by side.
    """

    node: str
    workers: int


@dataclasses.dataclass(frozen=True)
class Beat(Message):
    """A pilot lives."""


@dataclasses.dataclass(frozen=True)
class Leaving(Message):
    """A pilot begins no more tasks, because its job has to end; those that it has not begun are the driver's again."""


@dataclasses.dataclass(frozen=True)
class Bye(Message):
    """A pilot ends: its last message. Tasks without an end have died with their job.

    Attributes:
        asked: the tasks among them that have ended after their step, because they were asked to.
        why: its job has to end; empty if the driver wanted it.
    """

    asked: tuple[str, ...] = ()
    why: str = ""
