"""Studies of parts that are on or off, with values that a test chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.registry import get_registry
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.study.design import DESIGNS, Axis, aliases
from support.effects_material import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import Array

DISTANCE = ("distance", "average")
PATHS = ("augmenter", "conditioner", "training.dropout", "training.decay", "training.clip", "training.warmup")


def study_of_parts(
    home: Path,
    design: str,
    count: int,
    value: Callable[[tuple[bool, ...]], Array],
    more: Sequence[Axis] = (),
    other: Mapping[tuple[str, str], Mapping[str, Array]] | None = None,
    **spec: Any,
) -> Analysis:
    """The analysis of a study whose first ``count`` axes are parts; ``value`` gives a variant's replicates.

    Args:
        home: of the store.
        design: a key of ``design.DESIGNS``.
        count: the number of parts.
        value: the replicates of a variant, from the parts that are on.
        more: other axes.
        other: the values of other quantities, by variant.
        spec: more of the study file.
    """
    axes = [*(Axis(path, ("none", "on")) for path in PATHS[:count]), *more]
    variants = DESIGNS[design](axes, {axis.path: axis.levels[-1 * (design == "leave_one_out")] for axis in axes})
    variants = sorted(variants, key=lambda variant: not variant.baseline)
    values = {v.name: value(tuple(v.levels[path] == "on" for path in PATHS[:count])) for v in variants}
    aliased = {"aliases": dict(aliases(axes))} if design == "fractional" else {}
    stored = Stored(home, {v.name: dict(v.levels) for v in variants}, {DISTANCE: values, **(other or {})})
    objective = {"metric": "distance", "feature": "average", "direction": ""}
    return Analysis(stored.put(design=design, objective=objective, **aliased, **spec), get_registry())
