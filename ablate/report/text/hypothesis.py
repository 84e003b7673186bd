"""The answer to the hypothesis in plain sentences: each prediction, and the whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.report.statistics import hypothesis, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.hypothesis import AnsweredPrediction

#: The directions of a difference in words.
_DIFFERS = {
    "better": "is better than",
    "worse": "is worse than",
    "higher": "is higher than",
    "lower": "is lower than",
    "equivalent": "has no difference that matters from",
}
#: The directions of a trend in words.
_CHANGES = {"better": "improves", "worse": "gets worse", "higher": "rises", "lower": "falls"}


def heading(answered: Sequence[AnsweredPrediction]) -> str:
    """Return the answer of the whole, with the number of predictions of each answer."""
    counts = hypothesis.counts(answered)
    listing = ", ".join(f"{count} {answer}" for answer, count in counts.items())
    number = "1 prediction" if len(answered) == 1 else f"{len(answered)} predictions"
    return f"Hypothesis {hypothesis.whole(answered)} ({number}: {listing})"


def sentence(analysis: Analysis, one: AnsweredPrediction) -> str:
    """Return a prediction with its answer and the numbers behind it."""
    claim = _claim(analysis, one)
    return f"{one.answer.capitalize()}: {claim}{_reason(one)}."


def _claim(analysis: Analysis, one: AnsweredPrediction) -> str:
    given, spec = one.prediction, analysis.study.spec.get("objective") or {}
    metric = given.get("metric", str(spec.get("metric", "")))
    where = analysis.label(one.quantity) if one.quantity else f"{metric} {given.get('feature', '')}".strip()
    direction = given.get("direction", "")
    if "best" in given:
        return f"{given['best']} is the best variant in {where}"
    if "trend" in given:
        label = analysis.study.axis_labels.get(given["trend"], given["trend"])
        return f"{where} {_CHANGES.get(direction, direction)} with {label}"
    if "variant" in given:
        versus = " and ".join(given.get("than") or [analysis.study.variant_levels.baseline])
        return f"{given['variant']} {_DIFFERS[direction]} {versus} in {where}"
    name = given.get("contrast") or given["effect"]
    words = "no difference that matters" if direction == "equivalent" else direction
    return f"{name}: {words} in {where}"


def _reason(one: AnsweredPrediction) -> str:
    """Return the numbers of the comparisons, or the reason for the answer."""
    if one.answer == "not tested":
        return f" ({one.reason})"
    if not one.rows:
        several = ", " in one.reason
        return f" ({'may be the best' if several else 'the best'}: {one.reason})"
    return f" ({'; '.join(_numbers(one, row) for row in one.rows)})"


def _numbers(one: AnsweredPrediction, row: Mapping[str, Any]) -> str:
    """Return the verdict of a comparison, its difference and its p."""
    sides = f"{row['comparison']} against {row['versus']}: " if len(one.rows) > 1 else ""
    quantity = "slope" if "trend" in one.prediction else "difference"
    numbers = f"{quantity} {verdicts.signed(row['difference'])}, {verdicts.p_text(row['p_adjusted'])}"
    if one.prediction.get("direction") == "equivalent" and math.isnan(row["margin"]):
        numbers += ", and there is no margin for this quantity"
    if row["verdict"] == "alike":
        return f"{sides}{verdicts.WORDS['alike']}"
    if row["verdict"] == "equivalent":
        return f"{sides}{verdicts.WORDS['equivalent']}, {quantity} {verdicts.signed(row['difference'])}"
    return f"{sides}{numbers}"
