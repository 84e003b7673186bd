"""Sentences about the steps of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.report.statistics import verdicts
from ablate.report.statistics.comparisons.path import STEP
from ablate.report.statistics.rows import records, rows_of
from ablate.report.text.lines import Block, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.comparisons.path import Path


def path_blocks(analysis: Analysis) -> Iterator[Block]:
    """Yield a block for each primary quantity of a path: its steps in order, and the runs that racing has spared."""
    path = analysis.path
    if path is None:
        return
    for quantity in analysis.primary:
        rows = {row["comparison"]: row for row in records(rows_of(analysis.of_kind(STEP), quantity))}
        lines = [Line("", _order(path))]
        for place, change in enumerate(path.changes, start=1):
            if change in rows:
                lines.append(Line(rows[change]["verdict"], _step(place, rows[change])))
            else:
                text = f"Step {place}, {change}: no replicate has both this variant and the one before."
                lines.append(Line("", text))
        yield Block(f"Path from {path.taken[0]} to {path.target}, {analysis.label(quantity)}", tuple(lines))


def path_warning(analysis: Analysis) -> Iterator[str]:
    """Yield how far the sizes of the steps can be trusted."""
    if analysis.path and analysis.path.changes:
        yield (
            "The order of the path was chosen from these same results: each step is the change that looked best in its "
            "round, so early steps look larger than they are, and later ones smaller. The verdicts allow for this "
            "choice, the sizes and intervals of single steps do not."
        )


def spared(analysis: Analysis) -> str:
    """Return how many runs racing has spared."""
    runs = analysis.study.runs
    count = sum(run.state == "pruned" for run in runs)
    return f"Racing has spared {count} of {len(runs)} runs." if count else ""


def _order(path: Path) -> str:
    if not path.changes:
        return "No step has been taken yet."
    unfinished = f" The path is not finished: {path.left} changes are left." if path.left > 1 else ""
    unfinished = " The path is not finished: one change is left." if path.left == 1 else unfinished
    return f"In this order: {', then '.join(path.changes)}.{unfinished}"


def _step(place: int, row: Mapping[str, Any]) -> str:
    """Return the verdict about one step."""
    name, verdict = row["comparison"], row["verdict"]
    size = f"{verdicts.signed(row['difference'])}{verdicts.interval_text(row)}"
    count = f"{row['n']} replicate{'s' if row['n'] > 1 else ''}"
    p = verdicts.p_text(row["p_equivalent"] if verdict == "equivalent" else row["p_adjusted"])
    start = f"Step {place}, {name},"
    if verdict == "alike":
        return f"{start} changes nothing: its difference is 0 in every replicate, {count}."
    if verdict == "equivalent":
        margin = f"within ±{row['margin']:.3g}"
        return f"{start} makes no difference that matters: {size}, {margin}, {p}, {count}."
    if verdict == "inconclusive":
        return f"{start}: cannot tell whether it makes a difference: {size}, {p}, {count}.".replace(",:", ":")
    return f"{start} makes it {verdicts.WORDS[verdict]}: {size}, {p}, {count}."
