"""The answer to the hypothesis in plain sentences: each prediction, and the whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.report.statistics import hypothesis, verdicts
from ablate.report.statistics.inference.independent import words
from ablate.report.statistics.inference.independent.groups import Groups

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
    change = "no difference that matters" if direction == "equivalent" else direction
    return f"{name}: {change} in {where}"


def _reason(one: AnsweredPrediction) -> str:
    """Return the numbers of the comparisons, or the reason for the answer."""
    if one.answer == "not tested":
        return f" ({one.reason})"
    if not one.rows:
        several = ", " in one.reason
        return f" ({'may be the best' if several else 'the best'}: {one.reason})"
    return f" ({'; '.join(_numbers(one, row) for row in one.rows)})"


def _numbers(one: AnsweredPrediction, row: Mapping[str, Any]) -> str:
    """Return the numbers of a comparison: its difference with interval, the replicates, and its p."""
    sides = f"{row['comparison']} against {row['versus']}: " if len(one.rows) > 1 else ""
    quantity = "slope" if "trend" in one.prediction else "difference"
    size = f"{quantity} {verdicts.signed(row['difference'])}{_interval(row)}{_replicates(one, row)}"
    if row["verdict"] == "alike":
        return f"{sides}{verdicts.WORDS['alike']}{_counted(row)}"
    if row["verdict"] == "equivalent":
        within = f"within ±{row['margin']:.3g} ({row['margin_of']}), {verdicts.p_text(row['p_equivalent'])}"
        return f"{sides}{verdicts.WORDS['equivalent']}, {size}, {within}"
    numbers = f"{size}, {verdicts.p_text(row['p_adjusted'])}"
    if one.prediction.get("direction") == "equivalent" and math.isnan(row["margin"]):
        numbers += ", and there is no margin for this quantity"
    return f"{sides}{numbers}"


def _interval(row: Mapping[str, Any]) -> str:
    """Return the interval with a comma before it; empty for a single replicate."""
    if math.isnan(row["low"]):
        return ""
    return f", 95 % interval {verdicts.signed(row['low'])} to {verdicts.signed(row['high'])}"


def _replicates(one: AnsweredPrediction, row: Mapping[str, Any]) -> str:
    """Return the number of replicates with a comma before it, and for differences in how many it is better."""
    return _counted(row) if "trend" in one.prediction else verdicts.wins(row)


def _counted(row: Mapping[str, Any]) -> str:
    if isinstance(row["values"], Groups):
        return f", {words.runs(row['values'])}"
    return f", {row['n']} replicate{'s' if row['n'] > 1 else ''}"
