"""Decide which stages are ready, and put them into jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.kinds import GENERATE, KINDS, TRAIN
from ablate.study.stage import weights_of
from ablate.study.work.messages import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.study.plan.jobs import Packing
    from ablate.study.plan.plan import Plan
    from ablate.study.run.status import StageStatus
    from ablate.study.stage import Stage


class Scheduler:
    """Hands out each stage of a plan once, when its inputs are finished.

    Stages before training come first, so that a problem of one variant is reported before hours are spent on the
    others.

    Args:
        plan: the stages that have to run.
        status: their status, kept up to date by the caller.
        packing: puts trainings and generations into jobs.
    """

    def __init__(self, plan: Plan, status: StageStatus, packing: Packing) -> None:
        self._status, self._packing = status, packing
        self._waiting = dict(plan.missing)
        self._early = [stage for stage in plan.missing.values() if KINDS[stage.kind].early]

    @property
    def refused(self) -> bool:
        """True if nothing is trained, because a stage before training has failed."""
        return self._status.failure(self._early) is not None

    def jobs(self) -> list[Job]:
        """Return the jobs that can start now; their stages are not handed out again."""
        groups: dict[tuple[str, str], list[Stage]] = {}
        # nothing waits for a kind that is not required
        for stage in sorted(self._ready(), key=lambda stage: not KINDS[stage.kind].required):
            del self._waiting[stage.fingerprint]
            groups.setdefault((stage.kind, _group(stage)), []).append(stage)
        return [Job(kind, tuple(job)) for (kind, _), stages in groups.items() for job in self._packed(kind, stages)]

    def _ready(self) -> Iterator[Stage]:
        early_only = self.refused or any(self._status.is_missing(stage) for stage in self._early)
        for stage in self._waiting.values():
            waits = any(self._status.is_missing(source) for source in stage.inputs.values())
            if not waits and (KINDS[stage.kind].early or not early_only):
                yield stage

    def _packed(self, kind: str, stages: list[Stage]) -> list[list[Stage]]:
        if kind == TRAIN:
            return self._packing.trainings(stages)
        return self._packing.generations(stages) if kind == GENERATE else [stages]


def _group(stage: Stage) -> str:
    """Return what the stages of one job have in common, besides their kind."""
    jobs = KINDS[stage.kind].jobs
    if jobs == "together":
        return ""  # the packing divides them
    return (weights_of(stage) if jobs == "training" else stage).fingerprint
