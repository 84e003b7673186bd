"""Levels, axes and objectives in the form of Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection

from ablate.names import level_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.distributions import BaseDistribution

    from ablate.study.design import Axis, Objective, Variant


def plain_level(level: Any) -> Any:
    """Return a level that Optuna can store: numbers and text unchanged, whole components by name."""
    return level if isinstance(level, str | int | float | bool) else level_name(level)


def parameters(variant: Variant) -> dict[str, Any]:
    """Return the parameters of a variant's trial."""
    return {path: plain_level(level) for path, level in variant.levels.items()}


def distribution(axis: Axis) -> BaseDistribution:
    """Return the levels that a trial can have on an axis."""
    bounds = axis.range
    if bounds is None:
        return CategoricalDistribution([plain_level(level) for level in axis.levels])
    if bounds.whole:
        return IntDistribution(int(bounds.low), int(bounds.high), bounds.log, int(bounds.step or 1))
    return FloatDistribution(bounds.low, bounds.high, bounds.log, bounds.step)


def objective_label(objective: Objective) -> str:
    """Return the name of an objective in Optuna."""
    return f"{objective.metric} {objective.feature}"


def directions(objectives: Sequence[Objective]) -> list[StudyDirection]:
    """Return the direction of each objective."""
    higher = (objective.direction == "higher" for objective in objectives)
    return [StudyDirection.MAXIMIZE if each else StudyDirection.MINIMIZE for each in higher]
