"""The sentence about a trend along a numeric axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.report.statistics import verdicts
from ablate.report.statistics.inference.independent import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.statistics.comparisons.trends import Trend


def trend_sentence(row: Mapping[str, Any], trend: Trend, quantity: str) -> str:
    """Return a trend as one plain sentence.

    Args:
        row: of the slope, from :func:`ablate.report.statistics.effects.judge`.
        trend: the values along the axis.
        quantity: the name of the quantity.
    """
    label, step = row["comparison"], "doubling" if trend.log else "1"
    slope = f"{verdicts.signed(row['difference'])} for each {step} of {label}{verdicts.interval_text(row)}"
    p = verdicts.p_text(row["p_adjusted"])
    detail = f"{slope}, rank correlation {verdicts.signed(trend.tau)}, {p}, {row['n']} replicates"
    if trend.runs:
        detail = f"{slope}, {p}, {words.runs(row['values'])}"
    where = ", on average over the other axes" if trend.combinations > 1 else ""
    if row["verdict"] not in verdicts.DIFFERENT:
        return f"Cannot tell whether {quantity} rises or falls with {label}{where}: {detail}."
    return f"With {label}, {quantity} {'rises' if row['verdict'] == 'higher' else 'falls'}{where}: {detail}."
