"""The table of the runs without a full result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.text.tables.grid import Cell, Column, Grid, Row

if TYPE_CHECKING:
    from ablate.report.data.study import Study

_REASONS = {"pending": "has not run yet", "interrupted": "was interrupted; run the same command again to resume"}


def missing_grid(study: Study) -> Grid:
    """Return the runs without a full result, each with its reason."""
    rows = []
    for run in study.runs:
        if run.state != "done":
            error = ": ".join(filter(None, (run.error_class, run.error)))
            reason = error or _REASONS.get(run.state, "no reason recorded")
            rows.append(Row(run.variant, (Cell(str(run.replicate)), Cell(run.state), Cell(reason))))
    columns = (Column("replicate"), Column("state", words=True), Column("reason", words=True))
    return Grid("Runs without a full result", "variant", columns, tuple(rows))
