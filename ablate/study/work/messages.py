"""Messages between the driver and its workers: jobs, their progress, and the results of their stages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ablate.errors import HomeError
    from ablate.interfaces import Histogram, Value
    from ablate.registry import Registry
    from ablate.study.stage import Stage

G = TypeVar("G")


@dataclasses.dataclass(frozen=True)
class Job:
    """Stages of one kind for one worker: one stage, fused trainings, or generations that share their steps.

    Attributes:
        kind: of the stages.
        stages: in order.
        files: the digests of the files of each stage that they read, by its fingerprint; empty where none are recorded.
        fused: whether networks of equal shape are run as one.
    """

    kind: str
    stages: tuple[Stage, ...]
    files: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    fused: bool = False


@dataclasses.dataclass(frozen=True)
class LoggedStep:
    """A step of a training, for observers; ``fingerprint`` is that of its stage.

    The other attributes are those of :class:`ablate.events.StepLogged`.
    """

    fingerprint: str
    step: int
    steps: int
    loss: float
    tokens_seen: int
    seconds: float
    validation: tuple[int, float] | None = None


@dataclasses.dataclass(frozen=True)
class News:
    """Progress of a stage: the finished fraction, and for a training its loss (nats per token) and speed.

    ``together`` is the number of trainings that run as one with it; ``tokens_per_second`` counts those of all.
    ``logged`` has the step of each of them, at most once each second.
    """

    fingerprint: str
    kind: str
    fraction: float
    loss: float | None = None
    tokens_per_second: float | None = None
    together: int = 1
    logged: tuple[LoggedStep, ...] = ()


class MetricRecord(NamedTuple, Generic[G]):
    """A metric's value or histogram, with the sample or the floor's draw that it belongs to."""

    sample: int
    metric: str
    content: G
    floor: str = ""


@dataclasses.dataclass(frozen=True)
class StageResult:
    """A finished stage: its result as plain data, its measurements, and the digests of its files by name.

    ``device`` is that of the place where it was worked on; empty where this is that of the study.
    """

    stage: Stage
    result: Mapping[str, Any]
    seconds: float
    values: tuple[MetricRecord[Value], ...] = ()
    histograms: tuple[MetricRecord[Histogram], ...] = ()
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    device: str = ""


@dataclasses.dataclass(frozen=True)
class StageFailure:
    """A failed stage: the error's class and message, and the traceback of an unexpected error."""

    stage: Stage
    error_class: str
    error: str
    trace: str = ""

    @property
    def reason(self) -> str:
        """The message; that of an unexpected error with its class, without which it may say nothing (``0``)."""
        return f"{self.error_class}: {self.error}" if self.trace else self.error


@dataclasses.dataclass(frozen=True)
class Context:
    """The surroundings of a job in a worker.

    Attributes:
        home: the folder for files.
        device: a torch device.
        registry: the components.
        tell: passes progress on to the driver.
        should_stop: whether the driver wants the job to stop after its current step.
        checkpoint_seconds: the time between two checkpoints of a training.
    """

    home: Path
    device: str
    registry: Registry
    tell: Callable[[News], None]
    should_stop: Callable[[], bool]
    checkpoint_seconds: float = 10.0


class JobStopped(Exception):  # noqa: N818 - no error: the person asked for it, or the disk did
    """The job was stopped before its end; its checkpoints are on disk.

    Attributes:
        fatal: the error that would stop every other job too; None if the job was asked to stop.
    """

    def __init__(self, fatal: HomeError | None = None) -> None:
        super().__init__(fatal)
        self.fatal = fatal
