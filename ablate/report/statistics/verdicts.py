"""From numbers to a verdict, and its sentence in plain words. The rules are in docs/statistics.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ablate.report.statistics import roles
from ablate.report.statistics.inference import equivalence, intervals, power

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.settings import StatisticsSettings

Verdict = Literal["better", "worse", "higher", "lower", "equivalent", "alike", "inconclusive", ""]
#: Each verdict, as data contain it, in the words of sentences and tables.
WORDS: dict[str, str] = {
    "better": "better",
    "worse": "worse",
    "higher": "higher",
    "lower": "lower",
    "equivalent": "no difference that matters",
    "alike": "alike in every replicate",
    "inconclusive": "cannot tell",
    "": "not tested",
}
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
#: The verdicts that claim a difference.
DIFFERENT: tuple[Verdict, ...] = ("better", "worse", "higher", "lower")
#: The mark of each verdict where there is no room for words.
MARKS: dict[str, str] = {
    "better": "+",
    "worse": "-",
    "higher": ">",
    "lower": "<",
    "equivalent": "=",
    "alike": "0",
    "inconclusive": "?",
    "": "",
}


#: The mark of a comparison that cannot be told although its own interval does not contain 0.
APART = "?*"
#: The reason why an interval without 0 may be beside "cannot tell".
ALONE = "The interval is for this comparison alone, p for all comparisons of its family"


def apart_from_0(row: Mapping[Any, Any]) -> bool:
    """Check whether a comparison cannot be told although its own interval does not contain 0."""
    return bool(row["verdict"] == "inconclusive" and (row["low"] > 0 or row["high"] < 0))


def decide(row: Mapping[Any, Any], alpha: float) -> Verdict:
    """Decide the verdict of one comparison.

    1. A comparison of an exploratory quantity has none.
    2. If every replicate has the difference 0, the variants are ``alike``.
    3. If tests show that the difference lies inside the margin, the verdict is ``equivalent``, also for a significant
       difference.
    4. Otherwise, if the sign-flip test finds a difference, the verdict is ``better`` or ``worse``, or ``higher`` or
       ``lower`` for a metric without a better direction.
    5. Otherwise it is ``inconclusive``.

    Args:
        row: of :func:`ablate.report.statistics.effects.judge`, without its verdict: ``role``, ``values``,
            ``difference``, ``direction``, ``p_adjusted``, ``p_equivalent``.
        alpha: the error rate of a family.
    """
    if row["role"] == roles.EXPLORATORY:
        return ""
    if not np.nan_to_num(row["values"]).any():
        return "alike"
    if row["p_equivalent"] < alpha:  # false for NaN, as the next one
        return "equivalent"
    if not row["p_adjusted"] < alpha:
        return "inconclusive"
    if row["direction"] not in ("lower", "higher"):
        return "higher" if row["difference"] > 0 else "lower"
    return "better" if (row["difference"] < 0) == (row["direction"] == "lower") else "worse"


def sentence(row: Mapping[str, Any], rules: StatisticsSettings, quantity: str, caveat: str = "") -> str:
    """Return the verdict of a comparison as one plain sentence.

    Args:
        row: from :func:`ablate.report.statistics.effects.judge`.
        rules: the study's statistics.
        quantity: the name of the quantity.
        caveat: a clause that must not be apart from the claim of a difference, with a comma before it.
    """
    name, versus, verdict = str(row["comparison"]), str(row["versus"]), row["verdict"]
    detail = f"{quantity} {signed(row['difference'])}{interval_text(row)}{_wins(row)}"
    average = "" if row["kind"] != "main effect" else ", on average over the other axes"
    if verdict == "equivalent":
        subject = f"No difference that matters between {name} and {versus}" if versus else f"{name}: {WORDS[verdict]}"
        within = f"within ±{row['margin']:.3g} ({row['margin_of']})"
        return f"{subject}{average}: {detail}, {within}, {p_text(row['p_equivalent'])}."
    if verdict == "alike":
        subject = f"{name} and {versus} are {WORDS[verdict]}" if versus else f"{name}: 0 in every replicate"
        return f"{subject}{average}: {quantity}, {row['n']} replicate{'s' if row['n'] > 1 else ''}."
    if verdict == "inconclusive":
        subject = f"Cannot tell {name} from {versus}" if versus else f"{name}: {WORDS[verdict]}"
        alone = f" {ALONE}." if apart_from_0(row) else ""
        return f"{subject}{average}: {detail}, {p_text(row['p_adjusted'])}.{alone} {what_it_takes(row, rules)}"
    subject = f"{name} is {WORDS[verdict]} than {versus}" if versus else f"{name}: {WORDS[verdict]}"
    return f"{subject}{average}{caveat}: {detail}, {p_text(row['p_adjusted'])}."


def what_it_takes(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """Return what the replicates of a comparison could find, and how many would settle it.

    Args:
        row: from :func:`ablate.report.statistics.effects.judge`.
        rules: the study's statistics.
    """
    n, level = int(row["n"]), float(row["level"])
    if n < 2:
        return "A single replicate has no spread: run more replicates."
    out = out_of_reach(n, rules)
    if out:
        return f"{out}."
    known = np.asarray(row["values"])[~np.isnan(row["values"])]
    sd = float(intervals.spread(known, rules.estimate).error) * math.sqrt(n)
    needed = _needed(power.replicates_range(float(row["effect"]), n, level, rules.power, rules.estimate))
    found = power.minimum_detectable(n, level, rules.power) * sd
    able = f"With {n} replicates, a difference of {found:.2g} would be found ({percent(rules.power)} power)"
    if not math.isfinite(found):
        able = f"{n} replicates can hardly find any difference in so large a family"
    return f"{able}; to find one as large as observed, {needed}.{_to_be_inside(row, sd, rules)}"


def _needed(numbers: tuple[int | None, int | None]) -> str:
    """Return the range of the replicates that are needed, in words."""
    fewest, most = numbers
    if fewest is None:
        return f"more than {power.MOST_REPLICATES:,} replicates are needed"
    if most is None:
        return f"{fewest} replicates or more are needed, and perhaps over {power.MOST_REPLICATES:,}"
    return f"{fewest} to {most} replicates are needed" if fewest < most else f"{fewest} replicates are needed"


def _to_be_inside(row: Mapping[str, Any], sd: float, rules: StatisticsSettings) -> str:
    """Return how many replicates would show that a difference of 0 is inside the margin, if there is a margin."""
    if math.isnan(row["margin"]) or row["withheld"]:
        return ""
    needed = equivalence.replicates_for_equivalence(sd, row["margin"], rules.alpha, rules.power, rules.estimate)
    if needed is not None and needed <= row["n"]:
        return ""
    number = f"more than {power.MOST_REPLICATES:,}" if needed is None else str(needed)
    return f" To show that a difference of 0 lies within ±{row['margin']:.3g}, {number} replicates are needed."


def out_of_reach(n: int, rules: StatisticsSettings) -> str:
    """Return a sentence without full stop if n replicates cannot give any significant result; otherwise ``""``."""
    fewest = power.fewest_replicates(rules.alpha)
    if fewest is None:
        return f"No number of replicates can reach p < {rules.alpha:g}"
    if n >= fewest:
        return ""
    return f"{n} replicates are too few: no result can reach p < {rules.alpha:g}; at least {fewest} are needed"


def percent(share: float) -> str:
    """Return a share as a percentage, as the report prints it."""
    return f"{share:.0%}".replace("%", " %")


def p_text(p: float) -> str:
    """Return a p as papers print it."""
    if math.isnan(p):
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def interval_text(row: Mapping[str, Any]) -> str:
    """Return the interval of a comparison in brackets, with a space before; empty for a single replicate."""
    if math.isnan(row["low"]):
        return ""
    return f" (95 % interval {signed(row['low'])} to {signed(row['high'])})"


def _wins(row: Mapping[str, Any]) -> str:
    """Return in how many replicates the comparison is better, or higher; a difference of 0 counts half."""
    if row["n"] < 2:
        return ", 1 replicate"
    word = "better" if row["direction"] in ("lower", "higher") else "higher"
    return f", {word} in {row['p_better'] * row['n']:g} of {row['n']} replicates"


def signed(value: float) -> str:
    """Return a number with its sign, to three digits."""
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
