"""Effects of independent runs: each comparison is a weighted sum of the means of variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.statistics import doubts, roles, verdicts
from ablate.report.statistics.comparisons.asked import KEY, asked
from ablate.report.statistics.inference.equivalence import holm
from ablate.report.statistics.inference.independent import joint
from ablate.report.statistics.inference.independent.equivalence import Limit, equivalence
from ablate.report.statistics.inference.independent.moments import welch_p
from ablate.report.statistics.inference.independent.power import FEWEST
from ablate.report.statistics.inference.independent.worlds import Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.report.statistics.inference.independent.groups import Groups
    from ablate.report.statistics.margins import Margin
    from ablate.report.statistics.replicates import Replicates
    from ablate.report.statistics.rows import Quantity
    from ablate.settings import StatisticsSettings

_COLUMNS = [
    *(*KEY, "n"),
    *("margin", "margin_of", "doubts", "values", "difference", "low", "high", "effect"),
    *("p_better", "p_better_low", "p_better_high", "p_equivalent", "withheld"),
]


def judge(
    replicates: Replicates,
    comparisons: Sequence[Weights],
    margins: Mapping[Quantity, Margin],
    rules: StatisticsSettings,
    quantities: pd.DataFrame,
    comparable: Callable[[Iterable[str], Quantity], bool],
) -> pd.DataFrame:
    """Judge comparisons of every quantity, each role's as one family.

    See docs/explanation/statistics/independent-runs.md.

    Returns:
        The columns of :func:`ablate.report.statistics.effects.judge`. ``n`` is the number of runs of the variant of a
        comparison that has the fewest. ``p_better`` is the share of all pairs of a run of each of two variants, without
        an interval, and NaN for other comparisons. ``values`` is a
        :class:`~ablate.report.statistics.inference.independent.groups.Groups`.
    """
    frame = pd.DataFrame(
        list(_rows(replicates, comparisons, margins, rules, quantities, comparable)), columns=[*_COLUMNS, "weights"]
    )
    frame[["p", "p_adjusted", "level"]] = np.nan
    frame["family"] = 0
    for role, part in frame.groupby("role", sort=False):
        if role == roles.EXPLORATORY:
            frame.loc[part.index, "p"] = [float(welch_p(row.sums)[0]) for row in part["values"]]
            continue
        tested = part[part["n"] >= FEWEST]
        frame.loc[part.index, "p_equivalent"] = holm(part["p_equivalent"].to_numpy(float))
        if tested.empty:
            frame.loc[part.index, "level"] = 0.0
            continue
        found = joint.max_t(_family(replicates, tested), rules.estimate, rules.alpha)
        frame.loc[tested.index, "p"], frame.loc[tested.index, "p_adjusted"] = found.p, found.adjusted
        frame.loc[part.index, "level"] = found.level
        frame.loc[part.index, "family"] = int((~np.isnan(found.p)).sum())
    frame["level_now"] = frame["level"]  # independent runs have one look
    frame["verdict"] = [verdicts.decide(row, rules.alpha) for row in frame.to_dict("records")]
    return frame.drop(columns="weights")


def _rows(
    replicates: Replicates,
    comparisons: Sequence[Weights],
    margins: Mapping[Quantity, Margin],
    rules: StatisticsSettings,
    quantities: pd.DataFrame,
    comparable: Callable[[Iterable[str], Quantity], bool],
) -> Iterator[tuple[Any, ...]]:
    for quantity, made in asked(comparisons, quantities, comparable):
        margin = margins.get(quantity)
        limit = _limit(margin, replicates.runs(*quantity))
        care = doubts.doubts_of(replicates, *quantity)
        for one, direction, key in made:
            weights = {name: weight for name, weight in one.weights.items() if weight}
            groups = replicates.groups(*quantity, weights, rules.estimate)
            if groups is None:
                continue
            # the margin of a difference between two variants is not that of a slope
            known = None if one.slope else limit
            size = known.value(rules.estimate) if known else np.nan
            source = margin.source if margin and not np.isnan(size) else ""
            numbers = _numbers(groups, known, side=-1.0 if direction == "lower" else 1.0)
            yield (*key, min(groups.sizes), size, source, str(care.about(one.weights)), groups, *numbers, weights)


def _limit(margin: Margin | None, runs: Mapping[str, FloatArray]) -> Limit | None:
    """Return the margin of a quantity; None without one, or where the baseline that it is a share of has no runs."""
    if margin is None:
        return None
    if not margin.share_of:
        return Limit(margin.size)
    return Limit(margin.size, runs[margin.share_of]) if margin.share_of in runs else None


def _numbers(groups: Groups, limit: Limit | None, side: float) -> tuple[Any, ...]:
    """Return the numbers of a comparison from its difference to the reason for a verdict that is withheld."""
    difference = float(groups.sums.difference[0])
    low, high = groups.interval(0.95)
    wins = groups.p_better
    wins = wins if side > 0 else 1 - wins
    inside = equivalence(groups, limit) if limit else None
    p, reason = (inside.p, inside.reason) if inside else (np.nan, "")
    return difference, low, high, groups.effect, wins, np.nan, np.nan, p, reason


def _family(replicates: Replicates, part: pd.DataFrame) -> joint.Family:
    """Return the comparisons of a role, with the runs of all variants in them."""
    names = list(dict.fromkeys(name for weights in part["weights"] for name in weights))
    keys = list(dict.fromkeys(zip(part["metric"], part["feature"], strict=True)))
    tables = [replicates.table(*key).reindex(columns=names) for key in keys]
    columns, index = [], []
    for at, name in enumerate(names):
        values = np.stack([table[name].to_numpy(float) for table in tables], axis=1)
        values = values[~np.isnan(values).all(axis=1)]
        columns.append(values)
        index += [at] * len(values)
    runs = Runs(np.concatenate(columns), np.array(index), len(names))
    weights = np.array([[own.get(name, 0.0) for name in names] for own in part["weights"]])
    place = {key: at for at, key in enumerate(keys)}
    quantity = np.array([place[key] for key in zip(part["metric"], part["feature"], strict=True)])
    return joint.Family(runs, quantity, weights)
