"""The table of the noise: sampling or training, and the number of samples that is best for a given cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.report.statistics.described.summary import NOTHING
from ablate.report.statistics.inference.variance import Bounded
from ablate.report.statistics.rows import records, rows_of
from ablate.report.text.advice import advice_sentence, bounded_percent, count
from ablate.report.text.tables.grid import Cell, Column, Grid, Row, number

if TYPE_CHECKING:
    from ablate.report.statistics.analysis.analysis import Analysis

_COLUMNS = (
    Column("sampling noise", "share of the variance of a replicate's difference, 95 % interval"),
    Column("replicates"),
    Column("samples", "of each replicate"),
    Column("best samples", "for a given cost, range"),
)


def variance_grid(analysis: Analysis) -> Grid:
    """Return one row for each headline quantity that has samples; the comparisons with the baseline together."""
    rows = []
    for quantity in analysis.in_order:
        row = _summary(analysis, quantity)
        if row:
            rows.append(Row(analysis.label(quantity), _cells(row)))
    return Grid("Parts of the noise in each quantity", "quantity", _COLUMNS, tuple(rows), _foot(analysis))


def _summary(analysis: Analysis, quantity: tuple[str, str]) -> dict[str, Any] | None:
    """Return the row of all comparisons with the baseline together; with one other variant, its own."""
    found = records(rows_of(analysis.variance, quantity))
    return next((row for row in found if row["kind"] in ("pooled", "variant")), None)


def _cells(row: dict[str, Any]) -> tuple[Cell, ...]:
    share, optimal = (Bounded(*(row[f"{name}{end}"] for end in ("", "_low", "_high"))) for name in ("share", "optimal"))
    best = (
        Cell(NOTHING)
        if math.isnan(optimal.value)
        else Cell(count(optimal.value), f"{count(optimal.low)} to {count(optimal.high)}", sort=optimal.value)
    )
    return (
        Cell(bounded_percent(share), sort=share.value),
        Cell(str(row["n"])),
        Cell(number(row["samples"], 0)),
        best,
    )


def _foot(analysis: Analysis) -> str:
    costs = analysis.costs
    start = (
        "The variance of a difference has two parts: every training is another one, and so is every sample of it. "
        "More samples make only the second part smaller, more replicates both. All comparisons with the baseline "
        "together; data/variance.csv contains each of them."
    )
    if costs is None:
        return start
    cost = (
        f" For each variant and replicate, a training took {costs.training:,.1f} s and a sample {costs.sample:.2g} s, "
        "its measurements included; trainings that variants share are divided among them."
    )
    advice = analysis.advice
    return start + cost + (f" {advice_sentence(advice, analysis.label(analysis.primary[0]))}" if advice else "")
