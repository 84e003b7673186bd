"""The objectives of a study: the numbers that its trials and its search work with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import did_you_mean
from ablate.names import headline_features

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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


def measured_values(
    spec: StudySpec, store: Store, objectives: Sequence[Objective], only: str = ""
) -> dict[str, Values]:
    """Return for each variant, or ``only`` one, the mean over the samples of each replicate with every objective."""
    means = [store.means(spec.name, objective.metric, objective.feature, only) for objective in objectives]
    values: dict[str, Values] = {}
    for variant, replicate in sorted(set(means[0]).intersection(*means)):
        values.setdefault(variant, {})[replicate] = tuple(mean[variant, replicate] for mean in means)
    return values


def objective_problems(spec: StudySpec, features: Mapping[str, Collection[str]]) -> list[str]:
    """Return a line for each objective whose feature its metric does not have.

    Args:
        spec: the study.
        features: those of each metric, by name; metrics that have not been measured yet are missing, or have none.
    """
    problems = []
    for objective in spec.objectives:
        known = features.get(objective.metric, ())
        if objective.feature and known and objective.feature not in known:
            hint = did_you_mean(objective.feature, known)
            has = f"metric '{objective.metric}' has no feature '{objective.feature}'{hint}"
            problems.append(f"objective: {has} (it has: {', '.join(known)})")
    return problems


def incomparable_objectives(spec: StudySpec, per_tokenizer: Mapping[str, Collection[str]]) -> list[str]:
    """Return a line for each objective by which a search or a path over tokenizers cannot choose a variant.

    Args:
        spec: the study.
        per_tokenizer: the features of each metric that can be compared within a tokenizer only.
    """
    changed = [axis.path for axis in spec.axes] + [path for changes in spec.named.values() for path in changes]
    if spec.design not in ("search", "path") or not any(path.partition(".")[0] == "tokenizer" for path in changed):
        return []
    return [
        f"objective: '{each.metric} {each.feature}' of different tokenizers cannot be compared, so a {spec.design} "
        "cannot choose by it; name a feature with the same unit for all of them, such as nats per note"
        for each in spec.objectives
        if each.feature in per_tokenizer.get(each.metric, ())
    ]
