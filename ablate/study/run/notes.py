"""Notes at the end of a command: what the results of a study lack, besides failures."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from ablate.errors import NothingMeasured
from ablate.kinds import MEASURE, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout


def notes_on(layout: Layout, store: Store) -> Iterator[str]:
    """Yield a note for each metric that refused samples, and one for metrics of programs that nothing judges."""
    yield from _refusals(layout, store)
    yield from _undeclared(layout, store)


def _refusals(layout: Layout, store: Store) -> Iterator[str]:
    fingerprints = [f for f, stage in layout.stages().items() if stage.kind == MEASURE]
    total: collections.Counter[str] = collections.Counter()
    refused: collections.Counter[str] = collections.Counter()
    reasons: dict[str, str] = {}
    for stage in store.stages(fingerprints).values():
        metric, count = stage.config["metric"]["name"], stage.result.get("refused", 0)
        total[metric] += stage.result.get("samples", 0) + count
        refused[metric] += count
        if count:
            reasons.setdefault(metric, stage.result.get("reason", ""))
    for run in store.runs(layout.spec.name):
        nothing = NothingMeasured.parsed(run.error_class, run.error)
        if nothing:
            metric, count, reason = nothing
            total[metric] += count
            refused[metric] += count
            reasons.setdefault(metric, reason)
    for metric, reason in reasons.items():
        yield (
            f"metric '{metric}' could not measure {refused[metric]} of {total[metric]} samples, which are left out of "
            f"its numbers; the first: {reason}"
        )


def _undeclared(layout: Layout, store: Store) -> Iterator[str]:
    """Yield a note if the metrics files of programs have metrics that the study does not declare."""
    fingerprints = [f for f, stage in layout.stages().items() if stage.kind == PROGRAM]
    written = {name: None for stage in store.stages(fingerprints).values() for name in stage.result.get("metrics", ())}
    declared = layout.spec.config.get("program", {}).get("directions") or {}
    ignored = [name for name in written if name not in declared]
    if ignored:
        yield f"the metrics file also has {', '.join(ignored)}; add these to program.directions to judge them, too"
