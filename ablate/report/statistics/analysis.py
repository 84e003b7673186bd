"""All statistics of one study: effects, verdicts, floors, trends and possible confounds."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.names import headline_features
from ablate.options import validate
from ablate.report.statistics import (
    best,
    block_effects,
    confounds,
    copying,
    doubts,
    effects,
    floors,
    looks,
    margins,
    roles,
    shares,
    summary,
    variance,
    verdicts,
)
from ablate.report.statistics.comparisons import predicted
from ablate.report.statistics.comparisons.attribution import attribution, layout
from ablate.report.statistics.comparisons.path import path_of, path_steps
from ablate.report.statistics.comparisons.predicted import Predicted
from ablate.report.statistics.comparisons.trends import trend_weights, trends
from ablate.report.statistics.comparisons.weights import (
    KINDS,
    against_baseline,
    factorial_effects,
    study_contrasts,
)
from ablate.settings import StatisticsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.arrays import FloatArray
    from ablate.registry import Registry
    from ablate.report.data.study import Study
    from ablate.report.statistics.best import Best
    from ablate.report.statistics.comparisons.attribution import Layout
    from ablate.report.statistics.comparisons.path import Path
    from ablate.report.statistics.comparisons.trends import Trend
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.report.statistics.confounds import Confound
    from ablate.report.statistics.doubts import Doubts
    from ablate.report.statistics.effects import Replicates
    from ablate.report.statistics.floors import Band
    from ablate.report.statistics.looks import Looks, State
    from ablate.report.statistics.margins import Margin
    from ablate.report.statistics.roles import Role
    from ablate.report.statistics.shares import Shares
    from ablate.report.statistics.variance import Advice, Costs, Samples

Quantity = tuple[str, str]
#: The designs in which every level of an axis meets every level of the others, or half of them do.
CROSSED = ("factorial", "fractional")


class Analysis:
    """The statistics of one study, each computed at its first use.

    Args:
        study: the study with its measurements.
        registry: the components, for the feature of a metric that is its share of copies.

    Attributes:
        rules: the study's statistics.
    """

    def __init__(self, study: Study, registry: Registry) -> None:
        self.study, self._registry = study, registry
        self.rules: StatisticsSettings = validate(StatisticsSettings, study.spec.get("statistics") or {})
        self.replicates = effects.Replicates(study.frame, study.blocks)

    @functools.cached_property
    def primary(self) -> list[Quantity]:
        """The quantities that the study is about: its objective, or the objectives of its search."""
        return [quantity for quantity, _ in self._objectives] or self.headline[:1]

    @functools.cached_property
    def _objectives(self) -> list[tuple[Quantity, str]]:
        """The measured objectives, each with the direction in the study file, or an empty text."""
        search = self.study.spec.get("search") or {}
        quantities = self.replicates.quantities
        objectives = []
        for objective in search.get("objectives") or [self.study.spec.get("objective") or {}]:
            features = list(quantities.loc[quantities["metric"] == objective.get("metric"), "feature"])
            feature = objective.get("feature") or next(iter(headline_features(features)), "")
            if feature in features:
                objectives.append(((objective["metric"], feature), objective.get("direction") or ""))
        return objectives

    @functools.cached_property
    def headline(self) -> list[Quantity]:
        """The quantities that stand for each metric, in order."""
        return _keys(summary.headline(self.replicates.quantities))

    @functools.cached_property
    def in_order(self) -> list[Quantity]:
        """The primary quantities, then the other headline quantities."""
        return list(dict.fromkeys([*self.primary, *self.headline]))

    @functools.cached_property
    def directions(self) -> dict[Quantity, str]:
        """The better direction of each quantity; for an objective, that of the study file if there is one."""
        quantities = self.replicates.quantities
        directions = dict(zip(_keys(quantities), quantities["direction"], strict=True))
        return directions | {quantity: direction for quantity, direction in self._objectives if direction}

    @functools.cached_property
    def units(self) -> dict[Quantity, str]:
        """The unit of each quantity; ``"1"`` without one."""
        quantities = self.replicates.quantities
        return dict(zip(_keys(quantities), quantities["unit"], strict=True))

    @functools.cached_property
    def floors(self) -> pd.DataFrame:
        """Mean and spread of every floor; see :func:`ablate.report.statistics.floors.summarise_floors`."""
        return floors.summarise_floors(self.study.floors)

    @functools.cached_property
    def floor_records(self) -> list[dict[str, Any]]:
        """The rows of :attr:`floors`."""
        return records(self.floors)

    @functools.cached_property
    def distinct_floors(self) -> list[str]:
        """The baseline, and one variant for each other set of floors without samples (of another tokenizer, say)."""
        sets: dict[str, list[Any]] = {}
        for row in self.floor_records:
            if row["floor"] != "resampling":
                values = (row["metric"], row["feature"], row["floor"], row["mean"])
                sets.setdefault(str(row["variant"]), []).append(values)
        first: dict[str, str] = {}
        for name in [self.study.baseline, *self.study.names]:
            if name in sets:
                first.setdefault(repr(sorted(sets[name])), name)
        return list(first.values()) or [self.study.baseline]

    @functools.cached_property
    def bands(self) -> dict[tuple[str, str, str], Band]:
        """The resampling band of each (variant, metric, feature)."""
        return floors.bands(self.floors)

    @functools.cached_property
    def margins(self) -> dict[Quantity, Margin]:
        """The smallest difference that matters, where the study file states it."""
        return margins.margins(
            self.study.spec.get("margins") or {}, self.study.variant_levels.baseline, self.replicates.quantities
        )

    @functools.cached_property
    def estimates(self) -> pd.DataFrame:
        """The mean of every variant with its interval."""
        return effects.estimates(self.study.frame, self.rules)

    @functools.cached_property
    def estimate_records(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """The rows of :attr:`estimates` by (variant, metric, feature)."""
        return {(str(row["variant"]), row["metric"], row["feature"]): row for row in records(self.estimates)}

    @functools.cached_property
    def role_of(self) -> dict[Quantity, Role]:
        """The role of each quantity."""
        headline = dict.fromkeys(self.headline, roles.SECONDARY)
        everything = dict.fromkeys(_keys(self.replicates.quantities), roles.EXPLORATORY)
        return everything | headline | dict.fromkeys(self.primary, roles.PRIMARY)

    @functools.cached_property
    def _standard(self) -> list[Weights]:
        """The comparisons that do not depend on the hypothesis."""
        spec, variants, labels = self.study.spec, self.study.variant_levels, self.study.axis_labels
        # the candidates of a path that were not taken have no claims of their own
        pairs = path_steps(self.path, variants.baseline) if self.path else against_baseline(variants)
        found = [*pairs, *study_contrasts(spec.get("contrasts") or {}, variants)]
        if spec.get("design", "factorial") in CROSSED and len(variants.axes) > 1:
            found += factorial_effects(variants, labels, spec.get("aliases") or {})
        return [*found, *trend_weights(variants, labels), *attribution(self.parts)]

    @functools.cached_property
    def predictions(self) -> list[Predicted]:
        """The predictions of the hypothesis, each with its quantity and its comparisons."""
        return [self._predicted(one) for one in self.study.spec.get("predictions") or ()]

    def _predicted(self, prediction: Mapping[str, Any]) -> Predicted:
        variants, labels = self.study.variant_levels, self.study.axis_labels
        quantity = self._predicted_quantity(prediction)
        if "best" in prediction and quantity in self.best:
            return Predicted(prediction, quantity, ())  # the set of the best variants answers it
        return Predicted(prediction, quantity, tuple(predicted.claims(prediction, self._standard, variants, labels)))

    def _predicted_quantity(self, prediction: Mapping[str, Any]) -> Quantity | None:
        """Return the quantity of a prediction, by default that of the objective; None if it was not measured."""
        metric, feature = prediction.get("metric") or self.primary[0][0], prediction.get("feature", "")
        known = [q for q in [*self.in_order, *self.role_of] if q[0] == metric and feature in ("", q[1])]
        return known[0] if known else None

    @functools.cached_property
    def comparisons(self) -> list[Weights]:
        """The comparisons of every kind."""
        return [*self._standard, *predicted.additional(self.predictions, self.role_of)]

    @functools.cached_property
    def path(self) -> Path | None:
        """The steps of a study with that design."""
        return path_of(self.study.spec, self.study.variant_levels, self.study.axis_labels)

    @functools.cached_property
    def parts(self) -> Layout:
        """The parts of the study that are on or off; without combinations where there is nothing to share."""
        spec, variants, labels = self.study.spec, self.study.variant_levels, self.study.axis_labels
        crossed = spec.get("design", "factorial") in CROSSED
        return layout(variants, labels, spec.get("parts") or {}, crossed=crossed)

    @functools.cached_property
    def looks(self) -> Looks:
        """The looks at this study, the last of which is now."""
        now = max(self.replicates.numbers, default=-1) + 1
        return looks.looks_of(self.study.looks, self.study.spec, now, self.study.fingerprints)

    @property
    def all_effects(self) -> pd.DataFrame:
        """Every comparison of every kind, as one frame, corrected for the looks at the study.

        See :func:`ablate.report.statistics.effects.judge`.
        """
        return self._corrected[0]

    @property
    def spent(self) -> FloatArray:
        """The probability of a false claim about the primary quantity up to each look, [looks]."""
        return self._corrected[1]

    @functools.cached_property
    def _corrected(self) -> tuple[pd.DataFrame, FloatArray]:
        frame = self._judged(self.replicates)
        if self.looks.plain:
            return frame, np.array([self.rules.alpha])

        def at(number: int) -> pd.DataFrame:
            first = self.study.frame[self.study.frame["replicate"] < number]
            return self._judged(effects.Replicates(first, self.study.blocks))

        return looks.correct(frame, self.looks, at, np.array(self.replicates.numbers), self.rules)

    @functools.cached_property
    def states(self) -> dict[str, State]:
        """The state of each primary comparison at the last look, by its name."""
        return looks.states(self.all_effects, self.looks, self.rules.alpha)

    def _judged(self, replicates: Replicates) -> pd.DataFrame:
        quantities = self.replicates.quantities
        keys = _keys(quantities)
        quantities = quantities.assign(
            direction=[self.directions[key] for key in keys], role=[self.role_of[key] for key in keys]
        )
        frame = effects.judge(replicates, self.comparisons, self.margins, self.rules, quantities)
        if self.rules.estimate == "mean":
            frame = shares.adding_up(frame)
        return frame.sort_values("kind", key=lambda kinds: kinds.map(KINDS.index), kind="stable", ignore_index=True)

    @functools.cached_property
    def block_effects(self) -> pd.DataFrame:
        """Every comparison in every block; see :mod:`ablate.report.statistics.block_effects`."""
        return block_effects.block_effects(self.all_effects, self.study.blocks.names, self.replicates.blocks)

    @functools.cached_property
    def replicability(self) -> pd.DataFrame:
        """The spread of each judged comparison between blocks, and the number of blocks in which it holds."""
        # several looks share alpha
        alpha = self.rules.alpha / len(self.looks.made)
        return block_effects.replicability(self.all_effects, self.replicates.blocks, alpha)

    def of_kind(self, *kinds: str) -> pd.DataFrame:
        """Return the comparisons of these kinds."""
        return self.all_effects[self.all_effects["kind"].isin(kinds)]

    @property
    def against_baseline(self) -> pd.DataFrame:
        """Each variant against the baseline, in every quantity."""
        return self.of_kind("variant")

    @property
    def contrasts(self) -> pd.DataFrame:
        """The contrasts of the study file, in every quantity."""
        return self.of_kind("contrast")

    @property
    def factorial_effects(self) -> pd.DataFrame:
        """Main effects and interactions of a crossed design, in the headline quantities; otherwise empty."""
        return self.of_kind("main effect", "interaction")

    @functools.cached_property
    def shares(self) -> dict[Quantity, Shares]:
        """The shares of the parts in each headline quantity in which some replicate has every combination of them."""
        rows, estimate = self.all_effects, self.rules.estimate
        found = {q: shares.shares_of(self.replicates, self.parts, rows, q, estimate) for q in self.in_order}
        return {quantity: one for quantity, one in found.items() if one}

    @functools.cached_property
    def best(self) -> dict[Quantity, Best]:
        """The best variants in each primary quantity that has a better direction; none of a path, which chose some."""
        names, directions = [] if self.path else list(self.study.variant_levels.levels), self.directions
        candidates = {q: best.best_of(self.replicates, names, q, directions[q], self.rules) for q in self.primary}
        return {quantity: one for quantity, one in candidates.items() if one}

    @functools.cached_property
    def trends(self) -> list[Trend]:
        """The values along each numeric axis, for the headline quantities."""
        return trends(self.replicates, self.study.variant_levels, self.headline)

    @functools.cached_property
    def costs(self) -> Costs | None:
        """The seconds of a training and of a sample; None before a sample is generated."""
        return variance.costs_of(self.study.runs, self.study.stages)

    @functools.cached_property
    def variance(self) -> pd.DataFrame:
        """The variance components of every comparison of variants, in every quantity."""
        comparisons = [one for one in self.comparisons if one.kind in roles.EXPLORED]
        return variance.variance_frame(self._samples, comparisons, self.replicates.quantities, self.costs)

    @functools.cached_property
    def advice(self) -> Advice | None:
        """More samples or more replicates, for what the first primary quantity cannot tell, or else all comparisons.

        None if the noise cannot be divided into sampling and training, or too few replicates ran for any verdict.
        """
        variants = [one for one in self.comparisons if one.kind == "variant"]
        if not variants or not self.primary or self.costs is None:
            return None
        rows = rows_of(self.against_baseline, self.primary[0])
        still_open = set(rows.loc[rows["verdict"] == "inconclusive", "comparison"])
        chosen = [one for one in variants if one.name in still_open] or variants
        found = variance.pooled(self._samples, *self.primary[0], chosen)
        if found is None or verdicts.out_of_reach(found.replicates, self.rules):
            return None
        level = float(rows["level"].iloc[0])
        cells = len(self.study.variant_levels.levels)
        return variance.advise(found, self.costs, cells, level, self.rules.power)

    @functools.cached_property
    def _samples(self) -> Samples:
        return variance.Samples(self.study.blocks.joined(self.study.frame))

    def label(self, quantity: Quantity) -> str:
        """Return the name of a quantity."""
        return self.study.quantity_label(*quantity)

    def sentences(self, frame: pd.DataFrame, quantity: Quantity) -> list[tuple[str, str]]:
        """Return the verdicts of one quantity, each with its sentence."""
        return [(row["verdict"], self._sentence(row, quantity)) for row in records(rows_of(frame, quantity))]

    def _sentence(self, row: dict[str, Any], quantity: Quantity) -> str:
        better = row["kind"] == "variant" and row["verdict"] == "better"
        caveat = self.caveat(row["comparison"], quantity) if better else ""
        return verdicts.sentence(row, self.rules, self.label(quantity), caveat)

    @functools.cached_property
    def doubts(self) -> dict[Quantity, Doubts]:
        """The reasons to read the verdicts of each quantity with care."""
        return {key: doubts.doubts_of(self.replicates, *key) for key in _keys(self.replicates.quantities)}

    @functools.cached_property
    def changes(self) -> dict[str, list[str]]:
        """For each variant, the settings in which it differs from the baseline (of its block)."""
        return confounds.changed_paths(self.study.configs(), self.study.baselines)

    @functools.cached_property
    def confounds(self) -> list[Confound]:
        """The quantities that differ between variants without being a level."""
        return confounds.confounds_of(self.study.run_frame, self.study.baselines)

    def warnings(self) -> list[str]:
        """Return the warnings about possible confounds, and about floors that are larger than the effects."""
        sentences = confounds.warnings(self.confounds, self.changes)
        differences = self._differences_of_variants()
        means = self.estimates.astype({"variant": "str"})[["variant", "metric", "feature", "estimate"]]
        rows = differences.merge(means, on=["variant", "metric", "feature"])
        # the baseline has a mean too, and its difference is 0
        keys = rows[["metric", "feature", "direction"]].drop_duplicates()
        baseline = means[means["variant"].isin(set(self.study.baselines.values()))].merge(
            keys, on=["metric", "feature"]
        )
        rows = pd.concat([rows, baseline.assign(difference=0.0)]).rename(columns={"estimate": "mean"})
        return sentences + floors.warnings(self.floors, rows, {q: self.label(q) for q in self.headline})

    def _differences_of_variants(self) -> pd.DataFrame:
        """Return the difference of each variant from the baseline, or from the baseline of its block."""
        if not self.study.blocks:
            return self.against_baseline.rename(columns={"comparison": "variant"})
        rows = self.block_effects[self.block_effects["kind"] == "variant"]
        variants = {(self.study.blocks.names[index], name): v for v, (index, name) in self.study.blocks.of.items()}
        keys = zip(rows["block"], rows["comparison"], strict=True)
        return rows.assign(variant=[variants[key] for key in keys])

    @functools.cached_property
    def copying(self) -> Quantity | None:
        """The share of a sample that is copied; None if the study does not measure it."""
        metrics = self.study.spec.get("copying") or ()
        return copying.copied_share(metrics, _keys(self.replicates.quantities), self._registry)

    @functools.cached_property
    def copies_more(self) -> list[str]:
        """The variants that copy more than the baseline does."""
        return copying.copies_more(rows_of(self.against_baseline, self.copying)) if self.copying else []

    @functools.cached_property
    def better_by_copying(self) -> list[str]:
        """The variants that are better than the baseline in the first objective and copy more than it does."""
        if self.copying is None or self.copying == self.primary[0]:
            return []
        rows = rows_of(self.against_baseline, self.primary[0])
        return [name for name in rows.loc[rows["verdict"] == "better", "comparison"] if name in self.copies_more]

    @functools.cached_property
    def copied(self) -> dict[str, float]:
        """The share of a sample that is copied, by variant; empty if the study does not measure it."""
        if self.copying is None:
            return {}
        if self.study.blocks:
            means = self.replicates.table(*self.copying).mean()
            return {str(name): float(mean) for name, mean in means.items()}
        rows = rows_of(self.estimates, self.copying)
        return dict(zip(rows["variant"].astype(str), rows["estimate"].astype(float), strict=True))

    def caveat(self, name: str, quantity: Quantity, *, best: bool = False) -> str:
        """Return a clause about the copies of a variant that is called better, or the best one; empty without reason.

        Args:
            name: the variant.
            quantity: in which it is better; the copied share itself needs no caveat.
            best: whether the variant is the best one, so that copying much is a reason too.
        """
        much = best and self.copied.get(name, 0.0) >= copying.MUCH
        if quantity == self.copying or not (much or name in self.copies_more):
            return ""
        return copying.caveat(name, self.study.variant_levels.baseline, self.copied)


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


def _keys(quantities: pd.DataFrame) -> list[Quantity]:
    return list(zip(quantities["metric"], quantities["feature"], strict=True))
