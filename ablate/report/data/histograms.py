"""The histograms of the notes: pooled for each variant, each with its range by chance."""

from __future__ import annotations

import pandas as pd
from scipy import stats as sps


def pooled_histograms(histograms: pd.DataFrame) -> pd.DataFrame:
    """Return the normalised histograms of every variant, pooled over its replicates and samples.

    Args:
        histograms: from :func:`ablate.report.data.frames.histogram_frame`.

    Returns:
        One row for each bin: ``variant``, ``metric``, ``feature``, ``unit``, ``left``, ``right``, ``generated`` (share
        of all generated notes, 0 to 1), ``sd`` (over the replicates' own shares, n - 1; NaN for a single one), ``n``
        (replicates), ``reference`` (share of the reference's notes), and ``chance_low`` to ``chance_high``: the range
        of the share in 95 % of replicates that draw the same number of notes from the reference (binomial quantiles).
    """
    variable = ["variant", "metric", "feature", "unit"]
    bins = [*variable, "left", "right"]
    counts = histograms.groupby([*bins, "replicate"], sort=False, observed=True)[["generated", "reference"]].sum()
    notes = counts.groupby([*variable, "replicate"], observed=True)["generated"].transform("sum")
    pooled = counts.groupby(bins, sort=False, observed=True).sum()
    shares = pooled / pooled.groupby(variable, observed=True).transform("sum")
    spread = (counts["generated"] / notes).groupby(bins, sort=False, observed=True).agg(sd="std", n="size")
    table = shares.join(spread)
    size = notes.groupby(bins, sort=False, observed=True).median().reindex(table.index).round()
    for column, tail in (("chance_low", 0.025), ("chance_high", 0.975)):
        table[column] = sps.binom.ppf(tail, size, table["reference"].clip(0, 1)) / size
    return table.reset_index()


def distinct_histograms(pooled: pd.DataFrame) -> pd.DataFrame:
    """Return each histogram of :func:`pooled_histograms` once: several metrics may share the same one."""
    seen: set[tuple[object, ...]] = set()
    parts = []
    columns = ["variant", "feature", "unit", "left", "right", "generated", "reference"]
    for _, rows in pooled.groupby(["metric", "feature"], sort=False):
        content = tuple(rows[columns].itertuples(index=False, name=None))
        if content not in seen:
            seen.add(content)
            parts.append(rows)
    return pd.concat(parts) if parts else pooled
