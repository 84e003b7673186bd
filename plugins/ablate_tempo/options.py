"""Options of the augmenter, the conditioner and the metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class AugmenterOptions:
    """Options of augmenter ``tempo``."""

    factors: tuple[float, ...] = ablate.option(
        (0.8, 0.9, 1.0, 1.1, 1.2),
        gt=0,
        min_length=1,
        doc="Playing speeds, one copy for each; all times are divided by it, so 1.2 is faster.",
    )

    def __post_init__(self) -> None:
        """Check that each copy is listed once."""
        repeated = [f"{factor:g}" for factor in sorted(set(self.factors)) if self.factors.count(factor) > 1]
        if repeated:
            raise ValueError(f"factors: {', '.join(repeated)} is listed more than once; list each speed once")


@dataclass(frozen=True)
class ConditionerOptions:
    """Options of conditioner ``tempo``."""

    source: Literal["label", "uniform", "shuffled"] = ablate.option(
        "label",
        doc="Tempo in training: the example's own, a random number for each window, or another window's.",
    )
    low: float = ablate.option(0.7, gt=0, doc="Lowest tempo that source = uniform draws.")
    high: float = ablate.option(1.3, gt=0, doc="Highest tempo that source = uniform draws.")

    def __post_init__(self) -> None:
        """Check that the range is not empty."""
        if self.low >= self.high:
            raise ValueError(f"low must be below high, not {self.low:g} with high = {self.high:g}")


@dataclass(frozen=True)
class MetricOptions:
    """Options of ``control.tempo``."""

    together: float = ablate.option(0.03, gt=0, doc="Onsets closer than this, in seconds, count as one, as in a chord.")
