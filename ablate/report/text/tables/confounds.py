"""The table of possible confounds: quantities that change as a side effect of a level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.statistics.described import confounds
from ablate.report.statistics.described.summary import NOTHING
from ablate.report.text.tables.grid import EMPTY, Cell, Column, Grid, Row

if TYPE_CHECKING:
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.described.confounds import Confound


def confound_grid(analysis: Analysis) -> Grid:
    """Return the confounds of every variant, and the settings that it changes."""
    by_key = {(one.variant, one.quantity): one for one in analysis.confounds}
    quantities = [q for q in confounds.QUANTITIES if any(key[1] == q for key in by_key)]
    rows, stopped = [], _stopped_early(analysis)
    for name in analysis.study.names:
        cells = [_confound(by_key.get((name, quantity))) for quantity in quantities]
        cells += [stopped.get(name, EMPTY)] if stopped else []
        changes = Cell(", ".join(analysis.changes.get(name, ())) or NOTHING)
        rows.append(Row(name, (*cells, changes), ("baseline",) if name in analysis.study.baselines.values() else ()))
    columns = [Column(confounds.QUANTITIES[quantity]) for quantity in quantities]
    return Grid(
        "Differences between variants besides the levels themselves",
        "variant",
        (
            *columns,
            *([Column("stopped early")] if stopped else []),
            Column("changes", "settings unlike the baseline's", words=True),
        ),
        tuple(rows),
        "Means over replicates. Marked: more than 5 % from the baseline's.",
    )


def _stopped_early(analysis: Analysis) -> dict[str, Cell]:
    """Return for each variant the number of replicates whose training stopped early; empty if none did."""
    runs = analysis.study.run_frame
    shares = runs.groupby("variant", observed=True)["stopped_early"].agg(["sum", "count", "mean"])
    if not shares["sum"].any():
        return {}
    cells, baselines = {}, analysis.study.baselines
    for name, stopped, count, share in shares.itertuples():
        reference = shares["mean"].get(baselines[str(name)], share)
        kind = "warn" if share != reference else ""
        cells[str(name)] = Cell(f"{stopped:.0f} of {count}", kind=kind, sort=share)
    return cells


def _confound(confound: Confound | None) -> Cell:
    if confound is None:
        return EMPTY
    text = f"{confound.value:,.3g}" if confound.value < 1000 else f"{confound.value:,.0f}"
    if not confound.matters:
        return Cell(text, sort=confound.value)
    return Cell(text, f"{confound.ratio:.2f} times", "warn", confound.value)
