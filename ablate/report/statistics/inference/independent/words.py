"""Sentences about comparisons of independent runs: how many runs, what they could find, and what it would take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.report.statistics.inference.independent import power
from ablate.report.statistics.inference.independent.equivalence import runs_for_equivalence
from ablate.report.statistics.inference.power import MOST_REPLICATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.statistics.inference.independent.groups import Groups
    from ablate.settings import StatisticsSettings


def wins(row: Mapping[str, Any]) -> str:
    """Return in what share of the pairs of runs the comparison is better, with a comma before; and the runs."""
    word = "better" if row["direction"] in ("lower", "higher") else "higher"
    share = "" if math.isnan(row["p_better"]) else f", {word} in {100 * row['p_better']:.0f} % of the pairs of runs"
    return f"{share}, {runs(row['values'])}"


def runs(groups: Groups) -> str:
    """Return the numbers of runs of the variants: ``5 and 8 independent runs``."""
    sizes = groups.sizes
    if len(sizes) == 2:
        return f"{sizes[0]} and {sizes[1]} independent runs"
    few, most = min(sizes), max(sizes)
    return f"{few} {'' if few == most else f'to {most} '}independent runs of each of {len(sizes)} variants"


def alike(groups: Groups) -> str:
    """Return the numbers of runs that are alike."""
    return f"{sum(groups.sizes)} independent runs"


def what_it_takes(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """Return what the runs of a comparison could find, and how many would settle it."""
    groups, level = row["values"], float(row["level"])
    if min(groups.sizes) < 2:
        return "A single run has no spread: add runs of each variant."
    out = out_of_reach(row, rules)
    if out:
        return f"{out}."
    found = power.detectable(groups, level, rules.power)
    able = f"With these runs, a difference of {found:.2g} would be found ({100 * rules.power:.0f} % power)"
    if not math.isfinite(found):
        able = (
            f"Among {row['family']} comparisons, these runs find only a difference that is far larger than their noise"
        )
    needed = _needed(power.runs_range(groups, level, rules.power, two=_two(row)))
    return f"{able}; to find one as large as observed, {needed}.{_to_be_inside(row, rules)}"


def _needed(numbers: tuple[int | None, int | None]) -> str:
    fewest, most = numbers
    if fewest is None:
        return f"more than {MOST_REPLICATES:,} runs of each variant are needed"
    if most is None:
        return f"{fewest} runs of each variant or more are needed, and perhaps over {MOST_REPLICATES:,}"
    return f"{fewest} {f'to {most} ' if fewest < most else ''}runs of each variant are needed"


def _to_be_inside(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    if math.isnan(row["margin"]) or row["withheld"]:
        return ""
    groups, margin = row["values"], row["margin"]
    needed = runs_for_equivalence(groups, margin, rules.alpha, rules.power)
    if needed is not None and needed <= min(groups.sizes):
        return ""
    number = f"more than {MOST_REPLICATES:,}" if needed is None else str(needed)
    return f" To show that a difference of 0 lies within ±{margin:.3g}, {number} runs of each variant are needed."


def _two(row: Mapping[str, Any]) -> bool:
    """Check whether a comparison of two variants is alone in its family: labels are shuffled among these two only."""
    return row["family"] <= 1 and len(row["values"].sizes) == 2


def out_of_reach(row: Mapping[str, Any], rules: StatisticsSettings) -> str:
    """Return a sentence without full stop if these numbers of runs cannot give any significant result."""
    sizes = row["values"].sizes
    if row["level"] > 0 and min(sizes) >= power.FEWEST:
        return ""
    counts = " and ".join(map(str, dict.fromkeys(sizes)))
    fewest = power.fewest_runs(rules.alpha, two=_two(row))
    return f"{counts} runs are too few: no result can reach p < {rules.alpha:g}; {fewest} of each variant are enough"
