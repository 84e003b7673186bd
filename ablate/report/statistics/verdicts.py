"""From numbers to a verdict in plain words. The rules are in docs/statistics.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from ablate.report.statistics import inference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.settings import StatisticsSettings

Verdict = Literal["better", "worse", "higher", "lower", "no difference that matters", "cannot tell"]
VERDICTS: tuple[Verdict, ...] = ("better", "worse", "higher", "lower", "no difference that matters", "cannot tell")
#: How a verdict is marked where there is no room for words, in tables and in LaTeX alike.
MARKS: dict[Verdict, str] = {
    "better": "+",
    "worse": "-",
    "higher": ">",
    "lower": "<",
    "no difference that matters": "=",
    "cannot tell": "?",
}


def decide(difference: float, direction: str, p_holm: float, p_equivalent: float, alpha: float) -> Verdict:
    """The verdict of one comparison.

    1. The difference lies inside the margin, by two one-sided tests: no difference that matters, however sure it is.
    2. Otherwise, the sign-flip test rejects that there is none: better or worse as the metric's direction has it, or
       higher or lower where it has none.
    3. Otherwise it cannot be told.

    Args:
        difference: of the means.
        direction: ``lower`` or ``higher`` is better, or ``none``.
        p_holm: of the sign-flip test, corrected; NaN where there is none.
        p_equivalent: of the two one-sided tests, corrected; NaN without a margin.
        alpha: how often a family may be wrong.
    """
    if p_equivalent < alpha:  # false for NaN, as the next one
        return "no difference that matters"
    if not p_holm < alpha:
        return "cannot tell"
    if direction not in ("lower", "higher"):
        return "higher" if difference > 0 else "lower"
    return "better" if (difference < 0) == (direction == "lower") else "worse"


def sentence(row: Mapping[str, Any], rules: StatisticsSettings, quantity: str) -> str:
    """A comparison's verdict as one plain sentence.

    Args:
        row: of :func:`ablate.report.statistics.effects.compared`.
        rules: the study's statistics.
        quantity: how the quantity is called.
    """
    name, versus, verdict = str(row["comparison"]), str(row["versus"]), row["verdict"]
    detail = f"{quantity} {_signed(row['difference'])}{_interval(row)}"
    count = f"{row['n']} replicate{'s' if row['n'] > 1 else ''}"
    about = "" if row["kind"] != "main effect" else ", on average over the other axes"
    if verdict == "no difference that matters":
        subject = f"No difference that matters between {name} and {versus}" if versus else f"{name}: {verdict}"
        within = f"within ±{row['margin']:.3g} ({row['margin_of']})"
        return f"{subject}{about}: {detail}, {within}, {p_text(row['p_equivalent'])}, {count}."
    if verdict == "cannot tell":
        subject = f"Cannot tell {name} from {versus}" if versus else f"{name}: cannot tell"
        return f"{subject}{about}: {detail}, {p_text(row['p_holm'])}, {count}. {what_it_takes(row, rules)}"
    subject = f"{name} is {verdict} than {versus}" if versus else f"{name}: {verdict}"
    return f"{subject}{about}: {detail}, {p_text(row['p_holm'])}{_corrected(row)}, {count}."


def what_it_takes(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """How many replicates would tell, if the difference is what it seems."""
    n, family = int(row["n"]), max(int(row["open"]), 1)
    if n < 2:
        return "A single replicate has no spread: run more of them."
    level = rules.alpha / family
    out = out_of_reach(n, family, rules)
    if out and (n == 2 or not inference.attainable(level, inference.MOST_REPLICATES)):
        return f"{out}."  # two replicates say nothing of the effect, and of too many comparisons no number tells
    needed = inference.replicates_needed(round(float(row["effect"]), 3), level, rules.power)
    percent = f"{rules.power:.0%}".replace("%", " %")
    if needed is None:
        return f"More than {inference.MOST_REPLICATES:,} replicates would be needed to find one as small as this."
    if out:
        enough = max(needed, inference.fewest_replicates(level) or 0)
        return f"{out}, {enough} for {percent} power if the difference is what it seems."
    if needed <= n:
        return f"So many find a difference of this size with {percent} power; this time they did not."
    return f"{needed} replicates would find a difference of this size with {percent} power."


def out_of_reach(n: int, family: int, rules: StatisticsSettings) -> str:
    """That so few replicates can claim nothing in so many comparisons, without a full stop; otherwise empty."""
    level = rules.alpha / family
    if inference.attainable(level, n):
        return ""
    many = f"{family} comparisons" if family > 1 else "one comparison"
    fewest = inference.fewest_replicates(level)
    todo = f"at least {fewest} are needed" if fewest and fewest > n else "compare fewer"
    return f"{n} replicates cannot reach p < {rules.alpha:g} in {many} at all: {todo}"


def _corrected(row: Mapping[str, Any]) -> str:
    return f" (Holm's correction over {row['family']} comparisons)" if row["family"] > 1 else ""


def _interval(row: Mapping[str, Any]) -> str:
    if math.isnan(row["low"]):
        return ""
    return f" (95 % interval {_signed(row['low'])} to {_signed(row['high'])})"


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")


def p_text(p: float) -> str:
    """A p as papers print it."""
    if math.isnan(p):
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
