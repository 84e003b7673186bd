"""The table of blocks: each comparison in each block, its spread between blocks, and in how many blocks it holds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.report.statistics import verdicts
from ablate.report.statistics.described import summary
from ablate.report.statistics.rows import records, rows_of
from ablate.report.text.tables.grid import EMPTY, Cell, Column, Grid, Row, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

_FOOT = (
    "Differences inside each block and their mean over all blocks, with 95 % intervals, which are not corrected for "
    "the number of blocks. sd between blocks: standard deviation of the true differences of the blocks, with its "
    "95 % interval; p: that there is none, corrected for the comparisons. Holds in: the number of blocks in which the "
    "claimed difference holds at least (partial conjunction, corrected for the comparisons)."
)


def block_grids(analysis: Analysis) -> list[Grid]:
    """Return a table for each primary quantity; empty in a study without blocks."""
    return [_grid(analysis, quantity) for quantity in analysis.primary] if analysis.study.blocks else []


def _grid(analysis: Analysis, quantity: Quantity) -> Grid:
    blocks = analysis.study.blocks
    # rows that only describe others are in the table of shares
    overall = rows_of(analysis.all_effects.loc[analysis.replicability.index], quantity)
    inside = {
        (row["kind"], row["comparison"], row["block"]): row
        for row in records(rows_of(analysis.block_effects, quantity))
    }
    spread = records(analysis.replicability.loc[overall.index])
    rows = [
        Row(
            str(row["comparison"]),
            (
                _difference(row, f" {verdicts.MARKS[row['verdict']]}"),
                *(_difference(inside.get((row["kind"], row["comparison"], name))) for name in blocks.names),
                _spread(between),
                _holds(between),
            ),
            () if row["kind"] == "variant" else (str(row["kind"]),),
        )
        for row, between in zip(records(overall), spread, strict=True)
    ]
    columns = ("all blocks", *blocks.names, "sd between blocks")
    caption = f"{analysis.label(quantity)} in each of {blocks.label}"
    return Grid(caption, "comparison", (*map(Column, columns), Column("holds in", words=True)), tuple(rows), _FOOT)


def _difference(row: Mapping[str, Any] | None, mark: str = "") -> Cell:
    if row is None:
        return EMPTY
    digits = summary.decimals([row["difference"]], [(row["high"] - row["low"]) / 4])
    interval = "" if math.isnan(row["low"]) else f"{signed(row['low'], digits)} to {signed(row['high'], digits)}"
    kind = row["verdict"] if mark else ""
    return Cell(f"{signed(row['difference'], digits)}{mark}", interval, kind, float(row["difference"]))


def _spread(row: Mapping[str, Any]) -> Cell:
    if math.isnan(row["sd_between"]):
        return EMPTY
    ends = f"{row['sd_low']:.2g} to {row['sd_high']:.2g}, {verdicts.p_text(row['p_heterogeneity'])}"
    return Cell(f"{row['sd_between']:.2g}", ends, "", float(row["sd_between"]))


def _holds(row: Mapping[str, Any]) -> Cell:
    if math.isnan(row["p_holds"]):
        return Cell("no claim")
    p = verdicts.p_text(row["p_holds"])
    if not row["holds_in"]:
        return Cell("not claimed for any number", p, "", 0.0)
    return Cell(f"at least {row['holds_in']} of {row['blocks']}", p, "", float(row["holds_in"]))
