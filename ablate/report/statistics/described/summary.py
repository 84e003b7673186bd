"""Mean and spread of each variant: pure functions from frame to frame, and never a mean without its spread.

The samples of a replicate come from one training, so they are not independent observations of a variant. They are
averaged first, inside their replicate; spread and n are always those of the replicates.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.names import headline_features

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ablate.report.data.study import Study

#: The text of a table cell without a value.
NOTHING = "–"  # noqa: RUF001 - an en dash is meant
#: The columns that identify a quantity of a variant.
QUANTITY = ["variant", "baseline", "metric", "feature", "unit", "direction"]


def over_samples(frame: pd.DataFrame) -> pd.DataFrame:
    """Average over the samples inside each replicate.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.

    Returns:
        One row for each variant, metric, feature and replicate: those columns, ``baseline``, ``unit``,
        ``direction``, ``value`` (the mean) and ``samples`` (the number of samples).
    """
    groups = frame.groupby([*QUANTITY, "replicate"], sort=False, observed=True)["value"]
    return groups.agg(value="mean", samples="size").reset_index()


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the mean and the spread over replicates of every quantity.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.

    Returns:
        One row for each variant, metric and feature, in the order of variants: those columns, ``baseline``,
        ``unit``, ``direction``, and over the replicates (each the mean of its samples) ``mean``, ``sd`` (with
        n - 1; NaN for a single replicate), ``n``, ``min``, ``max``; ``samples`` counts the samples of all of them.
    """
    groups = over_samples(frame).groupby(QUANTITY, sort=False, observed=True)
    rows = groups.agg(
        mean=("value", "mean"),
        sd=("value", "std"),
        n=("value", "size"),
        min=("value", "min"),
        max=("value", "max"),
        samples=("samples", "sum"),
    )
    return rows.reset_index().sort_values("variant", kind="stable", ignore_index=True)


def headline(frame: pd.DataFrame, details: Collection[tuple[str, str]] = ()) -> pd.DataFrame:
    """Return the rows of the features that stand for their metric; see :func:`ablate.names.headline_features`.

    The frame needs the columns ``metric`` and ``feature``. Details, given as (metric, feature), stand for no metric.
    """
    keys = list(zip(frame["metric"], frame["feature"], strict=True))
    known = frame[np.array([key not in details for key in keys], dtype=bool)]
    features = known[["metric", "feature"]].drop_duplicates().groupby("metric", sort=False)["feature"]
    chosen = {(metric, feature) for metric, names in features for feature in headline_features(names)}
    return frame[np.array([key in chosen for key in keys], dtype=bool)]


def tokens_note(study: Study) -> str:
    """Return a note, with a space before it, if losses of variants with different tokenizers stand side by side."""
    if study.equal_tokenizers(study.variant_levels.levels):
        return ""
    return " The variants have different tokenizers, so their losses in nats per token cannot be compared."


def smoothing_note(study: Study) -> str:
    """Return a note, with a space before it, if training losses contain label smoothing; validation losses never do."""
    shares = sorted(
        {float((config.get("training") or {}).get("label_smoothing", 0)) for config in study.configs().values()}
    )
    listed = ", ".join(f"{share:g}" for share in shares)
    if len(shares) > 1:
        return f" Training losses contain label smoothing, which differs ({listed}), so they cannot be compared."
    return f" Training losses contain label smoothing ({listed})." if any(shares) else ""


def trainings(runs: pd.DataFrame) -> pd.DataFrame:
    """Return every distinct training of a study with the variants that share it.

    Args:
        runs: from :func:`ablate.report.data.frames.run_frame`.

    Returns:
        The first run's row of each training, with ``shared_by``: the names of the variants that use trainings
        like it, or ``all variants``; and ``done``: whether it has finished.
    """
    rows = runs[runs["training"] != ""]
    everyone = set(rows["variant"].unique())

    def label(names: pd.Series) -> str:
        users = list(dict.fromkeys(names))
        return "all variants" if len(users) > 1 and set(users) == everyone else ", ".join(map(str, users))

    shared_by = rows.groupby("training", sort=False)["variant"].agg(label)
    first = rows.drop_duplicates("training")
    return first.assign(shared_by=first["training"].map(shared_by), done=first["train_seconds"].notna())


@dataclasses.dataclass(frozen=True)
class Spread:
    """A mean with its standard deviation over n replicates, and the number of decimals to print."""

    mean: float
    sd: float
    n: int
    decimals: int

    @property
    def mean_text(self) -> str:
        """The mean as printed."""
        return f"{self.mean:,.{self.decimals}f}"

    @property
    def sd_text(self) -> str:
        """The standard deviation as printed; a dash for a single replicate, which has none."""
        return NOTHING if math.isnan(self.sd) else f"{self.sd:,.{self.decimals}f}"

    def __str__(self) -> str:
        return f"{self.mean_text} ± {self.sd_text} (n={self.n})"


def spread_of(values: Iterable[float]) -> Spread | None:
    """Return the spread of the replicates' values without NaN; None if there is no value."""
    numbers = pd.Series(values, dtype="float64").dropna()
    if numbers.empty:
        return None
    mean, sd = float(numbers.mean()), float(numbers.std())
    return Spread(mean, sd, len(numbers), decimals([mean], [sd]))


def spreads(rows: pd.DataFrame) -> dict[tuple[str, str, str], Spread]:
    """Return the rows of :func:`summarise` by (variant, metric, feature); a quantity has one number of decimals."""
    by_quantity = {}
    for (metric, feature), part in rows.groupby(["metric", "feature"], sort=False):
        digits = decimals(part["mean"], part["sd"])
        for variant, mean, sd, n in zip(part["variant"], part["mean"], part["sd"], part["n"], strict=True):
            by_quantity[str(variant), str(metric), str(feature)] = Spread(float(mean), float(sd), int(n), digits)
    return by_quantity


def decimals(means: Iterable[float], sds: Iterable[float]) -> int:
    """Return the decimals, 0 to 6, that show a typical standard deviation with two digits, else a mean with three."""
    size, digits = _typical_size(sds), 2
    if not size:
        size, digits = _typical_size(means), 3
    if not size:
        return digits
    return int(np.clip(digits - 1 - math.floor(math.log10(size)), 0, 6))


def distinct(values: Iterable[Any]) -> list[str]:
    """Return the values that are neither missing nor empty, each once, in order of appearance."""
    return list(dict.fromkeys(str(value) for value in values if not pd.isna(value) and value != ""))


def _typical_size(values: Iterable[float]) -> float:
    """Return the median size of the values that are neither zero nor NaN; 0.0 without any."""
    sizes = np.abs(np.array(list(values), float))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(sizes)) if len(sizes) else 0.0
