"""From numbers to a verdict, and its sentence in plain words. The rules are in docs/statistics.md."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from ablate.report.statistics.inference import power

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.settings import StatisticsSettings

Verdict = Literal["better", "worse", "higher", "lower", "equivalent", "inconclusive"]
#: Each verdict, as data contain it, in the words of sentences and tables.
WORDS: dict[str, str] = {
    "better": "better",
    "worse": "worse",
    "higher": "higher",
    "lower": "lower",
    "equivalent": "no difference that matters",
    "inconclusive": "cannot tell",
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
    "inconclusive": "?",
}


def decide(difference: float, direction: str, p_holm: float, p_equivalent: float, alpha: float) -> Verdict:
    """Decide the verdict of one comparison.

    1. If two one-sided tests show that the difference lies inside the margin, the verdict is ``equivalent``, also for a
       significant difference.
    2. Otherwise, if the sign-flip test finds a difference, the verdict is ``better`` or ``worse``, or ``higher`` or
       ``lower`` for a metric without a better direction.
    3. Otherwise it is ``inconclusive``.

    Args:
        difference: of the means.
        direction: ``lower`` or ``higher`` is better, or ``none``.
        p_holm: of the sign-flip test, corrected; NaN if there is none.
        p_equivalent: of the two one-sided tests, corrected; NaN without a margin.
        alpha: the family-wise error rate.
    """
    if p_equivalent < alpha:  # false for NaN, as the next one
        return "equivalent"
    if not p_holm < alpha:
        return "inconclusive"
    if direction not in ("lower", "higher"):
        return "higher" if difference > 0 else "lower"
    return "better" if (difference < 0) == (direction == "lower") else "worse"


def sentence(row: Mapping[str, Any], rules: StatisticsSettings, quantity: str) -> str:
    """Return the verdict of a comparison as one plain sentence.

    Args:
        row: from :func:`ablate.report.statistics.effects.judge`.
        rules: the study's statistics.
        quantity: the name of the quantity.
    """
    name, versus, verdict = str(row["comparison"]), str(row["versus"]), row["verdict"]
    detail = f"{quantity} {_signed(row['difference'])}{_interval(row)}"
    count = f"{row['n']} replicate{'s' if row['n'] > 1 else ''}"
    average = "" if row["kind"] != "main effect" else ", on average over the other axes"
    if verdict == "equivalent":
        subject = f"No difference that matters between {name} and {versus}" if versus else f"{name}: {WORDS[verdict]}"
        within = f"within ±{row['margin']:.3g} ({row['margin_of']})"
        return f"{subject}{average}: {detail}, {within}, {p_text(row['p_equivalent'])}, {count}."
    if verdict == "inconclusive":
        subject = f"Cannot tell {name} from {versus}" if versus else f"{name}: {WORDS[verdict]}"
        return f"{subject}{average}: {detail}, {p_text(row['p_holm'])}, {count}. {what_it_takes(row, rules)}"
    subject = f"{name} is {WORDS[verdict]} than {versus}" if versus else f"{name}: {WORDS[verdict]}"
    return f"{subject}{average}: {detail}, {p_text(row['p_holm'])}{_correction(row)}, {count}."


def what_it_takes(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """Return how many replicates would settle a comparison if the observed difference is the true one."""
    n, family = int(row["n"]), max(int(row["open"]), 1)
    if n < 2:
        return "A single replicate has no spread: run more replicates."
    level = rules.alpha / family
    out = out_of_reach(n, family, rules)
    if out and (n == 2 or not power.attainable(level, power.MOST_REPLICATES)):
        return f"{out}."  # two replicates give no effect, and for too many comparisons no number is enough
    needed = power.replicates_needed(round(float(row["effect"]), 3), level, rules.power)
    share = percent(rules.power)
    if needed is None:
        return f"More than {power.MOST_REPLICATES:,} replicates would be needed to find a difference this small."
    if out:
        enough = max(needed, power.fewest_replicates(level) or 0)
        return f"{out}, {enough} for {share} power if the observed difference is the true one."
    if needed <= n:
        return f"This many replicates find a difference of this size with {share} power; here they did not."
    return f"{needed} replicates would find a difference of this size with {share} power."


def out_of_reach(n: int, family: int, rules: StatisticsSettings) -> str:
    """Return a sentence without full stop if n replicates cannot give any significant result; otherwise ``""``."""
    level = rules.alpha / family
    if power.attainable(level, n):
        return ""
    comparisons = f"{family} comparisons" if family > 1 else "one comparison"
    reach = f"reach p < {rules.alpha:g} with {comparisons}"
    fewest = power.fewest_replicates(level)
    if fewest and fewest > n:
        return f"{n} replicates are too few: no result can {reach}; at least {fewest} are needed"
    return f"No result of {n} replicates can {reach}: compare fewer variants"


def percent(share: float) -> str:
    """Return a share as a percentage, as the report prints it."""
    return f"{share:.0%}".replace("%", " %")


def p_text(p: float) -> str:
    """Return a p as papers print it."""
    if math.isnan(p):
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _correction(row: Mapping[str, Any]) -> str:
    return f" (Holm's correction over {row['family']} comparisons)" if row["family"] > 1 else ""


def _interval(row: Mapping[str, Any]) -> str:
    if math.isnan(row["low"]):
        return ""
    return f" (95 % interval {_signed(row['low'])} to {_signed(row['high'])})"


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
