"""Tables of a path: its steps, and what each of them was chosen from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.report.statistics import verdicts
from ablate.report.statistics.comparisons.path import STEP
from ablate.report.statistics.described.summary import decimals
from ablate.report.statistics.rows import records, rows_of
from ablate.report.text.path import spared
from ablate.report.text.rules import interval_note
from ablate.report.text.tables.grid import EMPTY, Cell, Column, Grid, Row, quantity_columns, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.comparisons.path import Path
    from ablate.report.statistics.rows import Quantity

_FOOT = (
    "Each step is the difference between a variant on the path and the one before, paired by replicate. All steps and "
    "the total are judged in the families of the other comparisons; each interval is for one step alone and does not "
    "allow for the choice of the order."
)


def path_grid(analysis: Analysis) -> Grid:
    """Return the steps of a path in every headline quantity, in order, and their total."""
    path = analysis.path
    if path is None or not path.changes:
        return Grid("Steps of the path", "step", (), ())
    quantities = analysis.in_order
    columns = [_cells(analysis, path, quantity) for quantity in quantities]
    names = [f"{place}. {change}" for place, change in enumerate(path.changes, start=1)] + ["total"]
    rows = tuple(Row(name, tuple(cells[place] for cells in columns)) for place, name in enumerate(names))
    caption = f"Steps of the path from {path.taken[0]} to {path.target}, with 95 % intervals"
    shown = analysis.of_kind(STEP, "variant")
    return Grid(caption, "step", quantity_columns(analysis, quantities), rows, f"{_FOOT}{interval_note(shown)}")


def _cells(analysis: Analysis, path: Path, quantity: Quantity) -> list[Cell]:
    frame = rows_of(analysis.of_kind(STEP, "variant"), quantity)
    rows = {(row["kind"], row["comparison"]): row for row in records(frame)}
    wanted = [*((STEP, change) for change in path.changes), ("variant", path.target)]
    found = [rows[key] for key in wanted if key in rows]
    digits = decimals([row["difference"] for row in found], [(row["high"] - row["low"]) / 4 for row in found])
    return [_cell(rows[key], digits) if key in rows else EMPTY for key in wanted]


def _cell(row: Mapping[str, Any], digits: int) -> Cell:
    mark = verdicts.mark(row)
    interval = "" if math.isnan(row["low"]) else f"{signed(row['low'], digits)} to {signed(row['high'], digits)}"
    return Cell(f"{signed(row['difference'], digits)} {mark}".strip(), interval, row["verdict"], row["difference"])


def round_grid(analysis: Analysis) -> Grid:
    """Return what each step was chosen from: the candidates of its round, in the first primary quantity."""
    path = analysis.path
    if path is None or not path.changes or not analysis.primary:
        return Grid("Rounds of the path", "variant", (), ())
    quantity = analysis.primary[0]
    rows = []
    for place, (current, names) in enumerate(zip(path.taken, path.rounds, strict=False), start=1):
        for name in names:
            values = analysis.replicates.differences(*quantity, {name: 1.0, current: -1.0})
            known = values[~np.isnan(values)]
            middle = f"{verdicts.signed(float(known.mean()))}" if len(known) else EMPTY.text
            taken = "taken" if name == path.taken[place] else ""
            rows.append(Row(name, (Cell(str(place), sort=place), Cell(str(len(known))), Cell(middle), Cell(taken))))
    columns = (
        Column("round"),
        Column("replicates"),
        Column(f"{analysis.label(quantity)}", "mean difference from the variant before"),
        Column("", words=True),
    )
    foot = f"A variant with fewer replicates was clearly worse than the best one of its round. {spared(analysis)}"
    return Grid("What each step was chosen from", "variant", columns, tuple(rows), foot.strip())
