"""What a run tells while it goes on, and what it says in the end."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.study.jobs import Done, Failed, News
    from ablate.study.plan import Plan


class Listener:
    """What a run tells while it goes on; does nothing unless overridden."""

    def begun(self, plan: Plan) -> None:
        """The plan is made, the work begins."""

    def news(self, news: News) -> None:
        """A job has made some progress."""

    def done(self, done: Done) -> None:
        """A stage is finished and recorded."""

    def failed(self, failure: Failed) -> None:
        """A stage has failed; its cells are recorded as such."""


@dataclasses.dataclass(frozen=True)
class CellFailure:
    """A cell that has no result, and why."""

    variant: str
    replicate: int
    error_class: str
    error: str


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run did.

    Attributes:
        name: the study's.
        ran: stages run, by kind.
        reused: stages that were there, by kind.
        failures: cells that failed.
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
    failures: tuple[CellFailure, ...]
    stopped: bool
    seconds: float
    checkpoints: int
    refused: bool
    notes: tuple[str, ...]
    changed: bool
