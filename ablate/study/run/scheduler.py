"""Decide which stages are ready, and put them into jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.kinds import GENERATE, KINDS, TRAIN
from ablate.study.stage import runs_network, weights_of
from ablate.study.work.messages import Job

if TYPE_CHECKING:
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
        self._stages = plan.missing
        self._places = {fingerprint: place for place, fingerprint in enumerate(plan.missing)}
        self._early = {f for f, stage in plan.missing.items() if KINDS[stage.kind].early}
        self._early_left = set(self._early)
        # what each stage waits for, and what waits for it; looking at all stages each time would take too long
        self._waits: dict[str, set[str]] = {}
        self._users: dict[str, list[str]] = {}
        self._ready: set[str] = set()
        self._seen = 0
        for stage in plan.missing.values():
            self._add(stage)

    def _add(self, stage: Stage) -> None:
        waits = {source.fingerprint for source in stage.inputs.values() if self._status.is_missing(source)}
        for source in waits:
            self._users.setdefault(source, []).append(stage.fingerprint)
        if waits:
            self._waits[stage.fingerprint] = waits
        else:
            self._ready.add(stage.fingerprint)

    @property
    def refused(self) -> bool:
        """True if nothing is trained, because a stage before training has failed."""
        return not self._early.isdisjoint(self._status.failures)

    def jobs(self) -> list[Job]:
        """Return the jobs that can start now; their stages are not handed out again."""
        groups: dict[tuple[str, str, bool], list[Stage]] = {}
        # nothing waits for a kind that is not required
        for stage in sorted(self._take_ready(), key=lambda stage: not KINDS[stage.kind].required):
            groups.setdefault((stage.kind, _group(stage), runs_network(stage)), []).append(stage)
        return [job for (kind, *_), stages in groups.items() for job in self._packed(kind, stages)]

    def _take_ready(self) -> list[Stage]:
        """Return the stages that can start, in the order of the plan."""
        for fingerprint in self._status.finished[self._seen :]:
            self._early_left.discard(fingerprint)
            for user in self._users.pop(fingerprint, ()):
                self._waits[user].discard(fingerprint)
                if not self._waits[user]:
                    del self._waits[user]
                    self._ready.add(user)
        self._seen = len(self._status.finished)
        taken = self._ready & self._early if self._early_left else self._ready
        self._ready = self._ready - taken
        return [self._stages[fingerprint] for fingerprint in sorted(taken, key=self._places.__getitem__)]

    def _packed(self, kind: str, stages: list[Stage]) -> list[Job]:
        if kind not in (TRAIN, GENERATE):
            return [Job(kind, tuple(stages))]
        packed = self._packing.trainings(stages) if kind == TRAIN else self._packing.generations(stages)
        return [Job(kind, tuple(job), fused=self._packing.fused) for job in packed]


def _group(stage: Stage) -> str:
    """Return what the stages of one job have in common, besides their kind and whether they need the device."""
    jobs = KINDS[stage.kind].jobs
    if jobs == "together":
        return ""  # the packing divides them
    return (weights_of(stage) if jobs == "training" else stage).fingerprint
