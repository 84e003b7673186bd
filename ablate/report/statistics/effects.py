"""Effects: each comparison with its difference, its interval, its p and its verdict.

A comparison is computed in each replicate separately: replicate k of every variant has the same seeds, so the variation
that the variants share cancels out. Where replicates are independent runs, means are compared instead, by
:mod:`ablate.report.statistics.independent`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.statistics import doubts, roles, verdicts
from ablate.report.statistics.comparisons.asked import KEY, asked
from ablate.report.statistics.described import summary
from ablate.report.statistics.independent import judge as independent
from ablate.report.statistics.inference import effect_sizes, equivalence, flips, intervals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.report.statistics.margins import Margin
    from ablate.report.statistics.replicates import Replicates
    from ablate.report.statistics.rows import Quantity
    from ablate.settings import StatisticsSettings


_BETTER = ["p_better", "p_better_low", "p_better_high"]
_NUMBERS = ["difference", "low", "high", "effect", *_BETTER, "p_raw_equivalent", "withheld"]


def judge(
    replicates: Replicates,
    comparisons: Sequence[Weights],
    margins: Mapping[tuple[str, str], Margin],
    rules: StatisticsSettings,
    quantities: pd.DataFrame,
    comparable: Callable[[Iterable[str], Quantity], bool] = lambda names, quantity: True,
) -> pd.DataFrame:
    """Judge comparisons of every quantity, each role's as one family.

    Args:
        replicates: the values.
        comparisons: what to compare; in exploratory quantities only the kinds in
            :data:`ablate.report.statistics.roles.EXPLORED`.
        margins: the smallest difference that matters, by (metric, feature), where the study states it.
        rules: the study's statistics.
        quantities: the quantities to compare, with the columns of ``replicates.quantities`` and ``role``.
        comparable: whether these variants can be compared in a quantity.

    Returns:
        One row for each comparison and quantity that can be compared and of which at least one replicate is complete:

        - ``kind``, ``comparison``, ``versus``, ``alias``, ``metric``, ``feature``, ``unit``, ``direction``, ``role``;
        - ``n`` replicates, their ``difference`` (mean or interquartile mean), its 95 % interval ``low`` to ``high``
          (of this comparison alone), and the standardised ``effect``;
        - ``p`` of this comparison alone, ``p_adjusted`` for its family, the size of the ``family``, and the ``level``
          at which each open comparison of the family is tested in effect, in a study with one look, and ``level_now``
          at the last of several looks; the latter four are NaN or 0 for exploratory quantities;
        - ``margin`` (its mean over the replicates; NaN without one), ``margin_of`` (its source) and ``p_equivalent``,
          corrected by Holm's method; ``withheld`` says why there can be no equivalence, or is empty;
        - ``p_better``, the share of replicates in which the comparison is better (without a direction: higher), and its
          95 % interval ``p_better_low`` to ``p_better_high``;
        - ``doubts``, the reasons for care in a few words, see :mod:`ablate.report.statistics.doubts`;
        - ``verdict``, one of :data:`ablate.report.statistics.verdicts.VERDICTS`, empty for exploratory quantities;
        - ``values``: the differences, [replicates], NaN where a replicate is missing.
    """
    if not replicates.paired:
        return independent.judge(replicates, comparisons, margins, rules, quantities, comparable)
    rows = list(_rows(replicates, comparisons, margins, quantities, comparable))
    frame = pd.DataFrame(rows, columns=[*KEY, "n", "margin", "margin_of", "doubts", "values", "limits"])
    for _, part in frame.groupby("n", sort=False):
        pairs = list(zip(part["values"], part["limits"], strict=True))
        known = np.stack([values[~np.isnan(values)] for values, _ in pairs])
        limits = np.stack([limits[~np.isnan(values)] for values, limits in pairs])
        side = np.where(part["direction"] == "lower", -1.0, 1.0)
        for column, numbers in _numbers(known, limits, side, rules).items():
            frame.loc[part.index, column] = numbers
    frame = frame.reindex(columns=[*frame.columns, *(c for c in _NUMBERS if c not in frame.columns)])
    _test_families(frame, rules)
    frame["verdict"] = [verdicts.decide(row, rules.alpha) for row in frame.to_dict("records")]
    return frame.drop(columns=["p_raw_equivalent", "limits"])


def _test_families(frame: pd.DataFrame, rules: StatisticsSettings) -> None:
    """Add the p-values of each role's comparisons, which are one family."""
    frame[["p", "p_adjusted", "level", "level_now", "p_equivalent"]] = np.nan
    frame["family"] = 0
    for role, part in frame.groupby("role", sort=False):
        differences = np.stack(part["values"].to_list())
        if role == roles.EXPLORATORY:
            for index, values in zip(part.index, differences, strict=True):
                frame.loc[index, "p"] = flips.sign_flip(values[~np.isnan(values)], rules.estimate)
            continue
        test = flips.max_t(differences, rules.estimate, rules.alpha)
        frame.loc[part.index, "p"] = test.p
        frame.loc[part.index, "p_adjusted"] = test.adjusted
        frame.loc[part.index, ["level", "level_now"]] = test.level
        frame.loc[part.index, "family"] = int((~np.isnan(test.p)).sum())
        frame.loc[part.index, "p_equivalent"] = equivalence.holm(part["p_raw_equivalent"].to_numpy(float))


def _rows(
    replicates: Replicates,
    comparisons: Sequence[Weights],
    margins: Mapping[tuple[str, str], Margin],
    quantities: pd.DataFrame,
    comparable: Callable[[Iterable[str], Quantity], bool],
) -> Iterator[tuple[Any, ...]]:
    for quantity, made in asked(comparisons, quantities, comparable):
        margin = margins.get(quantity)
        limits = margin.in_replicates(replicates, quantity) if margin else np.full(replicates.count, np.nan)
        care = doubts.doubts_of(replicates, *quantity)
        for one, _, key in made:
            values = replicates.differences(*quantity, one.weights)
            n = int((~np.isnan(values)).sum())
            if n:
                # the margin of a difference between two variants is not that of a slope
                own = np.full(replicates.count, np.nan) if one.slope else limits
                known = own[~np.isnan(values) & ~np.isnan(own)]
                size = float(known.mean()) if len(known) else np.nan
                source = "" if margin is None or np.isnan(size) else margin.source
                yield (*key, n, size, source, str(care.about(one.weights)), values, own)


def _numbers(values: FloatArray, limits: FloatArray, side: FloatArray, rules: StatisticsSettings) -> dict[str, Any]:
    """Return the numbers of comparisons with equal numbers of replicates.

    Args:
        values: the differences, [rows, replicates].
        limits: the margin in each replicate, [rows, replicates]; NaN without a margin.
        side: the sign of a better difference, [rows].
        rules: the study's statistics.
    """
    interval = intervals.interval(values, 0.95, rules.estimate)
    wins = effect_sizes.p_better(side[:, None] * values)
    inside = equivalence.equivalence(values, limits, rules.estimate)
    return {
        "difference": np.asarray(intervals.estimator(rules.estimate)(values, axis=-1)),
        "low": interval.low,
        "high": interval.high,
        "effect": effect_sizes.standardised(values, rules.estimate),
        "p_better": wins.share,
        "p_better_low": wins.low,
        "p_better_high": wins.high,
        "p_raw_equivalent": inside.p,
        "withheld": inside.reason,
    }


def estimates(frame: pd.DataFrame, rules: StatisticsSettings) -> pd.DataFrame:
    """Estimate the mean of every variant with its interval.

    Returns:
        The columns of :func:`ablate.report.statistics.described.summary.summarise`, and ``estimate`` (mean or
        interquartile mean), ``low``, ``high`` (95 %) and ``method``.
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
