"""Responses of the music to a label: a line through the levels of the label, for each replicate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ablate.report.statistics.described.summary import QUANTITY

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Axes over labels begin with this.
LABELS = "labels."
#: A line needs this many levels for its fit to be informative.
FEWEST_LEVELS = 3

_COLUMNS = ["label", "variant", "metric", "feature", "slope", "slope_sd", "correlation", "correlation_sd", "n"]


def responses(frame: pd.DataFrame) -> pd.DataFrame:
    """Fit a line through the levels of each label, for each replicate.

    Every axis over a label (``labels.tempo``) is a label, and every feature without a better direction is fitted
    against it. Slope and Pearson's correlation are those of the replicate's means over its samples, by least squares;
    where feature and label have the same meaning and unit, a slope of 1 and a correlation of 1 are perfect control.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.

    Returns:
        One row for each label, assignment of the other axes, and feature: ``label``, ``variant`` (the other axes'
        levels), ``metric``, ``feature``, and over replicates ``slope``, ``slope_sd``, ``correlation``,
        ``correlation_sd``, ``n``. Empty if no label was varied over at least three levels.
    """
    axes = [column for column in frame.columns[2:] if column not in {*QUANTITY, "replicate", "sample", "value", "n"}]
    labels = [
        axis
        for axis in axes
        if axis.startswith(LABELS) and _is_numeric(frame[axis]) and frame[axis].nunique() >= FEWEST_LEVELS
    ]
    rows = [row for axis in labels for row in _label_rows(frame, axis, [other for other in axes if other != axis])]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _label_rows(frame: pd.DataFrame, axis: str, others: list[str]) -> Iterator[tuple[object, ...]]:
    neutral = frame[frame["direction"] == "none"]
    means = neutral.groupby([*others, "metric", "feature", "replicate", axis], sort=False)["value"].mean()
    replicates = means.reset_index().groupby([*others, "metric", "feature", "replicate"], sort=False)
    lines = replicates[[axis, "value"]].apply(_line).reset_index()
    for key, part in lines.groupby([*others, "metric", "feature"], sort=False):
        *levels, metric, feature = key
        if part["slope"].notna().any():
            label, variant = axis.removeprefix(LABELS), ", ".join(map(str, levels))
            yield (label, variant, metric, feature, *_line_summary(part))


def _is_numeric(levels: pd.Series) -> bool:
    """Check whether all levels are numbers; there is no line through the names of a category."""
    return all(isinstance(level, int | float | np.number) and not isinstance(level, bool) for level in levels.unique())


def _line(points: pd.DataFrame) -> pd.Series:
    """Return slope and correlation of one replicate; NaN if there are too few levels, or they are all equal."""
    label, value = (points[column].to_numpy(float) for column in points)
    if len(label) < FEWEST_LEVELS or not label.std():
        return pd.Series({"slope": math.nan, "correlation": math.nan})
    slope = float(np.polyfit(label, value, 1)[0])
    correlation = float(np.corrcoef(label, value)[0, 1]) if value.std() > 0 else 0.0
    return pd.Series({"slope": slope, "correlation": correlation})


def _line_summary(lines: pd.DataFrame) -> tuple[float, float, float, float, int]:
    slope, correlation = lines["slope"].dropna(), lines["correlation"].dropna()
    return float(slope.mean()), float(slope.std()), float(correlation.mean()), float(correlation.std()), len(slope)
