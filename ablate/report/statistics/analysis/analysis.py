"""All statistics of one study: verdicts, and what a reader needs to believe them."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.report.statistics import doubts, roles, variance, verdicts
from ablate.report.statistics.analysis.judged import Judged
from ablate.report.statistics.described import confounds, copying, floors, order, refused, sources, tokenizers
from ablate.report.statistics.rows import Quantity, keys_of, records, rows_of

if TYPE_CHECKING:
    from ablate.report.statistics.described.confounds import Confound
    from ablate.report.statistics.described.floors import Band
    from ablate.report.statistics.described.order import Unmoved
    from ablate.report.statistics.doubts import Doubts
    from ablate.report.statistics.variance import Advice, Costs, Samples


class Analysis(Judged):
    """The statistics of one study, each computed at its first use: floors, noise, confounds, doubts, copying."""

    @functools.cached_property
    def floors(self) -> pd.DataFrame:
        """Mean and spread of every floor; see :func:`ablate.report.statistics.described.floors.summarise_floors`."""
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
    def costs(self) -> Costs | None:
        """The seconds of a training and of a sample; None before a sample is generated."""
        return variance.costs_of(self.study.runs, self.study.stages)

    @functools.cached_property
    def variance(self) -> pd.DataFrame:
        """The variance components of every comparison of variants, in every quantity; empty for independent runs."""
        explored = [one for one in self.comparisons if one.kind in roles.EXPLORED]
        comparisons = explored if self.study.paired else []  # samples of independent runs are no pairs
        quantities = self.replicates.quantities
        known = [key not in self.incomparable for key in keys_of(quantities)]
        kept = quantities[pd.Series(known, quantities.index, dtype="bool")]
        return variance.variance_frame(self._samples, comparisons, kept, self.costs)

    @functools.cached_property
    def advice(self) -> Advice | None:
        """More samples or more replicates, for what the first primary quantity cannot tell, or else all comparisons.

        None if the noise cannot be divided into sampling and training, if too few replicates ran for any verdict, and
        for independent runs.
        """
        variants = [one for one in self.comparisons if one.kind == "variant"]
        if not self.study.paired or not variants or not self.primary:
            return None
        if self.costs is None or self.primary[0] in self.incomparable:
            return None
        rows = rows_of(self.against_baseline, self.primary[0])
        still_open = set(rows.loc[rows["verdict"] == "inconclusive", "comparison"])
        chosen = [one for one in variants if one.name in still_open] or variants
        found = variance.pooled(self._samples, *self.primary[0], chosen)
        if found is None or verdicts.out_of_reach(found.replicates, self.rules):
            return None
        level, level_now = (float(rows[name].iloc[0]) for name in ("level", "level_now"))
        of = {one.name for one in chosen}
        squares = [verdicts.deviation(row, self.rules) ** 2 for row in records(rows) if row["comparison"] in of]
        return variance.advise(
            found,
            self.costs,
            len(self.study.variant_levels.levels),
            level,
            self.rules.power,
            level_now=level_now,
            deviation=math.sqrt(sum(squares) / len(squares)),
        )

    @functools.cached_property
    def _samples(self) -> Samples:
        return variance.Samples(self.study.blocks.joined(self.study.frame))

    def sentences(self, frame: pd.DataFrame, quantity: Quantity) -> list[tuple[str, str]]:
        """Return the verdicts of one quantity, each with its sentence."""
        return [(row["verdict"], self._sentence(row, quantity)) for row in records(rows_of(frame, quantity))]

    def _sentence(self, row: dict[str, Any], quantity: Quantity) -> str:
        better = row["kind"] == "variant" and row["verdict"] == "better"
        caveat = self.caveat(row["comparison"], quantity) if better else ""
        return verdicts.sentence(row, self.rules, self.label(quantity), caveat)

    @functools.cached_property
    def doubts(self) -> dict[Quantity, Doubts]:
        """The reasons to read the verdicts of each quantity with care.

        Replicates that a search or a path has spared are not missing: no run failed.
        """
        spared = {run.variant for run in self.study.runs if run.state == "pruned"}
        found = {key: doubts.doubts_of(self.replicates, *key) for key in keys_of(self.replicates.quantities)}
        few = self.few_pieces
        return {key: dataclasses.replace(each.without_missing(spared), few=few[key]) for key, each in found.items()}

    @functools.cached_property
    def changes(self) -> dict[str, list[str]]:
        """For each variant, the settings in which it differs from the baseline (of its block)."""
        return confounds.changed_paths(self.study.configs(), self.study.baselines)

    @functools.cached_property
    def confounds(self) -> list[Confound]:
        """The quantities that differ between variants without being a level."""
        return confounds.confounds_of(self.study.run_frame, self.study.baselines)

    def warnings(self) -> list[str]:
        """Return the warnings about possible confounds, refused samples, and floors larger than the effects."""
        judged = self.path.taken if self.path else list(self.changes)
        sentences = confounds.warnings([one for one in self.confounds if one.variant in judged], self.changes)
        differences = self._differences_of_variants()
        columns = {"estimate": "mean", "low": "mean_low"}
        means = self.estimates.astype({"variant": "str"})[["variant", "metric", "feature", *columns]]
        means = means.rename(columns=columns)
        rows = differences.merge(means, on=["variant", "metric", "feature"])
        # the baseline has a mean too, and its difference is 0
        keys = rows[["metric", "feature", "direction"]].drop_duplicates()
        baseline = means[means["variant"].isin(set(self.study.baselines.values()))].merge(
            keys, on=["metric", "feature"]
        )
        rows = pd.concat([rows, baseline.assign(difference=0.0)])
        sentences += sources.warnings(self.study)
        sentences += refused.warnings(self.study)
        sentences += tokenizers.warnings(self.study, self.headline)
        sentences += floors.warnings(self.floors, rows, {q: self.label(q) for q in self.headline}, self.unmoved)
        found = {self.label(quantity): floors for quantity, floors in self.unmoved.items()}
        return [*sentences, *filter(None, [order.sentence(found)])]

    @functools.cached_property
    def unmoved(self) -> dict[Quantity, Unmoved]:
        """The floors of the headline quantities that hardly react to the order of notes."""
        of_baseline = self.study.floors[self.study.floors["variant"].astype(str) == self.study.baseline]
        means = self.estimates.groupby(["metric", "feature"], sort=False)["estimate"]
        spreads = {(str(m), str(f)): float(part.max() - part.min()) for (m, f), part in means}
        checked = {q: order.unmoved(of_baseline, q, spreads.get(q, 0.0)) for q in self.in_order}
        return {quantity: floors for quantity, floors in checked.items() if floors}

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
        return copying.copied_share(metrics, keys_of(self.replicates.quantities), self.registry)

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
