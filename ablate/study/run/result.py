"""The result of one command on a study."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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


def summed(results: Sequence[StudyResult], seconds: float, *, stopped: bool) -> StudyResult:
    """Return the results of commands on parts of a study, in their order, as one."""
    ran: collections.Counter[str] = collections.Counter()
    for result in results:
        ran.update(result.ran)
    failures = {(f.variant, f.replicate): f for result in results for f in result.failures}
    return dataclasses.replace(
        results[-1],
        ran=dict(ran),
        reused=results[0].reused,
        failures=tuple(failures.values()),
        stopped=stopped,
        refused=results[0].refused,
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        seconds=seconds,
        changed=any(result.changed for result in results),
    )
