"""The glossary of a report: what each metric measures, from its component, with units and better directions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

#: The words for a metric whose component is not known.
UNKNOWN = "The plugin that offers this metric is not installed, so its description is missing."
_BETTER = {"lower": "lower is better", "higher": "higher is better"}


@dataclasses.dataclass(frozen=True)
class Meaning:
    """A metric in words.

    Attributes:
        metric: its name.
        summary: what it measures.
        features: a clause for its features, in order: their names, unit and better direction.
        sentences: for each feature that the component explains, its name and one sentence.
    """

    metric: str
    summary: str
    features: str
    sentences: tuple[tuple[str, str], ...] = ()


def glossary(analysis: Analysis) -> list[Meaning]:
    """Return the meaning of each metric of the study, those of its primary quantities first.

    Empty for results that ablate did not measure: their names belong to whoever made them.
    """
    judged = analysis.study.judged
    if judged and judged["kind"] != "midi":
        return []
    metrics = dict.fromkeys(metric for metric, _ in [*analysis.in_order, *analysis.units])
    return [_meaning(analysis, metric) for metric in metrics]


def _meaning(analysis: Analysis, metric: str) -> Meaning:
    features = _features(analysis, metric)
    try:
        spec = analysis.registry.spec("metric", metric)
    except AblateError:
        return Meaning(metric, UNKNOWN, features)
    measured = [feature for name, feature in analysis.units if name == metric and feature in spec.features]
    return Meaning(metric, spec.summary, features, tuple((feature, spec.features[feature]) for feature in measured))


def _features(analysis: Analysis, metric: str) -> str:
    """Return the features of a metric; those with the same unit and direction share one clause."""
    alike: dict[str, list[str]] = {}
    for quantity in analysis.units:
        if quantity[0] == metric:
            alike.setdefault(_note(analysis, quantity), []).append(quantity[1])
    return "; ".join(f"{', '.join(features)}: {note}" for note, features in alike.items())


def _note(analysis: Analysis, quantity: Quantity) -> str:
    """Return the unit of a quantity and which direction is better."""
    unit = analysis.units[quantity]
    size = f"in {unit}" if unit != "1" else "0 to 1" if quantity in analysis.study.shares else "without unit"
    return f"{size}, {_BETTER.get(analysis.directions[quantity], 'neither direction is better')}"
