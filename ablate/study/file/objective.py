"""The objective of a study that does not name one, or names its metric only."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import AblateError
from ablate.options import validate
from ablate.settings import SplitSettings
from ablate.study.design import ADAPTIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.registry import Registry
    from ablate.study.design import Objective
    from ablate.study.file.paths import Problem
    from ablate.study.file.sections import Sections

_ADVICE = "hold out pieces ([split] test = 0.1, say), or name a metric and a feature in [objective]"


def with_objectives(file: Sections, registry: Registry) -> tuple[Sections, list[Problem]]:
    """Return the study with its objectives filled in, and the problems with that.

    The objective is the last metric. A metric with main features (``ModelMetricSpec.main``) is it only where the split
    has pieces for one of them: the likelihood of the training pieces is the objective of no study that does not say so.
    A search or a path chooses variants by the objective, and should not choose by test pieces: the main feature of the
    validation pieces goes before that of the test pieces.
    """
    try:
        split = validate(SplitSettings, file.config.get("split", {}))
    except AblateError:
        return file, []  # the split is reported where it is resolved
    problems: list[Problem] = []
    objective, chooses = file.objective, file.design in ADAPTIVE
    if not objective.metric and file.metrics:
        usable = [name for name in reversed(file.metrics) if _feature(name, split, registry) is not None]
        if not usable and not objective.feature:
            text = f"'{file.metrics[-1]}' measures only training pieces in this study; {_ADVICE}"
            problems.append(("objective", text))
        objective = dataclasses.replace(objective, metric=next(iter(usable), file.metrics[-1]))
    each_key = {"objective": objective}
    each_key |= {f"search.objectives[{index}]": each for index, each in enumerate(file.objectives)}
    filled = [_filled(key, each, split, registry, problems, chooses=chooses) for key, each in each_key.items()]
    return dataclasses.replace(file, objective=filled[0], objectives=tuple(filled[1:])), problems


def _filled(
    key: str,
    objective: Objective,
    split: SplitSettings,
    registry: Registry,
    problems: list[Problem],
    *,
    chooses: bool,
) -> Objective:
    """Return an objective with the main feature of its metric, unless it has a feature."""
    if objective.feature or not objective.metric:
        return objective
    feature = _feature(objective.metric, split, registry, chooses=chooses)
    if feature is None and not problems:
        problems.append((key, f"'{objective.metric}' measures only training pieces in this study; {_ADVICE}"))
    return dataclasses.replace(objective, feature=feature or "")


def _feature(metric: str, split: SplitSettings, registry: Registry, *, chooses: bool = False) -> str | None:
    """Return the main feature of a metric; empty for its first one, None if the split has no pieces for any."""
    try:
        main: Mapping[str, str] = getattr(registry.spec("metric", metric), "main", {})
    except AblateError:
        return ""  # an unknown metric is reported where it is chosen
    parts = sorted(main, key=lambda part: part == "test") if chooses else main
    return next((main[part] for part in parts if split.holds(part)), None) if main else ""
