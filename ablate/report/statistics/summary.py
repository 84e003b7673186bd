"""Statistics of a study: pure functions from frame to frame, and never a mean without its spread.

The samples of one replicate come from one training and are no independent observations of a variant. So they are
averaged first, inside their replicate; spread and n are always those of the replicates.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats as sps

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The feature that stands for its metric where only one can be shown.
AVERAGE = "average"
#: What a table says where nothing was measured.
NOTHING = "–"  # noqa: RUF001 - an en dash is meant

#: Axes over labels begin with this.
LABELS = "labels."
#: A line through fewer levels says nothing of how well it fits.
FEWEST_LEVELS = 3

_QUANTITY = ["variant", "baseline", "metric", "feature", "unit", "direction"]


def over_samples(frame: pd.DataFrame) -> pd.DataFrame:
    """The mean over the samples inside each replicate.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.

    Returns:
        One row for each variant, metric, feature and replicate: those columns, ``baseline``, ``unit``,
        ``direction``, ``value`` (the mean) and ``samples`` (how many it is the mean of).
    """
    grouped = frame.groupby([*_QUANTITY, "replicate"], sort=False, observed=True)["value"]
    return grouped.agg(value="mean", samples="size").reset_index()


def comparison(frame: pd.DataFrame) -> pd.DataFrame:
    """The spread over replicates of every quantity.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.

    Returns:
        One row for each variant, metric and feature, in the order of variants: those columns, ``baseline``,
        ``unit``, ``direction``, and over the replicates (each the mean of its samples) ``mean``, ``sd`` (with
        n - 1; NaN for a single replicate), ``n``, ``min``, ``max``; ``samples`` counts the samples of all of them.
    """
    grouped = over_samples(frame).groupby(_QUANTITY, sort=False, observed=True)
    summary = grouped.agg(
        mean=("value", "mean"),
        sd=("value", "std"),
        n=("value", "size"),
        min=("value", "min"),
        max=("value", "max"),
        samples=("samples", "sum"),
    )
    return summary.reset_index().sort_values("variant", kind="stable", ignore_index=True)


def headline(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that stand for each metric: its feature ``average``, or every feature where it has none.

    Works on any frame with the columns ``metric`` and ``feature``.
    """
    averaged = frame["metric"].isin(frame.loc[frame["feature"] == AVERAGE, "metric"])
    return frame[~averaged | (frame["feature"] == AVERAGE)]


def responses(frame: pd.DataFrame) -> pd.DataFrame:
    """How what was measured follows a label that was asked for: a line through its levels, for each replicate.

    Every axis over a label (``labels.tempo``) is one; every feature without a better direction is measured against it.
    Slope and Pearson's correlation are those of the replicate's means over its samples, by least squares; a slope of 1
    and a correlation of 1 are perfect control where feature and label have the same meaning and unit.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.

    Returns:
        One row for each label, assignment of the other axes, and feature: ``label``, ``variant`` (the other axes'
        levels), ``metric``, ``feature``, and over replicates ``slope``, ``slope_sd``, ``correlation``,
        ``correlation_sd``, ``n``. Empty where no label was varied over at least three levels.
    """
    axes = [column for column in frame.columns[2:] if column not in {*_QUANTITY, "replicate", "sample", "value", "n"}]
    rows = []
    for axis in axes:
        if not axis.startswith(LABELS) or not _is_numeric(frame[axis]) or frame[axis].nunique() < FEWEST_LEVELS:
            continue
        others = [other for other in axes if other != axis]
        asked = frame[frame["direction"] == "none"]
        runs = asked.groupby([*others, "metric", "feature", "replicate", axis], sort=False)["value"].mean()
        lines = runs.reset_index().groupby([*others, "metric", "feature", "replicate"], sort=False)
        fitted = lines[[axis, "value"]].apply(_line).reset_index()
        for key, part in fitted.groupby([*others, "metric", "feature"], sort=False):
            *levels, metric, feature = key
            if part["slope"].notna().any():
                rows.append((axis.removeprefix(LABELS), ", ".join(map(str, levels)), metric, feature, *_summed(part)))
    columns = ["label", "variant", "metric", "feature", "slope", "slope_sd", "correlation", "correlation_sd", "n"]
    return pd.DataFrame(rows, columns=columns)


def _is_numeric(levels: pd.Series) -> bool:
    """Whether all levels are numbers; the names of a category have no line through them."""
    return all(isinstance(level, int | float | np.number) and not isinstance(level, bool) for level in levels.unique())


def _line(points: pd.DataFrame) -> pd.Series:
    """Slope and correlation of one replicate; NaN where there are too few levels, or nothing moves."""
    asked, value = (points[column].to_numpy(float) for column in points)
    if len(asked) < FEWEST_LEVELS or not asked.std():
        return pd.Series({"slope": math.nan, "correlation": math.nan})
    slope = float(np.polyfit(asked, value, 1)[0])
    correlation = float(np.corrcoef(asked, value)[0, 1]) if value.std() > 0 else 0.0
    return pd.Series({"slope": slope, "correlation": correlation})


def _summed(lines: pd.DataFrame) -> tuple[float, float, float, float, int]:
    slope, correlation = lines["slope"].dropna(), lines["correlation"].dropna()
    return float(slope.mean()), float(slope.std()), float(correlation.mean()), float(correlation.std()), len(slope)


def response_table(rows: pd.DataFrame) -> Table:
    """The rows of :func:`responses` as text, each spread ``mean ± sd``."""

    def spread(row: dict[Any, Any], what: str) -> str:
        sd = row[f"{what}_sd"]
        return f"{row[what]:.2f} ± {NOTHING if math.isnan(sd) else f'{sd:.2f}'}"

    runs = tuple(
        (
            str(row["variant"]) or NOTHING,
            f"{row['metric']} {row['feature']}",
            str(row["label"]),
            spread(row, "slope"),
            spread(row, "correlation"),
            str(row["n"]),
        )
        for row in rows.to_dict("records")
    )
    return Table(("variant", "what was measured", "against", "slope", "correlation", "n"), runs, None)


def pooled_histograms(histograms: pd.DataFrame) -> pd.DataFrame:
    """Normalised histograms of every variant, pooled over its replicates and samples.

    Args:
        histograms: from :func:`ablate.report.data.frames.histogram_frame`.

    Returns:
        One row a bin: ``variant``, ``metric``, ``feature``, ``unit``, ``left``, ``right``, ``generated`` (share of
        all generated notes, 0 to 1), ``sd`` (over the replicates' own shares, n - 1; NaN for a single one), ``n``
        (replicates), ``reference`` (share of the reference's notes), and ``chance_low`` to ``chance_high``: where the
        share lies of 95 % of replicates that draw as many notes from the reference's own (binomial quantiles).
    """
    variable = ["variant", "metric", "feature", "unit"]
    bins = [*variable, "left", "right"]
    counts = histograms.groupby([*bins, "replicate"], sort=False, observed=True)[["generated", "reference"]].sum()
    whole = counts.groupby([*variable, "replicate"], observed=True)["generated"].transform("sum")
    pooled = counts.groupby(bins, sort=False, observed=True).sum()
    shares = pooled / pooled.groupby(variable, observed=True).transform("sum")
    spread = (counts["generated"] / whole).groupby(bins, sort=False, observed=True).agg(sd="std", n="size")
    joined = shares.join(spread)
    size = whole.groupby(bins, sort=False, observed=True).median().reindex(joined.index).round()
    for column, tail in (("chance_low", 0.025), ("chance_high", 0.975)):
        joined[column] = sps.binom.ppf(tail, size, joined["reference"].clip(0, 1)) / size
    return joined.reset_index()


def distinct_histograms(pooled: pd.DataFrame) -> pd.DataFrame:
    """Those of :func:`pooled_histograms` that say something new: metrics may rest on the very same histogram."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    columns = ["variant", "feature", "unit", "left", "right", "generated", "reference"]
    for _, rows in pooled.groupby(["metric", "feature"], sort=False):
        content = tuple(rows[columns].itertuples(index=False, name=None))
        if content not in seen:
            seen.add(content)
            kept.append(rows)
    return pd.concat(kept) if kept else pooled


def trainings(runs: pd.DataFrame) -> pd.DataFrame:
    """Every distinct training of a study, with who shares it.

    Args:
        runs: from :func:`ablate.report.data.frames.run_frame`.

    Returns:
        The first run's row of each training, with ``shared_by``: the names of the variants that use trainings
        like it, or ``all variants``; and ``done``: whether it has finished.
    """
    trained = runs[runs["training"] != ""]
    everyone = set(trained["variant"].unique())

    def label(names: pd.Series) -> str:
        users = list(dict.fromkeys(names))
        return "all variants" if len(users) > 1 and set(users) == everyone else ", ".join(map(str, users))

    shared = trained.groupby("training", sort=False)["variant"].agg(label)
    first = trained.drop_duplicates("training")
    return first.assign(shared_by=first["training"].map(shared), done=first["train_seconds"].notna())


@dataclasses.dataclass(frozen=True)
class Spread:
    """A mean with its standard deviation over n replicates, and how many decimals to print of them."""

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
    """The spread of replicates' values, those that are NaN left out; None where nothing is left."""
    kept = pd.Series(values, dtype="float64").dropna()
    if kept.empty:
        return None
    mean, sd = float(kept.mean()), float(kept.std())
    return Spread(mean, sd, len(kept), decimals([mean], [sd]))


def spreads(summary: pd.DataFrame) -> dict[tuple[str, str, str], Spread]:
    """The rows of :func:`comparison` by (variant, metric, feature), a quantity's all with equally many decimals."""
    found = {}
    for (metric, feature), rows in summary.groupby(["metric", "feature"], sort=False):
        digits = decimals(rows["mean"], rows["sd"])
        for variant, mean, sd, n in zip(rows["variant"], rows["mean"], rows["sd"], rows["n"], strict=True):
            found[str(variant), str(metric), str(feature)] = Spread(float(mean), float(sd), int(n), digits)
    return found


def decimals(means: Iterable[float], sds: Iterable[float]) -> int:
    """Decimals, 0 to 6, that show a typical standard deviation with two digits; three of the mean without one."""
    typical, digits = _typical(sds), 2
    if not typical:
        typical, digits = _typical(means), 3
    if not typical:
        return digits
    return int(np.clip(digits - 1 - math.floor(math.log10(typical)), 0, 6))


def distinct(values: Iterable[Any]) -> list[str]:
    """Those that are neither missing nor empty, each once, in order of appearance."""
    return list(dict.fromkeys(str(value) for value in values if not pd.isna(value) and value != ""))


def _typical(values: Iterable[float]) -> float:
    """The median size of those that are not zero or NaN; 0.0 without any."""
    sizes = np.abs(np.array(list(values), float))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(sizes)) if len(sizes) else 0.0


@dataclasses.dataclass(frozen=True)
class Table:
    """A table for people.

    Attributes:
        headers: one a column; the first is that of the variants.
        rows: text runs, as many as there are headers.
        baseline: the index of the baseline's row, if it is there.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    baseline: int | None


def comparison_table(frame: pd.DataFrame) -> Table:
    """Variants by metrics, each run ``mean ± sd (n=replicates)``.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.

    Returns:
        A row for every variant of the study, also where nothing was measured yet; the baseline's name says so.
        A column for each metric's feature ``average``, or for each feature of a metric that has none.
    """
    summary = headline(comparison(frame))
    found = spreads(summary)
    quantities = list(dict.fromkeys((metric, feature) for _, metric, feature in found))
    baselines = set(summary.loc[summary["baseline"], "variant"])
    names = [str(name) for name in frame["variant"].cat.categories]
    rows = tuple(
        (
            f"{name} (baseline)" if name in baselines else name,
            *(str(found.get((name, *quantity), NOTHING)) for quantity in quantities),
        )
        for name in names
    )
    titles = (metric if feature == AVERAGE else f"{metric} {feature}" for metric, feature in quantities)
    baseline = next((index for index, name in enumerate(names) if name in baselines), None)
    return Table(("variant", *titles), rows, baseline)
