"""The objectives of a study: the numbers that its trials and its search work with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import did_you_mean
from ablate.names import headline_features

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.store.store import Store
    from ablate.study.design import Objective
    from ablate.study.file.study_file import StudySpec

#: The value of each objective, by replicate.
Values = dict[int, tuple[float, ...]]


def resolved_objectives(spec: StudySpec, store: Store) -> tuple[Objective, ...] | None:
    """Return the objectives with the study file's gaps filled in; None before their first measurement."""
    resolved = []
    for objective in spec.objectives:
        features = store.features(spec.name, objective.metric)
        if not features and not (objective.feature and objective.direction):
            return None
        feature = objective.feature or headline_features(features)[0]
        direction = objective.direction or features.get(feature, "lower")
        resolved.append(dataclasses.replace(objective, feature=feature, direction=direction))
    return tuple(resolved)


def measured_values(spec: StudySpec, store: Store, objectives: Sequence[Objective]) -> dict[str, Values]:
    """Return for each variant the mean over the samples of each replicate that has every objective."""
    means = [store.means(spec.name, objective.metric, objective.feature) for objective in objectives]
    values: dict[str, Values] = {}
    for variant, replicate in sorted(set(means[0]).intersection(*means)):
        values.setdefault(variant, {})[replicate] = tuple(mean[variant, replicate] for mean in means)
    return values


def objective_problem(spec: StudySpec, store: Store, objective: Objective) -> str:
    """Return why the trials have no value for an objective, else an empty string."""
    features = store.features(spec.name, objective.metric)
    if not objective.feature or not features or objective.feature in features:
        return ""
    hint = did_you_mean(objective.feature, features)
    has = f"has no feature '{objective.feature}'{hint} (it has: {', '.join(features)})"
    return f"objective: metric '{objective.metric}' {has}; the trials in Optuna have no value"
