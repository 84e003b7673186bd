"""Margins: the smallest difference that matters, as the study file states it. Nothing else makes a margin.

A margin that were computed from samples, such as the width of the resampling band, would shrink as more samples are
generated, and so would claim that a difference does not matter because little was measured.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.names import headline_features
from ablate.report.statistics.rows import Quantity, keys_of
from ablate.settings import share_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from ablate.arrays import FloatArray
    from ablate.report.statistics.replicates import Replicates


@dataclasses.dataclass(frozen=True)
class Margin:
    """The margin of one quantity.

    Attributes:
        size: above 0, in the unit of the quantity; of a share, the share.
        share_of: the variant whose mean the margin is a share of; empty if ``size`` is a value itself.
    """

    size: float
    share_of: str = ""

    @property
    def source(self) -> str:
        """The origin of the margin, for people."""
        return f"{100 * self.size:g} % of the baseline's mean" if self.share_of else "the study's margin"

    def in_replicates(self, replicates: Replicates, quantity: Quantity) -> FloatArray:
        """Return the margin in each replicate, [replicates], in the unit of the quantity.

        A share of the baseline's mean varies from replicate to replicate as the baseline does: a comparison whose mean
        lies inside the mean of these margins has a ratio to the baseline's mean that is smaller than the share, and
        the uncertainty of the baseline is part of the test (D. Hauschke, M. Kieser, E. Diletti and M. Burke, Statistics
        in Medicine 18, 1999). All NaN if the baseline's mean is 0 or unknown.
        """
        if not self.share_of:
            return np.full(replicates.count, self.size)
        shares = replicates.differences(*quantity, {self.share_of: self.size})
        total = np.nansum(shares)
        return shares * np.sign(total) if total else np.full(replicates.count, np.nan)


def margins(
    written: Mapping[str, Any], baseline: str, features: pd.DataFrame, details: Collection[Quantity] = ()
) -> dict[Quantity, Margin]:
    """Return the margin of each quantity that has one.

    Args:
        written: ``[margins]`` of the study file, by metric: one margin for the features that stand for the metric, or
            a table of feature = margin; a margin is a number, or a share as text (``"10 %"``).
        baseline: the variant that a share refers to.
        features: columns ``metric`` and ``feature``: all that the study measures.
        details: the quantities that stand for no metric.
    """
    measured = set(keys_of(features))
    return {
        quantity: _margin(value, baseline)
        for quantity, value in _by_quantity(written, features, details).items()
        if quantity in measured
    }


def unmeasured(written: Mapping[str, Any], features: pd.DataFrame) -> list[str]:
    """Return the quantities that have a margin in the study file and were not measured."""
    measured = set(keys_of(features))
    return [" ".join(quantity) for quantity in _by_quantity(written, features) if quantity not in measured]


def _by_quantity(
    written: Mapping[str, Any], features: pd.DataFrame, details: Collection[Quantity] = ()
) -> dict[Quantity, Any]:
    by_quantity: dict[Quantity, Any] = {}
    for metric, value in written.items():
        known = features.loc[features["metric"] == metric, "feature"]
        names = headline_features(name for name in known if (metric, name) not in details)
        each = value if isinstance(value, dict) else dict.fromkeys(names, value)
        by_quantity |= {(metric, feature): one for feature, one in each.items()}
    return by_quantity


def _margin(value: float | str, baseline: str) -> Margin:
    if isinstance(value, str):
        return Margin(share_of(value) or 0.0, baseline)
    return Margin(float(value))
