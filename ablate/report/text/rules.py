"""The rules behind the verdicts in words: families, error rates, marks and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.statistics import verdicts
from ablate.report.statistics.rows import records

if TYPE_CHECKING:
    import pandas as pd

    from ablate.report.statistics.analysis.analysis import Analysis

#: The way of comparing replicates that do not belong together.
INDEPENDENT = (
    "Replicate k of one variant has nothing in common with replicate k of another, so the means of the variants are "
    "compared. The parts of sampling and training in the noise need pairs and are left out, and p is not corrected "
    "for several looks."
)


def promise_in_words(analysis: Analysis) -> str:
    """Return the families of comparisons, and how many false statements to expect in each; empty without a family."""
    share, frame = verdicts.percent(analysis.rules.alpha), analysis.all_effects
    parts = []
    for role, subject in (("primary", _quantities(analysis)), ("secondary", "the other quantities in the table")):
        size = int(frame.loc[frame["role"] == role, "family"].max()) if (frame["role"] == role).any() else 0
        if size:
            parts.append(f"{subject} ({role}, {size} comparison{'s' if size > 1 else ''})")
    if not parts:
        return ""
    several = len(analysis.study.variant_levels.levels) > 2
    best = f" The best variant is excluded by mistake in at most {share} of studies." * bool(analysis.best and several)
    rest = " All other quantities are exploratory: they have intervals and no verdict."
    independent = "" if analysis.study.paired else f" {INDEPENDENT}"
    test = "a sign-flip test over paired replicates"
    if not analysis.study.paired:
        test = "two tests of independent runs, the larger one"
    return (
        f"Each p is that of {test}, and is corrected for all comparisons of its family together (max-T; for no "
        f"difference that matters, Holm): {'; '.join(parts)}. In each family, at most "
        f"{share} of studies in which no variants differ have any false claim of a difference.{best}"
        f"{rest if 'exploratory' in set(analysis.role_of.values()) else ''}{independent}"
    )


def _quantities(analysis: Analysis) -> str:
    return " and ".join(analysis.label(quantity) for quantity in analysis.primary)


def rules_in_words(analysis: Analysis) -> str:
    """Return how verdicts are reached, for the foot of a table."""
    rules = analysis.rules
    middle = "mean" if rules.estimate == "mean" else "interquartile mean"
    marks = ", ".join(f"{mark} {verdicts.WORDS[verdict]}" for verdict, mark in verdicts.MARKS.items() if verdict)
    margin = (
        " No difference that matters: tests inside the margin that the study states; they say nothing about failures "
        "that are too rare to have occurred in these replicates."
        if analysis.margins
        else ""
    )
    method = (
        f"Differences of the {middle} over replicates, paired by seed; each 95 % interval is for one comparison alone. "
        f"Better, worse, higher or lower: the replicates' differences lean to one side (sign-flip test, p < "
        f"{rules.alpha:g})."
    )
    if not analysis.study.paired:
        whose = "Welch" if middle == "mean" else "Yuen"
        method = (
            f"Differences of the {middle}s of independent runs, each with {whose}'s 95 % interval for one comparison "
            "alone, and the share of all pairs of runs in which a variant is better. Better, worse, higher or lower: "
            f"p < {rules.alpha:g}, where p is the larger one of two tests: shuffled labels, and normal values that "
            "scatter as those of each variant do."
        )
    return (
        f"{method} p is corrected for all comparisons of the primary quantity together, and for those of all "
        f"secondary quantities together: in each of these two families, at most {verdicts.percent(rules.alpha)} of "
        f"studies in which no variants differ have any false claim.{margin} Marks: {marks}."
    )


def interval_note(rows: pd.DataFrame) -> str:
    """Return what the star after a mark means, with a space before it; empty if no interval contradicts its verdict."""
    ways = dict.fromkeys(filter(None, map(verdicts.beside, records(rows))))
    sentences = (f"{verdicts.BESIDES[way]}." for way in ways)
    return f" {verdicts.BESIDE} The verdict decides. {' '.join(sentences)}" if ways else ""
