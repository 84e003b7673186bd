"""Metrics: how far the histograms of a generated sample are from those of the reference.

The measure of the original experiments: pitch, duration and velocity, each by four distances and their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class PitchOptions:
    """Options of ``distance.pitch``, and of every other distance too."""

    smoothing: float = ablate.option(
        1e-6, gt=0, le=1, doc="Added to each bin's probability, then normalised again, for the two KL divergences."
    )


@dataclass(frozen=True)
class DurationOptions(PitchOptions):
    """Options of ``distance.duration``."""

    duration_bins: int = ablate.option(20, ge=1, doc="Duration bins of equal width from 0 to the longest duration.")
    duration_longest: float = ablate.option(
        2.0, gt=0, doc="Upper edge of the last duration bin in seconds; longer notes are counted in that bin."
    )


@dataclass(frozen=True)
class VelocityOptions(PitchOptions):
    """Options of ``distance.velocity``."""

    velocity_bins: int = ablate.option(32, ge=1, le=128, doc="Velocity bins of equal width from 0 to 128.")


@dataclass(frozen=True)
class AverageOptions(VelocityOptions, DurationOptions):
    """Options of ``distance.average``: those of all three features, under the same names."""


def _pitch(options: PitchOptions) -> ablate.Metric:
    from ablate_distances import histograms as h

    return h.HistogramDistance([h.pitch()], options.smoothing)


def _duration(options: DurationOptions) -> ablate.Metric:
    from ablate_distances import histograms as h

    return h.HistogramDistance([h.duration(options.duration_bins, options.duration_longest)], options.smoothing)


def _velocity(options: VelocityOptions) -> ablate.Metric:
    from ablate_distances import histograms as h

    return h.HistogramDistance([h.velocity(options.velocity_bins)], options.smoothing)


def _average(options: AverageOptions) -> ablate.Metric:
    from ablate_distances import histograms as h

    duration = h.duration(options.duration_bins, options.duration_longest)
    return h.HistogramDistance([h.pitch(), duration, h.velocity(options.velocity_bins)], options.smoothing)


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer one metric a feature, and their average."""
    yield ablate.MetricSpec(
        name="distance.pitch",
        summary="L1, L2 and KL between histograms of pitch.",
        options=PitchOptions,
        build=_pitch,
    )
    yield ablate.MetricSpec(
        name="distance.duration",
        summary="L1, L2 and KL between histograms of note durations.",
        options=DurationOptions,
        build=_duration,
    )
    yield ablate.MetricSpec(
        name="distance.velocity",
        summary="L1, L2 and KL between histograms of velocity.",
        options=VelocityOptions,
        build=_velocity,
    )
    yield ablate.MetricSpec(
        name="distance.average",
        summary="The mean over pitch, duration and velocity of each of these distances.",
        options=AverageOptions,
        build=_average,
    )
