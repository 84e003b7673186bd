"""The comparisons of a study with their verdicts, and what they add up to."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.report.statistics import effects, looks, ranges
from ablate.report.statistics.analysis.quantities import Quantities
from ablate.report.statistics.answers import best, shares
from ablate.report.statistics.answers import blocks as block_effects
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
from ablate.report.statistics.doubts import only
from ablate.report.statistics.replicates import Replicates
from ablate.report.statistics.rows import Quantity, keys_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ablate.arrays import FloatArray
    from ablate.report.statistics.answers.best import Best
    from ablate.report.statistics.answers.shares import Shares
    from ablate.report.statistics.comparisons.attribution import Layout
    from ablate.report.statistics.comparisons.path import Path
    from ablate.report.statistics.comparisons.trends import Trend
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.report.statistics.looks import Looks, State

#: The designs in which every level of an axis meets every level of the others, or half of them do.
CROSSED = ("factorial", "fractional")


class Judged(Quantities):
    """The comparisons of one study, judged as families and corrected for the looks at it."""

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
        if "best" in prediction and quantity in self._with_best:
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
        return [*self._standard, *predicted.additional(self.predictions, self.role_of), *self._asked]

    @functools.cached_property
    def looks(self) -> Looks:
        """The looks at this study, the last of which is now."""
        now = max(self.replicates.numbers, default=-1) + 1
        if not self.study.paired:  # nobody adds replicates to results that others have computed
            return looks.single(now)
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
            return self._judged(Replicates(first, self.study.blocks))

        return looks.correct(frame, self.looks, at, np.array(self.replicates.numbers), self.rules)

    @functools.cached_property
    def states(self) -> dict[str, State]:
        """The state of each primary comparison at the last look, by its name."""
        return looks.states(self.all_effects, self.looks, self.rules.alpha)

    def _judged(self, replicates: Replicates) -> pd.DataFrame:
        quantities = self.replicates.quantities
        keys = keys_of(quantities)
        quantities = quantities.assign(
            direction=[self.directions[key] for key in keys], role=[self.role_of[key] for key in keys]
        )
        frame = effects.judge(
            replicates, self.comparisons, self.margins, self.rules, quantities, comparable=self.comparable
        )
        few = [only(self.few_pieces[key]) for key in keys_of(frame)]
        frame["doubts"] = ["; ".join(filter(None, each)) for each in zip(frame["doubts"], few, strict=True)]
        if self.rules.estimate == "mean":
            frame = shares.adding_up(frame)
        frame = ranges.cut_differences(frame, self.comparisons, self.study.shares)
        return frame.sort_values("kind", key=lambda kinds: kinds.map(KINDS.index), kind="stable", ignore_index=True)

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
    def block_effects(self) -> pd.DataFrame:
        """Every comparison in every block; see :mod:`ablate.report.statistics.answers.blocks`."""
        found = block_effects.block_effects(self.all_effects, self.study.blocks.names, self.replicates.blocks)
        return ranges.cut_differences(found, self.comparisons, self.study.shares)

    @functools.cached_property
    def replicability(self) -> pd.DataFrame:
        """The spread of each judged comparison between blocks, and the number of blocks in which it holds."""
        # several looks share alpha
        alpha = self.rules.alpha / len(self.looks.made)
        return block_effects.replicability(self.all_effects, self.replicates.blocks, alpha)

    @functools.cached_property
    def shares(self) -> dict[Quantity, Shares]:
        """The shares of the parts in each headline quantity in which some replicate has every combination of them."""
        rows, estimate = self.all_effects, self.rules.estimate
        found = {q: shares.shares_of(self.replicates, self.parts, rows, q, estimate) for q in self.in_order}
        return {quantity: one for quantity, one in found.items() if one}

    @functools.cached_property
    def best(self) -> dict[Quantity, Best]:
        """The best variants in each primary quantity that has a better direction; none of a path, which chose some.

        The verdicts decide between a variant and the baseline.
        """
        found = {quantity: self._best(quantity) for quantity in self._with_best}
        return {quantity: one for quantity, one in found.items() if one}

    @functools.cached_property
    def _with_best(self) -> list[Quantity]:
        """The primary quantities with a better direction that can be compared between two variants or more."""
        names = [] if self.path else list(self.study.variant_levels.levels)
        return [
            q
            for q in self.primary
            if self.directions[q] in ("lower", "higher")
            and self.comparable(names, q)
            and len(self.replicates.runs(*q).keys() & set(names)) > 1
        ]

    def _best(self, quantity: Quantity) -> Best | None:
        baseline = self.study.variant_levels.baseline
        names = [baseline, *(name for name in self.study.variant_levels.levels if name != baseline)]
        rows = rows_of(self.against_baseline, quantity)
        claims = {"better": 1, "worse": -1}
        claimed = {
            name: claims.get(verdict, 0) for name, verdict in zip(rows["comparison"], rows["verdict"], strict=True)
        }
        return best.best_of(self.replicates, names, quantity, self.directions[quantity], self.rules, claimed)

    @functools.cached_property
    def trends(self) -> list[Trend]:
        """The values along each numeric axis, for the headline quantities that can be compared along it."""
        found = trends(self.replicates, self.study.variant_levels, self.headline)
        names = list(self.study.variant_levels.levels)
        return [one for one in found if self.comparable(names, (one.metric, one.feature))]
