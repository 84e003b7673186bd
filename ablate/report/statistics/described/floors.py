"""Floors: reference scores, the value of a metric when no model is involved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: The floors in the order of tables, with a description of each.
FLOORS = {
    "copy": "a piece of the reference itself",
    "resampling": "notes resampled from the reference",
    "round_trip": "a piece of the reference, encoded and decoded",
    "another_piece": "another piece of the corpus",
    "shuffled": "the reference's tokens in random order",
}
#: The share of random results inside a band.
BAND = 0.95
#: From this share of the largest difference on, differences between the errors of tokenizers are reported.
NOTICEABLE = 0.1
#: The most variants that a warning names.
MOST_LISTED = 6

_QUANTITY = ["metric", "feature"]


class Band(NamedTuple):
    """The range of 95 % of the replicates of a perfect generator by chance, and their mean."""

    low: float
    high: float
    mean: float

    @property
    def width(self) -> float:
        """The distance between the ends."""
        return self.high - self.low


def summarise_floors(floors: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread of every floor.

    A draw of the resampling floor is the mean of the number of samples that a replicate has, so draws vary as
    replicates do.

    Args:
        floors: from :func:`ablate.report.data.floors.floor_frame`.

    Returns:
        One row for each variant, metric, feature and floor: those columns, ``mean``, ``low`` and ``high`` (the
        central 95 % of pieces, shuffles or draws), ``n`` (the number of these).
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
    """Return the resampling band of each (variant, metric, feature) in :func:`summarise_floors`."""
    draws = summary[summary["floor"] == "resampling"]
    columns = (draws[name] for name in ("variant", *_QUANTITY, "low", "high", "mean"))
    return {(str(v), m, f): Band(low, high, mean) for v, m, f, low, high, mean in zip(*columns, strict=True)}


def warnings(
    summary: pd.DataFrame,
    effects: pd.DataFrame,
    labels: Mapping[tuple[str, str], str],
    blind: Collection[tuple[str, str]] = (),
) -> list[str]:
    """Return one sentence for each metric in which floors explain differences, or leave nothing to find.

    An error that the tokenizers of all variants share is part of every value and cancels in the differences, so it is
    no reason for caution with them; different errors are.

    Args:
        summary: from :func:`summarise_floors`.
        effects: one row for each variant: ``variant``, ``metric``, ``feature``, ``difference`` (from the baseline; 0
            for the baseline itself), ``mean``, ``mean_low`` (the lower end of its 95 % interval; NaN without one),
            ``direction``.
        labels: the names of the quantities to check.
        blind: the quantities that hardly react to the order of notes. Shuffled tokens score as well as a copy in them,
            so that no model can be expected to be better.
    """
    sentences = []
    for quantity, label in labels.items():
        rows, floors = rows_of(effects, quantity), rows_of(summary, quantity)
        if rows.empty or rows["direction"].iloc[0] != "lower":
            continue
        errors = _round_trip_errors(floors, rows)
        if _matter(errors, rows):
            listing = ", ".join(f"{variant} {error:.3g}" for variant, error in errors.items())
            sentences.append(
                f"{label}: the errors of the tokenizers alone (encoding and decoding, no model) differ: {listing}. "
                "They are part of the differences between these variants."
            )
        behind = [] if quantity in blind else _behind_shuffled(rows, floors)
        if behind:
            sentences.append(f"{label}: {_about_shuffled(behind, rows)}")
        if _all_inside(rows, floors):
            sentences.append(
                f"{label}: every variant is as close to the reference as notes resampled from the reference are by "
                "chance. Longer samples may show differences."
            )
    return sentences


def _behind_shuffled(rows: pd.DataFrame, floors: pd.DataFrame) -> list[str]:
    """Return the variants whose whole interval is above the central 95 % of their shuffles.

    A variant without an interval or without shuffles is not known to be worse. Where a copy of the reference is no
    better than its shuffles, as in metrics of copying, shuffles are no sign of a bad model. See
    docs/explanation/floors.md.
    """
    of = {name: floors[floors["floor"] == name].set_index("variant") for name in ("shuffled", "copy")}
    copies, shuffles, limits = of["copy"]["mean"], of["shuffled"]["mean"], of["shuffled"]["high"]
    return [
        variant
        for variant, low in zip(rows["variant"].astype(str), rows["mean_low"], strict=True)
        if copies.get(variant, math.inf) < shuffles.get(variant, math.nan)
        and low > limits[variant]  # false for NaN
        and not math.isclose(low, limits[variant])  # equal values, rounded in two ways
    ]


def _about_shuffled(behind: Sequence[str], rows: pd.DataFrame) -> str:
    """Return the sentences about the variants that are worse than shuffled tokens: all of them, or some by name."""
    if len(behind) == len(rows):
        return (
            "no variant is better than shuffled tokens. Each one, with its 95 % interval, is farther from the "
            "reference than the reference's own tokens in random order. Verdicts compare variants with each other "
            "only; train longer, or look for a fault, before you call any of them good."
        )
    separator = "; " if any("," in name for name in behind) else ", "
    more = f" and {len(behind) - MOST_LISTED} more" if len(behind) > MOST_LISTED else ""
    names = f"{separator.join(behind[:MOST_LISTED])}{more}"
    if len(behind) == 1:
        return (
            f"{names} is worse than shuffled tokens. With its 95 % interval, it is farther from the reference than the "
            "reference's own tokens in random order; train it longer, or look for a fault, before you use its music."
        )
    return (
        f"{names} are worse than shuffled tokens. Each of them, with its 95 % interval, is farther from the reference "
        "than the reference's own tokens in random order; train them longer, or look for a fault, before you use their "
        "music."
    )


def _all_inside(rows: pd.DataFrame, floors: pd.DataFrame) -> bool:
    """Check whether every variant with a resampling band has its mean inside the band; False without any band."""
    by_variant = {variant: band for (variant, _, _), band in bands(floors).items()}
    inside = [
        by_variant[variant].low <= mean <= by_variant[variant].high
        for variant, mean in zip(rows["variant"].astype(str), rows["mean"], strict=True)
        if variant in by_variant
    ]
    return bool(inside) and all(inside)


def _round_trip_errors(floors: pd.DataFrame, rows: pd.DataFrame) -> dict[str, float]:
    """Return the error of encoding and decoding the reference, once for each distinct error, by its first variant."""
    means = floors.pivot_table(index="variant", columns="floor", values="mean", observed=True)
    if not {"round_trip", "copy"} <= set(means.columns):
        return {}
    means.index = means.index.astype(str)
    errors: dict[str, float] = {}
    for variant in rows["variant"].astype(str):
        error = (means["round_trip"] - means["copy"]).abs().get(variant, float("nan"))
        if error == error and not any(math.isclose(error, other) for other in errors.values()):  # noqa: PLR0124 - NaN
            errors[variant] = float(error)
    return errors


def _matter(errors: Mapping[str, float], rows: pd.DataFrame) -> bool:
    """Check whether the tokenizers' errors differ by a noticeable share of the largest difference of variants."""
    spread = max(errors.values(), default=0.0) - min(errors.values(), default=0.0)
    return spread > NOTICEABLE * float(rows["difference"].abs().max())
