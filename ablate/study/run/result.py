"""What an execution of a study did."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class RunFailure:
    """A run that has no result, and why."""

    variant: str
    replicate: int
    error_class: str
    error: str


@dataclasses.dataclass(frozen=True)
class StudyResult:
    """What a run did.

    Attributes:
        name: the study's.
        ran: stages run, by kind.
        reused: stages that were there, by kind.
        failures: runs that failed.
        stopped: whether it was asked to stop before the end.
        seconds: how long it took.
        checkpoints: trainings that are begun and will go on in the next run.
        refused: whether nothing was trained because something before training failed.
        notes: what else a person should know; usually nothing.
        changed: whether there is anything to report that was not there before.
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
