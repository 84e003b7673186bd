"""From numbers to a verdict, and its sentence in plain words. The rules are in docs/explanation/verdicts.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ablate.report.statistics import roles
from ablate.report.statistics.inference import equivalence, intervals, power
from ablate.report.statistics.inference.independent import words
from ablate.report.statistics.inference.independent.groups import Groups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.arrays import FloatArray
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
#: The levels that verdicts are usually given at.
_LIMITS = (0.05, 0.1)
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


#: What is added to the mark of a verdict that its interval seems to contradict.
BESIDE = "*"
#: Why an interval may seem to contradict the verdict next to it, which decides; by :func:`beside`.
BESIDES: dict[str, str] = {
    "apart": "The interval is for this comparison alone, p for all comparisons of its family",
    "around": "The interval is Student's t and contains 0; the verdict is that of the sign-flip test",
    "beyond": "The interval reaches beyond the margin: two one-sided tests at 5 % are as strict as a 90 % interval",
}


def beside(row: Mapping[Any, Any]) -> str:
    """Return in what way the interval of a comparison seems to contradict its verdict; empty if it does not.

    ``apart``: it cannot be told although the interval does not contain 0. ``around``: a difference is claimed although
    it does. ``beyond``: the difference is too small to matter although the interval reaches beyond the margin.
    """
    if row["verdict"] == "inconclusive":
        return "apart" if row["low"] > 0 or row["high"] < 0 else ""
    if row["verdict"] in DIFFERENT:
        return "around" if row["low"] <= 0 <= row["high"] else ""
    if row["verdict"] == "equivalent":
        return "beyond" if max(-row["low"], row["high"]) > row["margin"] else ""
    return ""


def mark(row: Mapping[Any, Any]) -> str:
    """Return the mark of a verdict, with :data:`BESIDE` where its interval seems to contradict it."""
    return f"{MARKS[row['verdict']]}{BESIDE if beside(row) else ''}"


def beside_text(row: Mapping[Any, Any]) -> str:
    """Return the sentence about an interval that seems to contradict its verdict, with a space before it."""
    way = beside(row)
    return f" {BESIDES[way]}." if way else ""


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
    if _alike(row["values"]):
        return "alike"
    if row["p_equivalent"] < alpha:  # false for NaN, as the next one
        return "equivalent"
    if not row["p_adjusted"] < alpha:
        return "inconclusive"
    if row["direction"] not in ("lower", "higher"):
        return "higher" if row["difference"] > 0 else "lower"
    return "better" if (row["difference"] < 0) == (row["direction"] == "lower") else "worse"


def _alike(values: FloatArray | Groups) -> bool:
    return values.alike if isinstance(values, Groups) else not np.nan_to_num(values).any()


def sentence(row: Mapping[str, Any], rules: StatisticsSettings, quantity: str, caveat: str = "") -> str:
    """Return the verdict of a comparison as one plain sentence.

    Args:
        row: from :func:`ablate.report.statistics.effects.judge`.
        rules: the study's statistics.
        quantity: the name of the quantity.
        caveat: a clause that must not be apart from the claim of a difference, with a comma before it.
    """
    name, versus, verdict = str(row["comparison"]), str(row["versus"]), row["verdict"]
    detail = f"{quantity} {signed(row['difference'])}{interval_text(row)}{wins(row)}"
    average = "" if row["kind"] != "main effect" else ", on average over the other axes"
    if verdict == "equivalent":
        subject = f"No difference that matters between {name} and {versus}" if versus else f"{name}: {WORDS[verdict]}"
        within = f"within ±{row['margin']:.3g} ({row['margin_of']})"
        return f"{subject}{average}: {detail}, {within}, {p_text(row['p_equivalent'])}.{beside_text(row)}"
    if verdict == "alike":
        counted = f"{row['n']} replicate{'s' if row['n'] > 1 else ''}"
        alike = WORDS[verdict]
        if isinstance(row["values"], Groups):
            counted, alike = words.alike(row["values"]), alike.replace("replicate", "run")
        subject = f"{name} and {versus} are {alike}" if versus else f"{name}: {alike.replace('alike', '0')}"
        return f"{subject}{average}: {quantity}, {counted}."
    if verdict == "inconclusive":
        subject = f"Cannot tell {name} from {versus}" if versus else f"{name}: {WORDS[verdict]}"
        takes = what_it_takes(row, rules)
        return f"{subject}{average}: {detail}, {p_text(row['p_adjusted'])}.{beside_text(row)} {takes}"
    subject = f"{name} is {WORDS[verdict]} than {versus}" if versus else f"{name}: {WORDS[verdict]}"
    return f"{subject}{average}{caveat}: {detail}, {p_text(row['p_adjusted'])}.{beside_text(row)}"


def what_it_takes(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """Return what the replicates of a comparison could find, and how many would settle it.

    Args:
        row: from :func:`ablate.report.statistics.effects.judge`.
        rules: the study's statistics.
    """
    if isinstance(row["values"], Groups):
        return words.what_it_takes(row, rules)
    n = int(row["n"])
    if n < 2:
        return "A single replicate has no spread: run more replicates."
    out = out_of_reach(n, rules)
    if out:
        return f"{out}."
    level = float(row["level"])
    needed = _needed(power.replicates_range(float(row["effect"]), n, level, rules.power, rules.estimate))
    alone = " in a study with one look" if row["level_now"] != level else ""
    inside = _to_be_inside(row, deviation(row, rules), rules)
    return f"{_able(row, rules)}; to find one as large as observed{alone}, {needed}.{inside}"


def deviation(row: Mapping[str, Any], rules: StatisticsSettings) -> float:
    """Return the standard deviation of a replicate's difference, in the unit of the quantity.

    For the interquartile mean it is the one that has this standard error.
    """
    known = np.asarray(row["values"])[~np.isnan(row["values"])]
    return float(intervals.spread(known, rules.estimate).error) * math.sqrt(len(known))


def _able(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """Return the difference that these replicates would find at this look."""
    n, level, now, family = int(row["n"]), float(row["level"]), float(row["level_now"]), int(row["family"])
    found = power.minimum_detectable(n, now, rules.power) * deviation(row, rules)
    look = " at this look" if now != level else ""
    if math.isfinite(found):
        return f"With {n} replicates{look}, a difference of {found:.2g} would be found ({percent(rules.power)} power)"
    if now != level:
        left = "only a difference that is nearly the same in every replicate" if now else "no further difference"
        return f"At this look, with what other looks leave of alpha, {n} replicates find {left}"
    fewest = power.fewest_replicates(rules.alpha / family)
    more = f"; from {fewest} replicates on, less clear ones too" if fewest and fewest > n else ""
    return (
        f"Among {family} comparisons, {n} replicates find only a difference that is nearly the same in every "
        f"replicate{more}"
    )


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


def out_of_reach_of(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """Return :func:`out_of_reach` for a comparison, of replicates or of independent runs."""
    if isinstance(row["values"], Groups):
        return words.out_of_reach(row, rules)
    return out_of_reach(int(row["n"]), rules)


def percent(share: float) -> str:
    """Return a share as a percentage, as the report prints it."""
    return f"{share:.0%}".replace("%", " %")


def p_text(p: float) -> str:
    """Return a p as papers print it."""
    if math.isnan(p):
        return "p unknown"
    if p < 0.001:
        return "p < 0.001"
    # a p that is not at a usual limit is not printed as if it were, so that "p = 0.05" is beside no claim
    digits = next(d for d in (2, 3, 4, 5, 16) if float(f"{p:.{d}g}") not in _LIMITS or p in _LIMITS or d == 16)
    return f"p = {p:.{digits}g}"


def interval_text(row: Mapping[str, Any]) -> str:
    """Return the interval of a comparison in brackets, with a space before; empty for a single replicate."""
    if math.isnan(row["low"]):
        return ""
    return f" (95 % interval {signed(row['low'])} to {signed(row['high'])})"


def wins(row: Mapping[str, Any]) -> str:
    """Return in how many replicates the comparison is better, or higher; a difference of 0 counts half."""
    if isinstance(row["values"], Groups):
        return words.wins(row)
    if row["n"] < 2:
        return ", 1 replicate"
    if not np.nan_to_num(row["values"]).any():
        return f", equal in all {row['n']} replicates"
    word = "better" if row["direction"] in ("lower", "higher") else "higher"
    return f", {word} in {row['p_better'] * row['n']:g} of {row['n']} replicates"


def signed(value: float) -> str:
    """Return a number with its sign, to three digits."""
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
