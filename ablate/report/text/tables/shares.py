"""Tables of the shares of a study's parts in the total difference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.report.statistics import verdicts
from ablate.report.statistics.comparisons.attribution import DEPENDENCE, SHARE
from ablate.report.text.rules import interval_note
from ablate.report.text.tables.grid import EMPTY, Cell, Column, Grid, Row, quantity_columns, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.answers.shares import Share, Shares
    from ablate.report.statistics.rows import Quantity

TOTAL = "total"


def share_grid(analysis: Analysis) -> Grid:
    """Return the share of each part in every headline quantity, and the total that they add up to."""
    quantities = [quantity for quantity in analysis.in_order if quantity in analysis.shares]
    if not quantities:
        return Grid("Shares of the total difference", "part", (), ())
    found = [analysis.shares[quantity] for quantity in quantities]
    columns = [_cells(shares, exact=analysis.rules.estimate == "mean") for shares in found]
    names = [str(row["comparison"]) for row in found[0].rows] + [TOTAL]
    aliases = [str(row["alias"]) for row in found[0].rows] + [""]
    rows = tuple(
        Row(name, tuple(cells[place] for cells in columns), (f"or {alias}",) if alias else ())
        for place, (name, alias) in enumerate(zip(names, aliases, strict=True))
    )
    caption = f"Shares of the total difference between {analysis.parts.ends}, with 95 % intervals"
    return Grid(caption, "part", quantity_columns(analysis, quantities), rows, _foot(analysis))


def detail_grids(analysis: Analysis) -> list[Grid]:
    """Return, for each primary quantity, the shares beside the effects of each part in the bare and the full model."""
    found = [(quantity, analysis.shares[quantity]) for quantity in analysis.primary if quantity in analysis.shares]
    return [_detail_grid(analysis, quantity, shares) for quantity, shares in found if shares.shares[0].dependence]


def _detail_grid(analysis: Analysis, quantity: Quantity, shares: Shares) -> Grid:
    values, _ = shares.printed(exact=analysis.rules.estimate == "mean")
    digits = shares.decimals
    rows = tuple(
        _detail_row(share, value, digits)
        for share, value in zip(shares.shares, values[: len(shares.shares)], strict=True)
    )
    columns = (
        Column("share", "average over all orders of adding"),
        Column("add one in", "to the bare model"),
        Column("leave one out", "of the full model"),
        Column("difference of these two", "0 without interactions"),
        Column("largest interaction", words=True),
    )
    foot = (
        "A part's share is its effect averaged over every order in which the parts can be added. Add one in and leave "
        "one out are the first and the last step of such orders: they have intervals and no verdict."
    )
    return Grid(f"Each part in {analysis.label(quantity)}, with 95 % intervals", "part", columns, rows, foot)


def _detail_row(share: Share, value: float, digits: int) -> Row:
    partner = share.partner
    interaction = Cell(f"with {partner.name}: {signed(partner.size, digits)}") if partner else EMPTY
    cells = (
        _cell(share.row, value, digits),
        *(_cell(row, float(row["difference"]), digits) if row else EMPTY for row in (share.first, share.last)),
        _cell(share.dependence, float(share.dependence["difference"]), digits) if share.dependence else EMPTY,
        interaction,
    )
    return Row(share.name, cells)


def _cells(shares: Shares, *, exact: bool) -> list[Cell]:
    values, total = shares.printed(exact=exact)
    digits = shares.decimals
    cells = [_cell(row, value, digits) for row, value in zip(shares.rows, values, strict=True)]
    return [*cells, _cell(shares.total, total, digits)]


def _cell(row: Mapping[str, Any], value: float, digits: int) -> Cell:
    mark = verdicts.mark(row)
    interval = "" if math.isnan(row["low"]) else f"{signed(row['low'], digits)} to {signed(row['high'], digits)}"
    return Cell(f"{signed(value, digits)} {mark}".strip(), interval, row["verdict"], float(row["difference"]))


def _foot(analysis: Analysis) -> str:
    """Return what the shares are, and what they assume."""
    parts = analysis.parts
    texts = ["Shapley values in each replicate: the effect of a part, averaged over every order of adding the parts."]
    if parts.half:
        texts = ['Main effects in half of the combinations; each is mixed with the interaction after "or".']
    if analysis.rules.estimate == "mean":
        texts.append("The shares add up to the total, also as printed.")
    if parts.over:
        texts.append(f"Averaged over the levels of {', '.join(parts.over)}.")
    if parts.left_out:
        texts.append(f"{parts.left_out} variants without all other combinations are left out.")
    texts.append("Each interval is for one share alone; the marks are those of the other tables.")
    return f"{' '.join(texts)}{interval_note(analysis.of_kind(SHARE, DEPENDENCE))}"
