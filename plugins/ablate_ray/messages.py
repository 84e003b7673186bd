"""Messages between the driver and the process that talks with Ray for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.interfaces.executor import Place, Task
    from ablate.processes import NamedWork
    from ablate_ray.options import RayOptions


class Start(NamedTuple):
    """The first message: the purpose.

    Attributes:
        options: of the executor.
        work: the function that workers call.
        home: the driver's.
        device: ``"cpu"`` or one of CUDA.
        workers: the number of tasks at once on a Ray that is started for this run.
    """

    options: RayOptions
    work: NamedWork
    home: str
    device: str
    workers: int


class Put(NamedTuple):
    """A content for the tasks to come, and the file that has it."""

    digest: str
    path: str


class Submit(NamedTuple):
    """A task."""

    task: Task


class End(NamedTuple):
    """The name of a task that is to end."""

    task: str


class Stop:
    """All tasks end after their current step."""


class Leave(NamedTuple):
    """The last message: all ends, after some seconds for tasks to end after their step."""

    seconds: float


class Places(NamedTuple):
    """The places, when they have changed; the first message in the other direction."""

    places: Sequence[Place]


class Failed(NamedTuple):
    """The executor cannot continue: an error for people. Other messages in this direction are lists of events."""

    text: str


Command = Start | Put | Submit | End | Stop | Leave
Report = Places | Failed
