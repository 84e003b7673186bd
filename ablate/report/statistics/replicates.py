"""The values that comparisons are computed from: a mean over samples for every variant and replicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.described import summary
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.statistics.inference.intervals import estimator

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ablate.arrays import FloatArray, IntArray
    from ablate.report.data.blocks import Blocks
    from ablate.report.statistics.inference.intervals import Estimate

#: A sum that is smaller than this share of its terms is a rounding error.
_ROUNDING = 1e-12


class Replicates:
    """The mean over samples of every variant in every replicate, by quantity.

    In a study with blocks, each block has its own replicates, so a replicate of a block is a replicate here, and
    variants have the names that they have inside the blocks.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.
        blocks: of the study; None without blocks.
        paired: whether replicate k of one variant belongs to replicate k of another.

    Attributes:
        quantities: one row for each: ``metric``, ``feature``, ``unit``, ``direction``.
        numbers: of the replicates that any variant has, from 0; of each replicate of each block.
        count: how many these are, in all blocks together.
        paired: see above.
        blocks: the index of the block of each replicate, [replicates]. The first replicates of all blocks come first.
    """

    def __init__(self, frame: pd.DataFrame, blocks: Blocks | None = None, *, paired: bool = True) -> None:
        self.paired = paired
        means = summary.over_samples(frame)
        means = blocks.joined(means) if blocks else means.assign(block=0)
        by_replicate = means.drop_duplicates("replicate").set_index("replicate")["block"].sort_index()
        self.quantities = means.drop_duplicates(["metric", "feature"])[["metric", "feature", "unit", "direction"]]
        self.numbers = [int(number) // (len(blocks.names) if blocks else 1) for number in by_replicate.index]
        self.count = len(by_replicate)
        self.blocks: IntArray = by_replicate.to_numpy(int)
        self._tables = {
            key: part.pivot_table(index="replicate", columns="variant", values="value", observed=True).reindex(
                by_replicate.index
            )
            for key, part in means.groupby(["metric", "feature"], sort=False)
        }
        # plain arrays, because there are thousands of comparisons
        self._columns = {
            key: {str(name): table[name].to_numpy() for name in table.columns} for key, table in self._tables.items()
        }

    def table(self, metric: str, feature: str) -> pd.DataFrame:
        """Return the values of one quantity, replicates by variants, NaN where there is none."""
        return self._tables[metric, feature]

    def runs(self, metric: str, feature: str) -> dict[str, FloatArray]:
        """Return the values of each variant that has any, without NaN, [replicates of the variant] each."""
        columns = self._columns.get((metric, feature), {})
        known = {name: values[~np.isnan(values)] for name, values in columns.items()}
        return {name: values for name, values in known.items() if len(values)}

    def groups(
        self, metric: str, feature: str, weights: Mapping[str, float], estimate: Estimate = "mean"
    ) -> Groups | None:
        """Return a comparison of independent runs; None if a variant with a weight has no value."""
        used, runs = {name: weight for name, weight in weights.items() if weight}, self.runs(metric, feature)
        if not used or not all(name in runs for name in used):
            return None
        return Groups(tuple(runs[name] for name in used), np.array(list(used.values())), estimate)

    def middle(self, metric: str, feature: str, weights: Mapping[str, float], estimate: Estimate = "mean") -> float:
        """Return the estimate of a comparison over the replicates; NaN without any."""
        if not self.paired:
            groups = self.groups(metric, feature, weights, estimate)
            return float(groups.sums.difference[0]) if groups else float("nan")
        values = self.differences(metric, feature, weights)
        known = values[~np.isnan(values)]
        return float(estimator(estimate)(known)) if len(known) else float("nan")

    def differences(self, metric: str, feature: str, weights: Mapping[str, float]) -> FloatArray:
        """Return a comparison in each replicate, [replicates]; NaN where one of its variants is missing."""
        columns = self._columns[metric, feature]
        if not all(variant in columns for variant in weights):
            return np.full(self.count, np.nan)
        terms = np.array([columns[variant] * weight for variant, weight in weights.items()])
        sums = terms.sum(0)
        # equal values add up to exactly 0, but thirds of them do not quite
        sums[np.abs(sums) <= _ROUNDING * np.abs(terms).sum(0)] = 0.0
        return np.asarray(sums)
