"""The top of a report in plain sentences: what a study shows, how sure it is, and what stands in the way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.report.statistics import trends, verdicts
from ablate.report.statistics.analysis import MOST_SENTENCES, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from ablate.report.statistics.analysis import Analysis, Quantity

#: Names listed where there are too many for a sentence each.
MOST_NAMES = 6


@dataclasses.dataclass(frozen=True)
class Line:
    """One sentence; its verdict, or an empty text where it has none."""

    verdict: str
    text: str


@dataclasses.dataclass(frozen=True)
class Block:
    """Sentences about one thing, under a heading."""

    heading: str
    lines: tuple[Line, ...]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the top of a report says.

    Attributes:
        blocks: verdicts, the most important first.
        warnings: what to know before believing them.
    """

    blocks: tuple[Block, ...]
    warnings: tuple[str, ...]


def answer(analysis: Analysis) -> Answer:
    """The verdicts of a study and what to know before believing them."""
    blocks = [*_primary(analysis), *_contrasts(analysis), *_crossed(analysis)]
    return Answer(tuple(block for block in blocks if block.lines), tuple(_warnings(analysis)))


def _primary(analysis: Analysis) -> Iterator[Block]:
    for quantity in analysis.primary:
        direction = analysis.directions()[quantity]
        better = f" ({direction} is better)" if direction in ("lower", "higher") else ""
        lines = [
            *_sentences(analysis, analysis.against_baseline, quantity),
            *_copying(analysis, quantity),
            *_best(analysis, quantity),
            *_trends(analysis, quantity),
        ]
        yield Block(f"{analysis.label(quantity)}{better}, against {analysis.study.baseline}", tuple(lines))


def _sentences(analysis: Analysis, frame: pd.DataFrame, quantity: Quantity) -> list[Line]:
    """A sentence for each comparison, or where these are many a count of them for each verdict."""
    own = analysis.of(frame, quantity)
    if len(own) <= MOST_SENTENCES:
        return _once([Line(*found) for found in analysis.sentences(own, quantity)], _reach(own, analysis))
    lines = []
    for verdict, count in counted(own).items():
        rows = own[own["verdict"] == verdict].sort_values("effect", key=lambda e: -e.abs(), kind="stable")
        names = _listed(list(rows["comparison"]))
        reach = _reach(rows, analysis) if verdict == "cannot tell" else ""
        lines.append(Line(verdict, f"{count} of {len(own)}: {verdict} ({names}).{reach}"))
    return lines


def _once(lines: list[Line], reach: str) -> list[Line]:
    """What several sentences end with alike, said once, after them."""
    alike = [line.text.endswith(reach) for line in lines]
    if not reach or sum(alike) < 2:
        return lines
    shorter = [
        Line(line.verdict, line.text.removesuffix(reach) if same else line.text)
        for line, same in zip(lines, alike, strict=True)
    ]
    return [*shorter, Line("", reach.strip())]


def _reach(rows: pd.DataFrame, analysis: Analysis) -> str:
    """That so many comparisons needed more replicates to be told at all."""
    if rows.empty:
        return ""
    out = verdicts.out_of_reach(int(rows["n"].max()), max(int(rows["open"].max()), 1), analysis.rules)
    return f" {out}." if out else ""


def _copying(analysis: Analysis, quantity: Quantity) -> Iterator[Line]:
    marked = analysis.by_copying
    copying = analysis.copying()
    if quantity != analysis.primary[0] or not marked or copying is None:
        return
    means = analysis.of(analysis.estimates, copying).set_index("variant")["estimate"]
    shares = _listed([f"{name} {means[name]:.2f}" for name in marked if name in means.index])
    base = f"{means[analysis.study.baseline]:.2f}" if analysis.study.baseline in means.index else "unknown"
    yield Line(
        "",
        f"Closer by copying: what is better here also copies more of the training pieces "
        f"({analysis.label(copying)}: {shares}; {analysis.study.baseline} {base}).",
    )


def _best(analysis: Analysis, quantity: Quantity) -> Iterator[Line]:
    """Which variants may be the best one."""
    found = analysis.best.get(quantity)
    if found is None or len(analysis.study.names) < 3:
        return  # of two variants the comparison itself says it
    level = f"{1 - analysis.rules.alpha:.0%}".replace("%", " %")
    if len(found.candidates) == 1:
        yield Line("", f"Best is {found.name}: with {level} confidence no other variant is.")
        return
    rest = [name for name in found.candidates if name != found.name]
    if len(found.candidates) == len(analysis.study.names):
        yield Line("", f"Best by its mean is {found.name}, but none of the others can be ruled out as the best one.")
        return
    yield Line("", f"Best by its mean is {found.name}; not ruled out as the best one: {_listed(rest)}.")


def _trends(analysis: Analysis, quantity: Quantity) -> Iterator[Line]:
    for trend in analysis.trends:
        if (trend.metric, trend.feature) == quantity:
            label = analysis.study.axis_labels[trend.axis]
            yield Line("", trends.sentence(trend, label, analysis.label(quantity), analysis.rules.alpha))


def _contrasts(analysis: Analysis) -> Iterator[Block]:
    for quantity in analysis.primary:
        lines = [Line(*found) for found in analysis.sentences(analysis.contrasts, quantity)]
        yield Block(f"The study's contrasts, {analysis.label(quantity)}", tuple(lines))


def _crossed(analysis: Analysis) -> Iterator[Block]:
    for quantity in analysis.primary:
        lines = _sentences(analysis, analysis.crossed, quantity)
        yield Block(f"Main effects and interactions, {analysis.label(quantity)}", tuple(lines))


def _warnings(analysis: Analysis) -> Iterator[str]:
    spec, study = analysis.study.spec, analysis.study
    yield from analysis.warnings()
    several = [name for name, paths in analysis.changes.items() if len(paths) > 1]
    if several and spec.get("variants"):
        yield (
            f"{_listed(several)} change{'s' if len(several) == 1 else ''} several settings at once: the difference "
            "belongs to none of them alone."
        )
    if spec.get("aliases"):
        pairs = "; ".join(f"{effect} with {alias}" for effect, alias in spec["aliases"].items())
        yield f"Half a factorial cannot tell apart: {pairs}."
    if spec.get("design") == "search":
        yield (
            f"{len(study.variants)} variants were tried and chosen by their results: the best of many looks better "
            "than it is. Run it again under another seed before believing its value."
        )
    missing = [name for name in spec.get("contrasts") or {} if name not in set(analysis.contrasts["comparison"])]
    if missing:
        yield f"Not all variants of the contrast{'s' if len(missing) > 1 else ''} {_listed(missing)} are there."


def _listed(names: list[str]) -> str:
    """Names, the first few of many; apart by semicolons where a name has a comma itself."""
    apart = "; " if any("," in name for name in names) else ", "
    shown = apart.join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def rules_in_words(analysis: Analysis) -> str:
    """How verdicts are reached, for the foot of a table."""
    rules = analysis.rules
    what = "mean" if rules.estimate == "mean" else "interquartile mean"
    families = "metric" if rules.family == "metric" else "study"
    marks = ", ".join(f"{mark} {verdict}" for verdict, mark in verdicts.MARKS.items())
    return (
        f"Differences of the {what} over replicates, paired by seed. Better, worse, higher or lower: sign-flip test, "
        f"p < {rules.alpha:g} after Holm's correction over each {families}'s comparisons. No difference that matters: "
        f"two one-sided tests inside the margin, corrected likewise. Marks: {marks}."
    )
