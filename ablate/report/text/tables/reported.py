"""The tables of our values beside values published elsewhere, and the reason why there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.names import AVERAGE
from ablate.report.statistics.described import summary
from ablate.report.statistics.described.summary import NOTHING
from ablate.report.text.names import listing
from ablate.report.text.tables.grid import Cell, Column, Grid, Row

if TYPE_CHECKING:
    from ablate.report.data.study import Study


def left_out(study: Study) -> str:
    """Return why published values are not shown; empty if all are, or if the study file has none."""
    apart = study.reported_apart
    if not apart:
        return ""
    of = "" if len(apart.variants) == len(study.names) else f" of {listing(apart.variants)}"
    if not apart.published:
        reason = "the study file does not state which pieces they were measured on (reported.pieces)"
    elif not apart.own:
        reason = "the names of this study's pieces are not recorded, so they may be of other music"
    else:
        reason = f"they were measured on {listing(apart.published)}, and ours on {listing(apart.own)}"
    return f"The values{of} published elsewhere are left out: {reason}."


def reported_grid(study: Study, *, averages: bool) -> Grid:
    """Return our values and the reported ones: of the averages, or of every other feature."""
    if study.reported.empty:
        return Grid("", "", (), ())
    reported = {
        (row["variant"], row["metric"], row["feature"]): row["value"] for row in study.reported.to_dict("records")
    }
    ours = summary.spreads(summary.summarise(study.frame))
    quantities = dict.fromkeys((metric, feature) for _, metric, feature in reported if (feature == AVERAGE) == averages)
    rows = []
    for metric, feature in quantities:
        cells = []
        for name in study.names:
            spread, value = ours.get((name, metric, feature)), reported.get((name, metric, feature))
            small = f"reported {value:g}" if value is not None else ""
            cells.append(Cell(f"{spread.mean_text} ± {spread.sd_text}" if spread else NOTHING, small))
        rows.append(Row(f"{metric} {feature}", tuple(cells)))
    caption = (
        "Averages: ours (mean ± sd over replicates), and as reported" if averages else "Every other reported quantity"
    )
    return Grid(caption, "quantity", tuple(Column(name) for name in study.names), tuple(rows))
