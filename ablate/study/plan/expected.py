"""The expected cost of a study: of models from trial steps, of programs from the runs that have ended already."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ablate.kinds import PROGRAM
from ablate.study.plan.estimate import Estimate, estimate
from ablate.study.plan.lanes import lanes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.store.store import Store
    from ablate.study.plan.music.corpora import PlannedMusic
    from ablate.study.plan.plan import Plan


def expected_cost(
    plan: Plan, device: str, workers: int, music: PlannedMusic, store: Store | None, *, fused: bool | None = None
) -> Estimate:
    """Return the expected cost of the missing stages; see :func:`~ablate.study.plan.estimate.estimate`.

    Nobody can try a few steps of a program. Its runs are expected to take as long as the earlier ones of the same
    variant, or else of any variant of the study, also with other inputs; without any, the seconds are NaN.
    """
    if not plan.layout.spec.program:
        return estimate(plan, device, workers, music, fused=fused)
    known: dict[str, list[float]] = {}
    for variant, seconds in _earlier(plan, store) if store else ():
        known.setdefault(variant, []).append(seconds)
    every = [seconds for durations in known.values() for seconds in durations]
    variants = {run.stages.stages[PROGRAM].fingerprint: run.variant.name for run in plan.layout.wanted}
    expected = [
        _mean(known.get(variants[fingerprint], every))
        for fingerprint, stage in plan.missing.items()
        if stage.kind == PROGRAM
    ]
    replicates = plan.layout.spec.replicates
    expected += [_mean(every)] * (plan.layout.unchosen * replicates)
    _, beside = lanes(plan.layout.spec, device, min(workers, plan.width()))
    return Estimate(sum(expected) / beside, 0, training=_mean(every))


def _earlier(plan: Plan, store: Store) -> Iterator[tuple[str, float]]:
    """Yield variant and seconds of each run of the study that has ended."""
    runs = [(run.variant.name, run.stages.stages[PROGRAM].fingerprint) for run in plan.layout.runs]
    if any(study.name == plan.layout.spec.name for study in store.studies()):
        runs += [(r.variant, r.stages[PROGRAM]) for r in store.runs(plan.layout.spec.name) if PROGRAM in r.stages]
    stages = store.stages(fingerprint for _, fingerprint in runs)
    for variant, fingerprint in dict.fromkeys(runs):
        if fingerprint in stages:
            yield variant, stages[fingerprint].seconds


def _mean(seconds: list[float]) -> float:
    return sum(seconds) / len(seconds) if seconds else math.nan
