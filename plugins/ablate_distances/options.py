"""Options of the distances."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class PitchOptions:
    """Options of the distances that have no others of their own, and common options of all distances."""

    smoothing: float = ablate.option(
        1e-6,
        gt=0,
        le=1,
        doc="Number added to each bin's probability before normalising again, for the two KL divergences.",
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
    """Options of ``distance.average``: those of all three quantities, under the same names."""


@dataclass(frozen=True)
class IntervalOptions(PitchOptions):
    """Options of ``distance.inter_onset_interval``."""

    interval_bins: int = ablate.option(50, ge=1, doc="Interval bins of equal width from 0 to the longest interval.")
    interval_longest: float = ablate.option(
        1.0, gt=0, doc="Upper edge of the last interval bin in seconds; longer intervals are counted in that bin."
    )


@dataclass(frozen=True)
class PolyphonyOptions(PitchOptions):
    """Options of ``distance.polyphony``."""

    polyphony_most: int = ablate.option(
        12, ge=1, le=128, doc="Number of notes of the last polyphony bin; moments with more are counted in that bin."
    )


@dataclass(frozen=True)
class TransitionOptions(PitchOptions):
    """Options of ``distance.pitch_class_transition``."""

    within: float = ablate.option(
        0.05, gt=0, le=10, doc="Largest time in seconds between the end of a note and the onset that follows it."
    )
