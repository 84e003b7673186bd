"""Effects: each comparison with its difference, its interval, its p and its verdict.

A comparison is computed in each replicate separately: replicate k of every variant has the same seeds, so the variation
that the variants share cancels out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.statistics import summary, verdicts
from ablate.report.statistics.inference import effect_sizes, equivalence, flips, intervals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.settings import StatisticsSettings


#: A sum that is smaller than this share of its terms is a rounding error.
_ROUNDING = 1e-12
_COMPARISON = ["kind", "comparison", "versus", "alias", "metric", "feature", "unit", "direction"]
_NUMBERS = ["difference", "low", "high", "effect", "p", "p_raw_equivalent", "smallest_p"]


class Replicates:
    """The mean over samples of every variant in every replicate, by quantity.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        means = summary.over_samples(frame)
        self.quantities = means.drop_duplicates(["metric", "feature"])[["metric", "feature", "unit", "direction"]]
        self._tables = {
            key: part.pivot_table(index="replicate", columns="variant", values="value", observed=True)
            for key, part in means.groupby(["metric", "feature"], sort=False)
        }
        # plain arrays, because there are thousands of comparisons
        self._columns = {
            key: {str(name): table[name].to_numpy() for name in table.columns} for key, table in self._tables.items()
        }

    def table(self, metric: str, feature: str) -> pd.DataFrame:
        """Return the values of one quantity, replicates by variants, NaN where there is none."""
        return self._tables[metric, feature]

    def differences(self, metric: str, feature: str, weights: Mapping[str, float]) -> FloatArray:
        """Return a comparison in each replicate that has all its variants, [replicates]."""
        columns = self._columns[metric, feature]
        if not all(variant in columns for variant in weights):
            return np.empty(0)
        terms = np.array([columns[variant] * weight for variant, weight in weights.items()])
        sums = terms.sum(0)
        # equal values add up to exactly 0, but thirds of them do not quite
        sums[np.abs(sums) <= _ROUNDING * np.abs(terms).sum(0)] = 0.0
        return np.asarray(sums[~np.isnan(sums)])


def judge(
    replicates: Replicates,
    comparisons: Sequence[Weights],
    margins: Mapping[tuple[str, str], tuple[float, str]],
    rules: StatisticsSettings,
    quantities: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Judge comparisons of every quantity.

    Args:
        replicates: the values.
        comparisons: what to compare.
        margins: the smallest difference that matters, and its source, by (metric, feature).
        rules: the study's statistics.
        quantities: the quantities to compare, with the columns of ``replicates.quantities``; default all of them.

    Returns:
        One row for each comparison and quantity of which at least one replicate is complete:

        - ``kind``, ``comparison``, ``versus``, ``alias``, ``metric``, ``feature``, ``unit``, ``direction``;
        - ``n`` replicates, their ``difference`` (mean or interquartile mean), its 95 % interval ``low`` to ``high``,
          and the standardised ``effect``;
        - ``p``, ``p_holm``, the size of the ``family`` that it is corrected for, the number of comparisons in that
          family that are still ``open`` (inconclusive), and the ``smallest_p`` that this number of replicates can give
          before the correction;
        - ``margin``, ``margin_of`` (its source) and ``p_equivalent``, Holm-corrected too;
        - ``verdict``, one of :data:`ablate.report.statistics.verdicts.VERDICTS`.
    """
    rows = list(_rows(replicates, comparisons, margins, replicates.quantities if quantities is None else quantities))
    frame = pd.DataFrame(rows, columns=[*_COMPARISON, "n", "margin", "margin_of", "values"])
    for _, part in frame.groupby("n", sort=False):
        for column, numbers in _numbers(np.stack(part["values"].to_list()), part["margin"].to_numpy(), rules).items():
            frame.loc[part.index, column] = numbers
    frame = frame.reindex(columns=[*frame.columns, *(c for c in _NUMBERS if c not in frame.columns)])
    _correct(frame, ["kind"] if rules.family == "study" else ["kind", "metric", "feature"], rules)
    frame["verdict"] = [
        verdicts.decide(difference, direction, p, p_equivalent, rules.alpha)
        for difference, direction, p, p_equivalent in zip(
            frame["difference"], frame["direction"], frame["p_holm"], frame["p_equivalent"], strict=True
        )
    ]
    return frame.drop(columns="p_raw_equivalent")


def _correct(frame: pd.DataFrame, family: list[str], rules: StatisticsSettings) -> None:
    """Add the columns of Holm's correction over each family."""
    for raw, adjusted in (("p", "p_holm"), ("p_raw_equivalent", "p_equivalent")):
        frame[adjusted] = frame.groupby(family, sort=False)[raw].transform(
            lambda p: equivalence.holm(p.to_numpy(float))
        )
    frame["family"] = frame.groupby(family, sort=False)["p"].transform("count").astype("int64")
    # at each step, Holm's correction counts the comparisons that are still open
    still_open = (frame["p_holm"] >= rules.alpha).groupby([frame[key] for key in family], sort=False)
    frame["open"] = still_open.transform("sum").astype("int64")


def _rows(
    replicates: Replicates,
    comparisons: Iterable[Weights],
    margins: Mapping[tuple[str, str], tuple[float, str]],
    quantities: pd.DataFrame,
) -> Iterator[tuple[Any, ...]]:
    columns = [quantities[name] for name in ("metric", "feature", "unit", "direction")]
    comparisons = list(comparisons)
    for metric, feature, unit, direction in zip(*columns, strict=True):
        margin, source = margins.get((metric, feature), (np.nan, ""))
        for one in comparisons:
            values = replicates.differences(metric, feature, one.weights)
            if len(values):
                key = (one.kind, one.name, one.versus, one.alias, metric, feature, unit, direction)
                yield (*key, len(values), margin, source, values)


def _numbers(values: FloatArray, margin: FloatArray, rules: StatisticsSettings) -> dict[str, Any]:
    """Return the numbers of comparisons with equal numbers of replicates, [rows, replicates]."""
    interval = intervals.interval(values, 0.95, rules.estimate)
    return {
        "difference": np.asarray(intervals.estimator(rules.estimate)(values, axis=-1)),
        "low": interval.low,
        "high": interval.high,
        "effect": effect_sizes.standardised(values),
        "p": flips.sign_flip(values, rules.estimate),
        "p_raw_equivalent": equivalence.equivalence(values, margin),
        "smallest_p": flips.smallest_p(values.shape[-1]),
    }


def estimates(frame: pd.DataFrame, rules: StatisticsSettings) -> pd.DataFrame:
    """Estimate the mean of every variant with its interval.

    Returns:
        The columns of :func:`ablate.report.statistics.summary.summarise`, and ``estimate`` (mean or interquartile
        mean), ``low``, ``high`` (95 %) and ``method``.
    """
    table = summary.summarise(frame)
    values = summary.over_samples(frame).groupby(["variant", "metric", "feature"], sort=False, observed=True)["value"]
    lists = values.agg(list).rename("values").reset_index()
    table = table.merge(lists, on=["variant", "metric", "feature"], how="left")
    for _, part in table.groupby("n", sort=False):
        replicates = np.stack(part["values"].to_list()).astype(float)
        interval = intervals.interval(replicates, 0.95, rules.estimate)
        middle = intervals.estimator(rules.estimate)(replicates, axis=-1)
        for column, numbers in (("estimate", middle), ("low", interval.low), ("high", interval.high)):
            table.loc[part.index, column] = numbers
        table.loc[part.index, "method"] = interval.method
    columns = dict.fromkeys([*table.columns.drop("values"), "estimate", "low", "high", "method"])
    return table.reindex(columns=list(columns))
