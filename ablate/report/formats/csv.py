"""The numbers of a report: tidy CSV files, and JSON for the table in the page."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ablate.printable import escaped_json, inert
from ablate.report.data.curves import validation_frame
from ablate.report.statistics.described import summary

if TYPE_CHECKING:
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.statistics.analysis.analysis import Analysis


def csv_files(analysis: Analysis, artifacts: Artifacts) -> dict[str, str]:
    """Return file name to content: every measurement, comparison, estimate, floor, run and variance, one row each.

    In a study with blocks also every comparison in every block, and how each varies between blocks. In a study with a
    split also the use of every piece, and in one with validation every validation loss.
    """
    frames: dict[str, pd.DataFrame] = {
        "measurements": analysis.study.frame,
        "effects": analysis.all_effects.drop(columns="values"),
        "estimates": analysis.estimates,
        "floors": analysis.floors,
        "runs": analysis.study.run_frame,
        "variance": analysis.variance,
    }
    if analysis.study.splits:
        frames["splits"] = analysis.study.splits.frame(analysis.study.names)
    losses = validation_frame(analysis.study, artifacts)
    if not losses.empty:
        frames["validation"] = losses
    if analysis.study.blocks:
        frames |= {"block_effects": analysis.block_effects, "replicability": analysis.replicability}
    return {f"{name}.csv": csv_text(frame, quote_text=True) for name, frame in frames.items()}


def csv_text(frame: pd.DataFrame, *, quote_text: bool = False) -> str:
    """Return a table as CSV that a spreadsheet can open without running a name as a formula.

    Such a text has ``'`` before it (:func:`ablate.printable.inert`), and ``ablate judge`` takes it off again. Numbers
    stay as they are.

    Args:
        frame: the table; its index is left out.
        quote_text: whether every text has quotes, and not only those that need them.
    """
    columns = [_inert_column(column) for _, column in frame.items()]
    table = pd.concat(columns, axis="columns") if columns else frame
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if quote_text else csv.QUOTE_MINIMAL
    return str(table.to_csv(index=False, quoting=quoting))


def _inert_column(column: Any) -> Any:
    """Return a column of a frame with a safe name and safe texts."""
    column = column.rename(inert(str(column.name)))
    if isinstance(column.dtype, pd.CategoricalDtype):  # few names, for many rows
        return column.cat.rename_categories(_inert_cell)
    return column if pd.api.types.is_numeric_dtype(column) else column.map(_inert_cell)


def _inert_cell(cell: Any) -> Any:
    return inert(cell) if isinstance(cell, str) else cell


def measurements_json(analysis: Analysis) -> str:
    """Return the JSON for the page's table of measurements.

    It contains the ``names`` of variants, the numbers of the ``replicates``, and ``rows``: metric, feature, unit, and
    for each variant the means of its replicates over their samples (null without one), to six digits.
    """
    means = summary.over_samples(analysis.study.frame)
    replicates = sorted(means["replicate"].unique())
    rows: list[Any] = []
    for (metric, feature, unit), part in means.groupby(["metric", "feature", "unit"], sort=False):
        table = part.pivot_table(index="variant", columns="replicate", values="value", observed=False)
        table = table.reindex(index=analysis.study.names, columns=replicates)
        values = [[None if v != v else float(f"{v:.6g}") for v in row] for row in table.to_numpy()]  # noqa: PLR0124
        rows.append([metric, feature, unit, values])
    return for_script({"names": analysis.study.names, "replicates": [int(r) for r in replicates], "rows": rows})


def for_script(data: Any) -> str:
    """Return JSON that is safe inside a ``<script>`` element, whatever text it contains."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return escaped_json(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
