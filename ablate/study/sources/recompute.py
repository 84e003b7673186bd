"""The stages that ``--recompute`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import UsageError, did_you_mean
from ablate.kinds import KINDS
from ablate.specs import SPECS
from ablate.study.plan.identity import components
from ablate.study.sources.changes import with_dependents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ablate.study.sources.changes import Comparison
    from ablate.study.stage import Stage

#: What ``--recompute`` takes for everything that has changed.
CHANGED = "CHANGED"


def chosen_stages(names: Iterable[str], stages: Mapping[str, Stage], comparison: Comparison) -> frozenset[str]:
    """Return the fingerprints of the stages to compute again, with all that depend on them.

    Args:
        names: kinds of stages (``"train"``), kinds of components (``"metric"``), components by name
            (``"distance.pitch"``, ``"metric.distance.pitch"``), or :data:`CHANGED`.
        stages: of the study, by fingerprint, inputs before outputs.
        comparison: of their results with the present.

    Raises:
        UsageError: a name that is nothing of this study, with a suggestion.
    """
    named: dict[str, set[str]] = {}
    for fingerprint, stage in stages.items():
        for name in _names(stage):
            named.setdefault(name, set()).add(fingerprint)
    chosen: set[str] = set()
    for name in names:
        if name.upper() == CHANGED:
            chosen |= comparison.stages | comparison.unfinished
        elif name in named:
            chosen |= named[name]
        elif name not in KINDS and name not in SPECS:
            offered = sorted(named, key=lambda each: (each not in KINDS, each not in SPECS, each))
            short = [each for each in offered if each.partition(".")[0] not in SPECS or each in SPECS]
            hint = did_you_mean(name, [CHANGED, *offered])
            raise UsageError(
                f"--recompute {name}: nothing in this study is called so{hint or '.'} "
                f"Offered: {', '.join([CHANGED, *short])}"
            )
    return frozenset(with_dependents(stages, chosen))


def _names(stage: Stage) -> set[str]:
    """Return every name that ``--recompute`` has for a stage."""
    used = list(components(stage.config))
    # a metric may be one of the file that a program writes
    used += [(kind, stage.config[kind]) for kind in ("corpus", "metric") if kind in stage.config]
    own = {each for kind, choice in used for each in (kind, choice["name"], f"{kind}.{choice['name']}")}
    return {stage.kind, *own}
