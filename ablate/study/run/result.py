"""The result of one command on a study."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class RunFailure:
    """A run that has no result, and its error."""

    variant: str
    replicate: int
    error_class: str
    error: str


@dataclasses.dataclass(frozen=True)
class StudyResult:
    """The result of one command on a study.

    Attributes:
        name: the study's.
        ran: the number of stages that ran, by kind.
        reused: the number of stages whose results existed, by kind.
        failures: runs that failed.
        stopped: whether it was asked to stop before the end.
        seconds: how long it took.
        checkpoints: trainings that have started and that the next command resumes.
        refused: whether nothing was trained because a stage before training failed.
        notes: other messages for people; usually none.
        changed: whether there are results that an existing report does not show.
    """

    name: str
    ran: dict[str, int]
    reused: dict[str, int]
    failures: tuple[RunFailure, ...]
    stopped: bool
    seconds: float
    checkpoints: int
    refused: bool
    notes: tuple[str, ...]
    changed: bool
