"""The order in which stages become jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.kinds import GENERATE, KINDS, TRAIN
from ablate.registry import get_registry
from ablate.study.plan.jobs import Packing
from ablate.study.plan.layout import lay_out
from ablate.study.plan.plan import make_plan
from ablate.study.run.scheduler import Scheduler
from ablate.study.run.status import StageStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec


def test_stages_before_training_come_first_and_floors_last(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    registry = get_registry()
    plan = make_plan(lay_out(load(), registry, "cpu"), None, tmp_path)
    status = StageStatus(plan, tmp_path)
    scheduler = Scheduler(plan, status, Packing("cpu", lambda: 1, lambda stage: 1, registry, fused=False))

    rounds = []
    while jobs := scheduler.jobs():
        rounds.append([job.kind for job in jobs])
        for job in jobs:
            for stage in job.stages:
                status.finish(stage, {})

    kinds = [kind for each in rounds for kind in each]
    first_training = kinds.index(TRAIN)
    assert all(KINDS[kind].early for kind in kinds[:first_training])
    assert not any(KINDS[kind].early for kind in kinds[first_training:])
    for each in rounds:
        required = [KINDS[kind].required for kind in each]
        assert required == sorted(required, reverse=True), "a floor stands before a stage that a run needs"
    assert {TRAIN, GENERATE} <= set(kinds)
    assert not any(status.is_missing(stage) for stage in plan.missing.values())
