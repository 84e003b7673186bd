"""The numbers behind a report: tidy CSV files, and what the page's own table holds."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from ablate.report.statistics import summary

if TYPE_CHECKING:
    import pandas as pd

    from ablate.report.statistics.analysis import Analysis


def csv_files(analysis: Analysis) -> dict[str, str]:
    """File name to contents: every measurement, comparison, estimate, floor and run, one row each."""
    frames: dict[str, pd.DataFrame] = {
        "measurements": analysis.study.frame,
        "effects": analysis.everything.drop(columns="values"),
        "estimates": analysis.estimates,
        "floors": analysis.floors,
        "runs": analysis.study.run_frame,
    }
    return {f"{name}.csv": frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC) for name, frame in frames.items()}


def measurements_json(analysis: Analysis) -> str:
    """What the page's table of measurements is made from, small enough to stand in the page.

    ``names`` of variants; ``rows``: metric, feature, unit, and for each variant the means of its replicates over their
    samples (null where there is none), to six digits.
    """
    means = summary.over_samples(analysis.study.frame)
    replicates = sorted(means["replicate"].unique())
    rows: list[Any] = []
    for (metric, feature, unit), part in means.groupby(["metric", "feature", "unit"], sort=False):
        table = part.pivot_table(index="variant", columns="replicate", values="value", observed=False)
        table = table.reindex(index=analysis.study.names, columns=replicates)
        values = [[None if v != v else float(f"{v:.6g}") for v in row] for row in table.to_numpy()]  # noqa: PLR0124
        rows.append([metric, feature, unit, values])
    found = {"names": analysis.study.names, "replicates": [int(r) for r in replicates], "rows": rows}
    return for_script(found)


def for_script(data: Any) -> str:
    """JSON that may stand inside a ``<script>`` element, whatever text is in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
