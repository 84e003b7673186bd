"""How to read a value: what the metric says where no model is at fault, and how far chance alone goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Floors in the order in which they are shown, with what each is for people.
FLOORS = {
    "copy": "the reference itself",
    "resampling": "the reference's own notes, resampled",
    "round_trip": "the reference encoded and decoded",
    "another_piece": "another piece of the corpus",
    "shuffled": "the reference's tokens in random order",
}
#: The share of chance results inside a band.
BAND = 0.95

_QUANTITY = ["metric", "feature"]


class Band(NamedTuple):
    """Where 95 % of the replicates of a perfect generator would lie by chance, and their mean."""

    low: float
    high: float
    mean: float

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low


def summarise(floors: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread of every floor.

    What is resampled comes in draws, each the mean of as many samples as a replicate has: they spread as replicates
    would.

    Args:
        floors: from :func:`ablate.report.data.frames.floor_frame`.

    Returns:
        One row for each variant, metric, feature and floor: those columns, ``mean``, ``low`` and ``high`` (the
        central 95 % of pieces, shuffles or draws), ``n`` (how many of these there are).
    """
    by = ["variant", *_QUANTITY, "floor"]
    grouped = floors.groupby(by, sort=False, observed=True)["value"]
    tail = (1 - BAND) / 2
    return pd.DataFrame(
        {
            "mean": grouped.mean(),
            "low": grouped.quantile(tail),
            "high": grouped.quantile(1 - tail),
            "n": grouped.size(),
        }
    ).reset_index()


def bands(summary: pd.DataFrame) -> dict[tuple[str, str, str], Band]:
    """The resampling band of each (variant, metric, feature) in :func:`summarise`."""
    drawn = summary[summary["floor"] == "resampling"]
    columns = (drawn[name] for name in ("variant", *_QUANTITY, "low", "high", "mean"))
    return {(str(v), m, f): Band(low, high, mean) for v, m, f, low, high, mean in zip(*columns, strict=True)}


def margins(
    summary: pd.DataFrame, baseline: str, given: Mapping[str, Any], features: pd.DataFrame
) -> dict[tuple[str, str], tuple[float, str]]:
    """What difference matters, by (metric, feature): a number, and whose it is.

    As the study says (``[margins]``: a number stands for the metric's feature ``average``, or for all it has without
    one), otherwise the width of the baseline's resampling band. Where that is 0, nothing is known of what matters.

    Args:
        summary: of :func:`summarise`.
        baseline: the variant whose band it is.
        given: of the study, metric to number or to a table of feature = number.
        features: columns ``metric`` and ``feature``: all that the study measures.
    """
    found = {
        (metric, feature): (band.width, "the resampling band's width")
        for (variant, metric, feature), band in bands(summary).items()
        if variant == baseline and band.width > 0
    }
    for metric, value in given.items():
        own = list(features.loc[features["metric"] == metric, "feature"].unique())
        each = value if isinstance(value, dict) else dict.fromkeys(["average"] if "average" in own else own, value)
        found |= {(metric, feature): (float(number), "the study's margin") for feature, number in each.items()}
    return found


def warnings(summary: pd.DataFrame, effects: pd.DataFrame, labels: Mapping[tuple[str, str], str]) -> list[str]:
    """Metrics whose floors stand above what the study is about, one sentence each.

    Args:
        summary: of :func:`summarise`.
        effects: one row for each variant: ``variant``, ``metric``, ``feature``, ``difference`` (from the baseline; its
            own is 0), ``mean``, ``direction``.
        labels: how quantities are called, of those to look at.
    """
    found = []
    for (metric, feature), label in labels.items():
        rows = effects[(effects["metric"] == metric) & (effects["feature"] == feature)]
        own = summary[(summary["metric"] == metric) & (summary["feature"] == feature)]
        if rows.empty or rows["direction"].iloc[0] != "lower":
            continue
        largest = float(rows["difference"].abs().max())
        cost = _round_trip_cost(own)
        if cost > largest:
            found.append(
                f"{label}: the tokenizer alone costs {cost:.3g} (encoding and decoding, no model), more than the "
                f"largest difference between variants ({largest:.3g}). Other bins or another tokenizer would show more."
            )
        drawn = {variant: band for (variant, _, _), band in bands(own).items()}
        inside = [
            drawn[variant].low <= mean <= drawn[variant].high
            for variant, mean in zip(rows["variant"].astype(str), rows["mean"], strict=True)
            if variant in drawn
        ]
        if inside and all(inside):
            found.append(
                f"{label}: every variant is as close to the reference as its own notes, resampled, would be by chance; "
                "longer samples would show more."
            )
    return found


def _round_trip_cost(rows: pd.DataFrame) -> float:
    """What encoding and decoding takes from the reference itself, by the tokenizer that takes the least; or 0."""
    means = rows.pivot_table(index="variant", columns="floor", values="mean", observed=True)
    if not {"round_trip", "copy"} <= set(means.columns):
        return 0.0
    costs = (means["round_trip"] - means["copy"]).abs().dropna()
    return float(costs.min()) if len(costs) else 0.0
