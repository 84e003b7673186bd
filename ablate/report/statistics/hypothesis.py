"""The answer to a study's hypothesis: each prediction by the verdicts of its comparisons, and the whole."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ablate.report.statistics import verdicts
from ablate.report.statistics.inference import intervals
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.answers.best import Best
    from ablate.report.statistics.comparisons.predicted import Claim
    from ablate.report.statistics.inference.intervals import Estimate
    from ablate.report.statistics.rows import Quantity

Answer = Literal["supported", "contradicted", "not decided", "not tested"]
#: With fewer replicates that are all alike, a prediction is not decided; the fewest with which p can be below 0.05.
FEWEST_ALIKE = 6


@dataclasses.dataclass(frozen=True)
class AnsweredPrediction:
    """A prediction and its answer.

    Attributes:
        prediction: of the study file: its keys that are set.
        quantity: that it is about; None if the study has not measured it.
        answer: ``supported``, ``contradicted``, ``not decided`` or ``not tested``.
        rows: the judged comparisons, from :func:`ablate.report.statistics.effects.judge`.
        reason: the reason where it is not tested; for the best variant, the variants that may be the best one.
    """

    prediction: Mapping[str, Any]
    quantity: Quantity | None
    answer: Answer
    rows: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""


def answers(analysis: Analysis) -> list[AnsweredPrediction]:
    """Answer every prediction of the study file, in its order."""
    return [_answered(analysis, one.prediction, one.quantity, one.claims) for one in analysis.predictions]


def whole(answered: Sequence[AnsweredPrediction]) -> Answer:
    """Return the answer of the whole hypothesis.

    It is contradicted if one prediction is, supported if all are, and otherwise not decided.
    """
    found = {one.answer for one in answered}
    if "contradicted" in found:
        return "contradicted"
    if found == {"supported"}:
        return "supported"
    return "not tested" if found <= {"not tested"} else "not decided"


def counts(answered: Iterable[AnsweredPrediction]) -> dict[str, int]:
    """Count the predictions with each answer, in the order of :data:`Answer`."""
    count = collections.Counter(one.answer for one in answered)
    return {answer: count[answer] for answer in get_args(Answer) if answer in count}


def _answered(
    analysis: Analysis, prediction: Mapping[str, Any], quantity: Quantity | None, claims: Sequence[Claim]
) -> AnsweredPrediction:
    if quantity is None:
        return AnsweredPrediction(prediction, None, "not tested", reason="the study has not measured this quantity")
    better = analysis.directions[quantity]
    direction = prediction.get("direction", "better")
    if direction in ("better", "worse") and better not in ("lower", "higher"):
        reason = "the metric has no better direction; predict higher or lower"
        return AnsweredPrediction(prediction, quantity, "not tested", reason=reason)
    best = analysis.best.get(quantity)
    if "best" in prediction and best and prediction["best"] in best.variants:
        return _answered_by_best_set(prediction, quantity, best)
    rows = [(row, claim.sign) for claim in claims if (row := _row(analysis, quantity, claim))]
    if not claims or len(rows) < len(claims):
        reason = "some of its variants have no results" if claims else "the study has no such comparison"
        if not all(analysis.comparable(claim.comparison.weights, quantity) for claim in claims):
            reason = "it cannot be compared: other tokenizers"
        return AnsweredPrediction(prediction, quantity, "not tested", reason=reason)
    found = [_answer(analysis, row, direction, better, sign) for row, sign in rows]
    answer = next((one for one in ("contradicted", "not decided") if one in found), "supported")
    return AnsweredPrediction(prediction, quantity, answer, tuple(row for row, _ in rows))  # type: ignore[arg-type]


def _answered_by_best_set(prediction: Mapping[str, Any], quantity: Quantity, best: Best) -> AnsweredPrediction:
    if prediction["best"] not in best.candidates:
        answer: Answer = "contradicted"
    else:
        answer = "supported" if len(best.candidates) == 1 else "not decided"
    return AnsweredPrediction(prediction, quantity, answer, reason=", ".join(best.candidates))


def _row(analysis: Analysis, quantity: Quantity, claim: Claim) -> Mapping[str, Any] | None:
    """Return the judged comparison of a claim: its own row in exploratory quantities."""
    one = claim.comparison
    frame = rows_of(analysis.all_effects, quantity)
    rows = frame[
        (frame["comparison"] == one.name)
        & (frame["versus"] == one.versus)
        & frame["kind"].isin((one.kind, "prediction"))
        & (frame["verdict"] != "")
    ]
    return None if rows.empty else {str(key): value for key, value in rows.iloc[0].items()}


def _answer(analysis: Analysis, row: Mapping[str, Any], direction: str, better: str, sign: int) -> Answer:
    """Answer one comparison.

    A prediction of a difference is contradicted by the opposite verdict and by the verdict that no difference matters.
    A prediction of no difference that matters is contradicted by a difference that lies beyond the margin. Few
    replicates that are alike decide nothing.
    """
    verdict = row["verdict"]
    if verdict == "inconclusive" or (verdict == "alike" and row["n"] < FEWEST_ALIKE):
        return "not decided"
    if direction == "equivalent":
        if verdict not in verdicts.DIFFERENT:
            return "supported"
        return "contradicted" if _is_beyond_margin(analysis, row) else "not decided"
    if verdict not in verdicts.DIFFERENT:
        return "contradicted"
    upward = direction == "higher" or (direction == "better" and better == "higher")
    upward = upward or (direction == "worse" and better == "lower")
    return "supported" if (sign * row["difference"] > 0) == upward else "contradicted"


def _is_beyond_margin(analysis: Analysis, row: Mapping[str, Any]) -> bool:
    """Check whether the whole interval lies beyond the margin, with alpha divided among all comparisons and looks."""
    times = max(int(row["family"]), 1) * len(analysis.looks.made)
    low, high = _interval(row["values"], 1 - analysis.rules.alpha / times, analysis.rules.estimate)
    return bool((low if row["difference"] > 0 else -high) > row["margin"])


def _interval(values: FloatArray | Groups, level: float, estimate: Estimate) -> tuple[float, float]:
    if isinstance(values, Groups):
        return values.interval(level)
    found = intervals.interval(values[~np.isnan(values)], level, estimate)
    return float(found.low), float(found.high)
