"""What goes between the driver and its workers: jobs, news of them, and what came of their stages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ablate.errors import HomeError
    from ablate.interfaces import Histogram, Value
    from ablate.study.stage import Stage

G = TypeVar("G")


@dataclasses.dataclass(frozen=True)
class Job:
    """Stages of one kind worked on together: one stage, the trainings of a fused group, or rows that share steps."""

    kind: str
    stages: tuple[Stage, ...]


@dataclasses.dataclass(frozen=True)
class News:
    """Progress of a stage: how much is done of it, and for a training its loss (nats per token) and speed.

    ``tokens_per_second`` are those of all trainings that are done as one with it, ``together`` of them in its job.
    """

    fingerprint: str
    kind: str
    fraction: float
    loss: float | None = None
    tokens_per_second: float | None = None
    together: int = 1


class MetricRecord(NamedTuple, Generic[G]):
    """Something that a metric gave: of which sample, or of which one of a floor's."""

    sample: int
    metric: str
    content: G
    floor: str = ""


@dataclasses.dataclass(frozen=True)
class StageResult:
    """A finished stage: its result as plain data, and what it measured."""

    stage: Stage
    result: Mapping[str, Any]
    seconds: float
    values: tuple[MetricRecord[Value], ...] = ()
    histograms: tuple[MetricRecord[Histogram], ...] = ()


@dataclasses.dataclass(frozen=True)
class StageFailure:
    """A stage that failed: the error's class and message, and the traceback if it was not meant for people."""

    stage: Stage
    error_class: str
    error: str
    trace: str = ""


@dataclasses.dataclass(frozen=True)
class Context:
    """What a worker has beside a job: where files go, the device, and two ways to talk to the driver.

    ``fused``: whether to fuse models where possible; None means only on a GPU.
    """

    home: Path
    device: str
    tell: Callable[[News], None]
    should_stop: Callable[[], bool]
    checkpoint_seconds: float = 10.0
    fused: bool | None = None


class JobStopped(Exception):  # noqa: N818 - no error: the person asked for it, or the disk did
    """The job was stopped before its end; what it needs to go on is on disk.

    Attributes:
        results: of those of its stages that were at their end.
        fatal: why every other job would stop too, if nobody asked for it.
    """

    def __init__(self, results: Sequence[StageResult | StageFailure] = (), fatal: HomeError | None = None) -> None:
        super().__init__(results, fatal)
        self.results, self.fatal = tuple(results), fatal
