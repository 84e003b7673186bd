"""The values that comparisons are computed from: a mean over samples for every variant and replicate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.statistics.described import summary
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.statistics.inference.intervals import estimator

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        self._index = by_replicate.index
        self._columns = _by_quantity(means, self._index)

    def table(self, metric: str, feature: str) -> pd.DataFrame:
        """Return the values of one quantity, replicates by variants, NaN where there is none."""
        return pd.DataFrame(self._columns[metric, feature], index=self._index)

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


def _by_quantity(means: pd.DataFrame, replicates: pd.Index) -> dict[tuple[str, str], dict[str, FloatArray]]:
    """Return the values of each variant that has any, [replicates] each; NaN where there is none.

    They are plain arrays and no tables, because there are thousands of comparisons, and tables of few rows are slow.
    """
    variants, values = pd.Categorical(means["variant"]), means["value"].to_numpy(float)
    codes, rows = variants.codes, replicates.get_indexer(pd.Index(means["replicate"]))
    found: dict[tuple[str, str], dict[str, FloatArray]] = {}
    by_quantity: Any = means.groupby(["metric", "feature"], sort=False).indices
    for key, places in by_quantity.items():
        known = places[~np.isnan(values[places])]
        present, columns = np.unique(codes[known], return_inverse=True)
        sums, counts = np.zeros((2, len(present), len(replicates)))
        np.add.at(sums, (columns, rows[known]), values[known])
        np.add.at(counts, (columns, rows[known]), 1)
        table = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
        found[key] = dict(zip(map(str, variants.categories[present]), table, strict=True))
    return found
