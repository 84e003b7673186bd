"""Tempo: an augmenter that writes it, a conditioner that tells it to the network, a metric of whether it is obeyed.

All three mean the same by the label ``tempo``: the playing speed relative to the performance as recorded. 1 is as
recorded, 1.2 is faster, with every time divided by 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterable


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
        """Check that no copy is made twice."""
        repeated = [f"{factor:g}" for factor in sorted(set(self.factors)) if self.factors.count(factor) > 1]
        if repeated:
            raise ValueError(f"factors: {', '.join(repeated)} is there more than once; name each speed once")


@dataclass(frozen=True)
class ConditionerOptions:
    """Options of conditioner ``tempo``."""

    source: Literal["label", "uniform", "shuffled"] = ablate.option(
        "label",
        doc="What training sees: the example's own tempo, a number drawn for each window, or another window's tempo.",
    )
    low: float = ablate.option(0.7, gt=0, doc="Lowest tempo that source = uniform draws.")
    high: float = ablate.option(1.3, gt=0, doc="Highest tempo that source = uniform draws.")

    def __post_init__(self) -> None:
        """Check that there is a range to draw from."""
        if self.low >= self.high:
            raise ValueError(f"low must be below high, not {self.low:g} with high = {self.high:g}")


@dataclass(frozen=True)
class MetricOptions:
    """Options of ``control.tempo``."""

    together: float = ablate.option(0.03, gt=0, doc="Onsets closer than this, in seconds, count as one, as in a chord.")


def _augmenter(options: AugmenterOptions) -> ablate.Augmenter:
    from ablate_tempo.augmenter import TempoAugmenter

    return TempoAugmenter(options.factors)


def _conditioner(options: ConditionerOptions) -> ablate.Conditioner:
    from ablate_tempo import conditioner as c

    if options.source == "uniform":
        return c.UniformTempo(options.low, options.high)
    return c.ShuffledTempo() if options.source == "shuffled" else c.TempoConditioner()


def _metric(options: MetricOptions) -> ablate.Metric:
    from ablate_tempo.metric import TempoControl

    return TempoControl(options.together)


@ablate.hookimpl
def ablate_augmenters() -> Iterable[ablate.AugmenterSpec]:
    """Offer the augmenter."""
    yield ablate.AugmenterSpec(
        name="tempo",
        summary="One copy for each playing speed, labelled with it.",
        options=AugmenterOptions,
        build=_augmenter,
    )


@ablate.hookimpl
def ablate_conditioners() -> Iterable[ablate.ConditionerSpec]:
    """Offer the conditioner."""
    yield ablate.ConditionerSpec(
        name="tempo",
        summary="Tells the network the playing speed, or in training something else in its place.",
        options=ConditionerOptions,
        build=_conditioner,
    )


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer the metric."""
    yield ablate.MetricSpec(
        name="control.tempo",
        summary="Playing speed relative to the reference, and how far it is from the tempo asked for.",
        options=MetricOptions,
        build=_metric,
    )
