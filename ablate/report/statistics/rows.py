"""Rows of the frames of a study's statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.report.statistics import verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Quantity = tuple[str, str]


def rows_of(frame: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return the rows of one quantity."""
    metric, feature = quantity
    return frame[(frame["metric"] == metric) & (frame["feature"] == feature)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dictionaries."""
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return rows


def count_verdicts(frame: pd.DataFrame) -> dict[str, int]:
    """Count the comparisons with each verdict, in the order of :data:`ablate.report.statistics.verdicts.VERDICTS`."""
    counts: Mapping[Any, int] = frame["verdict"].value_counts().to_dict()
    return {verdict: counts[verdict] for verdict in verdicts.VERDICTS if verdict in counts}


def keys_of(quantities: pd.DataFrame) -> list[Quantity]:
    """Return metric and feature of each row."""
    return list(zip(quantities["metric"], quantities["feature"], strict=True))
