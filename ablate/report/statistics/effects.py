"""What made the difference: comparisons over replicates, each with its interval, its p and its verdict.

A comparison is a weighted sum of variants whose weights add up to 0, worked out in each replicate by itself: replicate
k of every variant shares its seeds, so what they have in common cancels. Three kinds are made: each variant against
the baseline; the contrasts that a study names; main effects and two-way interactions where axes are crossed.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.names import level_name
from ablate.report.statistics import inference, summary, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.settings import StatisticsSettings


#: The kinds of comparisons; each is a family of its own for Holm's correction.
KINDS = ("variant", "contrast", "main effect", "interaction")
#: With more variants than this, main effects and interactions are more than a person would read.
MOST_EFFECTS = 200
#: Differences that are smaller than this share of what they are the difference of are rounding.
_ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True)
class Weights:
    """One comparison.

    Attributes:
        kind: one of :data:`KINDS`.
        name: for people (``"tau=0.8"``, ``"conditioner=tempo"``, ``"conditioner=tempo x augmenter=tempo"``).
        versus: what it is compared with, for people; empty for a contrast.
        weights: variant to weight.
        alias: what a fraction cannot tell it from; empty otherwise.
    """

    kind: str
    name: str
    versus: str
    weights: Mapping[str, float]
    alias: str = ""


@dataclasses.dataclass(frozen=True)
class Variants:
    """What effects need to know of a study's variants: names with their levels, in order, and the baseline."""

    levels: Mapping[str, Mapping[str, Any]]
    baseline: str

    @property
    def axes(self) -> list[str]:
        """Paths of the axes with more than one level, in order."""
        paths = dict.fromkeys(path for levels in self.levels.values() for path in levels)
        return [path for path in paths if len(self.of_axis(path)) > 1]

    def of_axis(self, path: str) -> list[Any]:
        """The levels that an axis has among the variants, the baseline's first."""
        first = self.levels[self.baseline].get(path)
        found = [first] if path in self.levels[self.baseline] else []
        for levels in self.levels.values():
            if path in levels and levels[path] not in found:
                found.append(levels[path])
        return found


def against_baseline(variants: Variants) -> Iterator[Weights]:
    """Each other variant against the baseline."""
    for name in variants.levels:
        if name != variants.baseline:
            yield Weights("variant", name, variants.baseline, {name: 1.0, variants.baseline: -1.0})


def named_contrasts(given: Mapping[str, Mapping[str, float]], variants: Variants) -> Iterator[Weights]:
    """The contrasts of a study file, those left out whose variants are not there."""
    for name, weights in given.items():
        if all(variant in variants.levels for variant in weights):
            yield Weights("contrast", name, "", {variant: float(weight) for variant, weight in weights.items()})


def crossed_effects(variants: Variants, labels: Mapping[str, str], aliases: Mapping[str, str]) -> Iterator[Weights]:
    """Main effects and two-way interactions of a crossed design, each level against its axis's baseline level.

    A main effect is the mean, over all combinations of the other axes, of what the level changes; an interaction the
    mean of by how much that change differs between two levels of another axis. Of a half fraction they are what its
    runs can say: an effect together with its alias.

    Args:
        variants: every combination of the levels, or half of them.
        labels: how axes are called.
        aliases: of a half fraction, effect to alias, by those names; empty for a full design.
    """
    names = {path: [f"{labels[path]}={level_name(each)}" for each in variants.of_axis(path)] for path in variants.axes}
    changes = {path: variants.of_axis(path)[1:] for path in names}
    if sum(map(len, changes.values())) > MOST_EFFECTS:
        return
    if aliases and 2 * len(variants.levels) != math.prod(len(levels) + 1 for levels in changes.values()):
        return  # less than half a factorial
    aliases = _both_ways(aliases)
    single = [(path, level) for path, levels in changes.items() for level in range(1, len(levels) + 1)]
    for path, level in single:
        weights = _product_weights(variants, {path: level}, fraction=bool(aliases))
        if weights:
            versus = names[path][0]
            yield Weights("main effect", names[path][level], versus, weights, aliases.get(labels[path], ""))
    for (one, a), (other, b) in itertools.combinations(single, 2):
        if one == other:
            continue
        weights = _product_weights(variants, {one: a, other: b}, fraction=bool(aliases))
        if weights:
            pair = f"{labels[one]} x {labels[other]}"
            yield Weights("interaction", f"{names[one][a]} x {names[other][b]}", "", weights, aliases.get(pair, ""))


def _both_ways(aliases: Mapping[str, str]) -> dict[str, str]:
    """Each alias with the effect that it cannot be told from, too; the sign is the same."""
    signs = {effect: "-" if alias.startswith("-") else "" for effect, alias in aliases.items()}
    return {**{alias.removeprefix("-"): signs[effect] + effect for effect, alias in aliases.items()}, **aliases}


def _product_weights(variants: Variants, effect: Mapping[str, int], *, fraction: bool) -> dict[str, float]:
    """The weights of an effect of some axes, averaged over the others; empty where combinations are missing.

    ``effect`` has the place of a level for each axis; place 0 is the baseline's. With levels coded +1 (that one), -1
    (baseline) and left out otherwise, a variant's weight is the product of its codes.
    """
    places = {path: variants.of_axis(path) for path in effect}
    weights: dict[str, float] = {}
    blocks: dict[tuple[tuple[str, str], ...], collections.Counter[tuple[int, ...]]] = {}
    for name, levels in variants.levels.items():
        found = tuple(places[path].index(levels[path]) if path in levels else -1 for path in effect)
        if all(place in (0, wanted) for place, wanted in zip(found, effect.values(), strict=True)):
            weights[name] = float(np.prod([1 if place else -1 for place in found]))
            # of a half fraction only the whole is balanced, not every combination of the other axes
            rest = () if fraction else _rest(variants, name, effect)
            blocks.setdefault(rest, collections.Counter())[found] += 1
    codes = 2 ** len(effect)
    if not weights or any(len(block) < codes or len(set(block.values())) > 1 for block in blocks.values()):
        return {}
    times = len(weights) / codes
    return {name: weight / times for name, weight in weights.items()}


def _rest(variants: Variants, name: str, effect: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple((path, repr(level)) for path, level in variants.levels[name].items() if path not in effect)


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

        # plain arrays: there are thousands of comparisons
        self._columns = {
            key: {str(name): table[name].to_numpy() for name in table.columns} for key, table in self._tables.items()
        }

    def table(self, metric: str, feature: str) -> pd.DataFrame:
        """Values of one quantity, replicates by variants, NaN where there is none."""
        return self._tables[metric, feature]

    def differences(self, metric: str, feature: str, weights: Mapping[str, float]) -> FloatArray:
        """A comparison in each replicate that has all its variants, [replicates]."""
        columns = self._columns[metric, feature]
        if not all(variant in columns for variant in weights):
            return np.empty(0)
        terms = np.array([columns[variant] * weight for variant, weight in weights.items()])
        found = terms.sum(0)
        # values that are equal add up to 0, which thirds of them do not quite
        found[np.abs(found) <= _ROUNDING * np.abs(terms).sum(0)] = 0.0
        return np.asarray(found[~np.isnan(found)])


def compared(
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
        margins: what difference matters, by (metric, feature), and whose that is.
        rules: the study's statistics.
        quantities: those to look at, with the columns of ``replicates.quantities``; default all of them.

    Returns:
        One row for each comparison and quantity of which at least one replicate is complete:

        - ``kind``, ``comparison``, ``versus``, ``alias``, ``metric``, ``feature``, ``unit``, ``direction``;
        - ``n`` replicates, their ``difference`` (mean or interquartile mean), its 95 % interval ``low`` to ``high``,
          and the standardised ``effect``;
        - ``p``, ``p_holm``, the size of the ``family`` it is corrected for, how many of that are still ``open``
          (cannot be told), and the ``smallest_p`` that so many replicates can give before the correction;
        - ``margin``, ``margin_of`` (whose it is) and ``p_equivalent``, Holm-corrected too;
        - ``verdict``, one of :data:`ablate.report.statistics.verdicts.VERDICTS`.
    """
    rows = list(_rows(replicates, comparisons, margins, replicates.quantities if quantities is None else quantities))
    frame = pd.DataFrame(rows, columns=[*_ABOUT, "n", "margin", "margin_of", "values"])
    for _, part in frame.groupby("n", sort=False):
        for column, numbers in _measured(np.stack(part["values"].to_list()), part["margin"].to_numpy(), rules).items():
            frame.loc[part.index, column] = numbers
    frame = frame.reindex(columns=[*frame.columns, *(c for c in _NUMBERS if c not in frame.columns)])
    family = ["kind"] if rules.family == "study" else ["kind", "metric", "feature"]
    for raw, adjusted in (("p", "p_holm"), ("p_raw_equivalent", "p_equivalent")):
        frame[adjusted] = frame.groupby(family, sort=False)[raw].transform(lambda p: inference.holm(p.to_numpy(float)))
    frame["family"] = frame.groupby(family, sort=False)["p"].transform("count").astype("int64")
    # Holm's correction is for as many comparisons as are still open at its step
    still_open = (frame["p_holm"] >= rules.alpha).groupby([frame[key] for key in family], sort=False)
    frame["open"] = still_open.transform("sum").astype("int64")
    frame["verdict"] = [
        verdicts.decide(d, direction, p, same, rules.alpha)
        for d, direction, p, same in zip(
            frame["difference"], frame["direction"], frame["p_holm"], frame["p_equivalent"], strict=True
        )
    ]
    return frame.drop(columns="p_raw_equivalent")


_ABOUT = ["kind", "comparison", "versus", "alias", "metric", "feature", "unit", "direction"]
_NUMBERS = ["difference", "low", "high", "effect", "p", "p_raw_equivalent", "smallest_p"]


def _rows(
    replicates: Replicates,
    comparisons: Iterable[Weights],
    margins: Mapping[tuple[str, str], tuple[float, str]],
    quantities: pd.DataFrame,
) -> Iterator[tuple[Any, ...]]:
    columns = [quantities[name] for name in ("metric", "feature", "unit", "direction")]
    chosen = list(comparisons)
    for metric, feature, unit, direction in zip(*columns, strict=True):
        margin, whose = margins.get((metric, feature), (np.nan, ""))
        for each in chosen:
            values = replicates.differences(metric, feature, each.weights)
            if len(values):
                about = (each.kind, each.name, each.versus, each.alias, metric, feature, unit, direction)
                yield (*about, len(values), margin, whose, values)


def _measured(values: FloatArray, margin: FloatArray, rules: StatisticsSettings) -> dict[str, Any]:
    """The numbers of comparisons that have equally many replicates, [rows, replicates]."""
    found = inference.interval(values, 0.95, rules.estimate)
    return {
        "difference": np.asarray(inference.estimator(rules.estimate)(values, axis=-1)),
        "low": found.low,
        "high": found.high,
        "effect": inference.standardised(values),
        "p": inference.sign_flip(values, rules.estimate),
        "p_raw_equivalent": inference.equivalence(values, margin),
        "smallest_p": inference.smallest_p(values.shape[-1]),
    }


def estimates(frame: pd.DataFrame, rules: StatisticsSettings) -> pd.DataFrame:
    """Every variant by itself: :func:`ablate.report.statistics.summary.comparison` with an interval for each mean.

    Returns:
        Its columns, and ``estimate`` (mean or interquartile mean), ``low``, ``high`` (95 %) and ``method``.
    """
    table = summary.comparison(frame)
    values = summary.over_samples(frame).groupby(["variant", "metric", "feature"], sort=False, observed=True)["value"]
    lists = values.agg(list).rename("values").reset_index()
    table = table.merge(lists, on=["variant", "metric", "feature"], how="left")
    for _, part in table.groupby("n", sort=False):
        stacked = np.stack(part["values"].to_list()).astype(float)
        found = inference.interval(stacked, 0.95, rules.estimate)
        middle = inference.estimator(rules.estimate)(stacked, axis=-1)
        for column, numbers in (("estimate", middle), ("low", found.low), ("high", found.high)):
            table.loc[part.index, column] = numbers
        table.loc[part.index, "method"] = found.method
    columns = dict.fromkeys([*table.columns.drop("values"), "estimate", "low", "high", "method"])
    return table.reindex(columns=list(columns))
