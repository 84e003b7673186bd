"""The texts of ``ablate study compare``: whether replicates are paired, the rows of the table, and its notes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.report.statistics import verdicts
from ablate.report.statistics.described import summary
from ablate.report.statistics.rows import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from ablate.report.statistics.analysis.analysis import Analysis

#: The headers of the table of all comparisons.
HEADERS = ("comparison", "quantity", "verdict", "difference", "95 % interval", "p", "n")


class Kind(NamedTuple):
    """The kind of a comparison.

    Attributes:
        paired: whether replicate k of both belongs together.
        one_study: whether two variants of one study are compared, so that its report has the answer, or could have it.
        same_block: whether both are in the same block.
    """

    paired: bool
    one_study: bool
    same_block: bool


def kind_of(studies: Sequence[Analysis], variants: tuple[str, str] | None, blocks: tuple[str, str]) -> Kind:
    """Return what is compared.

    Args:
        studies: both.
        variants: one of each; None for whole studies.
        blocks: of the variants; empty in studies without blocks.
    """
    one, other = (analysis.study for analysis in studies)
    same = one.record.name == other.record.name
    seeds = one.record.seed == other.record.seed and not (_judged(one) or _judged(other))
    paired = blocks[0] == blocks[1] and (one.paired if same else seeds)
    return Kind(
        paired, same and variants is not None and len({*variants}) > 1 and not blocks[0], blocks[0] == blocks[1]
    )


def _judged(study: Any) -> bool:
    """Check whether others have computed the results of a study, so that its seed means nothing."""
    return bool(study.spec.get("judged"))


def pairing(studies: Sequence[Analysis], kind: Kind, variants: tuple[str, str] | None) -> str:
    """Return a sentence about the pairs of replicates, or why there are none."""
    one, other = (analysis.study for analysis in studies)
    if kind.paired:
        if _judged(one):
            return "Paired: replicate k of both belongs together, as in the judged results."
        return f"Paired: replicate k of both has the same seeds (study seed {one.record.seed})."
    reason = f"the studies have the seeds {one.record.seed} and {other.record.seed}"
    if not kind.same_block:
        reason = "they are in two blocks"
    elif kind.one_study or (one.record.name == other.record.name):
        reason = "they are independent runs"
    elif _judged(one) or _judged(other):
        reason = "they are two studies, and others have computed the results"
    groups = "" if variants else "; every variant is compared with the baseline of its own study"
    return (
        f"Not paired: {reason}, so their replicates share nothing. The replicates of each are one group, and the "
        f"groups are compared{groups}."
    )


def notes(frame: pd.DataFrame, *, in_report: bool, between: bool) -> Iterator[str]:
    """Yield what p is corrected for, and what the star after a verdict means.

    Args:
        frame: the comparisons.
        in_report: whether some of them are those of a study's report.
        between: whether some of them are between two studies.
    """
    if frame.empty:
        return
    start = "Each interval is for one comparison alone. p is corrected for all comparisons of the"
    together = "primary quantity together, and for those of all other quantities together"
    if in_report:
        more = f" Between the studies, it is corrected for those of the {together}." if between else ""
        yield (
            f"{start} study's primary quantity together, and for those of its secondary quantities together, as in its "
            f"report; exploratory quantities have no verdict.{more}"
        )
    else:
        yield f"{start} {together}."
    ways = dict.fromkeys(filter(None, map(verdicts.beside, records(frame))))
    if ways:
        yield f"* The verdict decides. {' '.join(f'{verdicts.BESIDES[way]}.' for way in ways)}"


def table_row(row: Mapping[str, Any], label: str) -> tuple[str, ...]:
    """Return the cells of a comparison, one for each of :data:`HEADERS`."""
    name = f"{row['comparison']} - {row['versus']}" if row["versus"] else row["comparison"]
    interval = summary.NOTHING if math.isnan(row["low"]) else f"{row['low']:+.3g} to {row['high']:+.3g}"
    return (
        name,
        label,
        f"{verdicts.WORDS[row['verdict']]}{' *' if verdicts.beside(row) else ''}",
        f"{row['difference']:+.3g}",
        interval,
        verdicts.p_text(row["p_adjusted"]) if row["verdict"] else summary.NOTHING,
        str(row["replicates"]),
    )
