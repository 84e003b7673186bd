"""The table of validation losses over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.data.curves import validation_frame
from ablate.report.statistics.described import summary
from ablate.report.text.tables.grid import EMPTY, Cell, Column, Grid, Row

if TYPE_CHECKING:
    import pandas as pd

    from ablate.report.data.artifacts import Artifacts
    from ablate.report.data.study import Study

#: The most steps that have a column.
MOST_STEPS = 6


def validation_grid(study: Study, artifacts: Artifacts) -> Grid:
    """Return the validation loss of each group of trainings at some steps, its lowest value, and the kept one."""
    frame = validation_frame(study, artifacts).drop_duplicates(["training", "step"])
    table = summary.trainings(study.run_frame).set_index("training")
    curves = frame.assign(shared_by=frame["training"].map(table["shared_by"]))
    steps = _chosen(sorted(curves["step"].unique()))
    rows = []
    for group, part in curves.groupby("shared_by", sort=False):
        lowest = part.groupby("training", sort=False)["loss"].min()
        at = [part.loc[part["step"] == step, "loss"] for step in steps]
        cells = [_cell(values) for values in (*at, lowest, part.loc[part["kept"], "loss"])]
        rows.append(Row(str(group), tuple(cells)))
    columns = [Column(f"step {step:,}") for step in steps]
    return Grid(
        "Loss on the validation pieces in nats per token, mean ± sd over trainings",
        "used by",
        (*columns, Column("lowest"), Column("measured", "the weights that are kept")),
        tuple(rows),
        "n is the number of trainings that were evaluated at the step. Where some have stopped early, their number is "
        f"smaller at later steps, and the mean is that of the others.{summary.tokens_note(study)}",
    )


def _chosen(steps: list[int]) -> list[int]:
    """Return at most :data:`MOST_STEPS` of the steps, evenly spread, with the first and the last one."""
    places = np.linspace(0, len(steps) - 1, min(len(steps), MOST_STEPS)).round().astype(int)
    return [int(steps[place]) for place in places]


def _cell(losses: pd.Series) -> Cell:
    spread = summary.spread_of(losses)
    return EMPTY if spread is None else Cell(spread.mean_text, f"± {spread.sd_text}, n={spread.n}", sort=spread.mean)
