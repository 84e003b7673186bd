"""Metrics: how far the histograms of a generated sample are from those of the reference.

Pitch, duration and velocity, each with four distances and their mean, are the measure of the original experiments.
Pitch class, inter-onset interval, polyphony, the transitions of pitch class, instrument and drum are additions, and so
are the Jensen-Shannon divergence of all quantities and the earth mover's distance of all whose values are numbers.
Pitches, durations and polyphony are those of pitched instruments, without drums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_distances.options import (
    AverageOptions,
    DurationOptions,
    IntervalOptions,
    PitchOptions,
    PolyphonyOptions,
    TransitionOptions,
    VelocityOptions,
)
from ablate_distances.sources import KULLBACK_1951, LIN_1991, RABIN_2011, VALLENDER_1974, YANG_2020
from ablate_distances.words import ALL, BINNED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate_distances.quantities import Quantity


def _metric(quantities: list[Quantity], options: PitchOptions) -> ablate.Metric:
    from ablate_distances.histograms import HistogramDistance

    return HistogramDistance(quantities, options.smoothing)


def _pitch(options: PitchOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.pitch()], options)


def _pitch_class(options: PitchOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.pitch_class()], options)


def _duration(options: DurationOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.duration(options.duration_bins, options.duration_longest)], options)


def _velocity(options: VelocityOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.velocity(options.velocity_bins)], options)


def _interval(options: IntervalOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.inter_onset_interval(options.interval_bins, options.interval_longest)], options)


def _polyphony(options: PolyphonyOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.polyphony(options.polyphony_most)], options)


def _transition(options: TransitionOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.pitch_class_transition(options.within)], options)


def _instrument(options: PitchOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.instrument()], options)


def _drum(options: PitchOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    return _metric([q.drum()], options)


def _average(options: AverageOptions) -> ablate.Metric:
    from ablate_distances import quantities as q

    duration = q.duration(options.duration_bins, options.duration_longest)
    return _metric([q.pitch(), duration, q.velocity(options.velocity_bins)], options)


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer one metric for each quantity, and the average over those of the original experiments."""
    yield ablate.MetricSpec(
        name="distance.pitch",
        summary="L1, L2, KL, JS and Wasserstein between histograms of pitch, without drums.",
        version="2",
        options=PitchOptions,
        build=_pitch,
        features=ALL,
        cite=(KULLBACK_1951, LIN_1991, VALLENDER_1974),
    )
    yield ablate.MetricSpec(
        name="distance.pitch_class",
        summary="L1, L2, KL, JS and Wasserstein between histograms of pitch class, without drums.",
        options=PitchOptions,
        build=_pitch_class,
        features=ALL,
        cite=(KULLBACK_1951, LIN_1991, RABIN_2011),
    )
    yield ablate.MetricSpec(
        name="distance.duration",
        summary="L1, L2, KL, JS and Wasserstein between histograms of note durations, without drums.",
        version="2",
        options=DurationOptions,
        build=_duration,
        features=ALL,
        cite=(KULLBACK_1951, LIN_1991, VALLENDER_1974),
    )
    yield ablate.MetricSpec(
        name="distance.velocity",
        summary="L1, L2, KL, JS and Wasserstein between histograms of velocity, of all notes.",
        version="2",
        options=VelocityOptions,
        build=_velocity,
        features=ALL,
        cite=(KULLBACK_1951, LIN_1991, VALLENDER_1974),
    )
    yield ablate.MetricSpec(
        name="distance.inter_onset_interval",
        summary="L1, L2, KL, JS and Wasserstein between histograms of the time between onsets, of all notes.",
        options=IntervalOptions,
        build=_interval,
        features=ALL,
        cite=(KULLBACK_1951, LIN_1991, VALLENDER_1974),
    )
    yield ablate.MetricSpec(
        name="distance.polyphony",
        summary="L1, L2, KL, JS and Wasserstein between histograms of the notes that sound at once, without drums.",
        options=PolyphonyOptions,
        build=_polyphony,
        features=ALL,
        cite=(KULLBACK_1951, LIN_1991, VALLENDER_1974),
    )
    yield ablate.MetricSpec(
        name="distance.pitch_class_transition",
        summary="L1, L2, KL and JS between histograms of transitions from pitch class to pitch class, by instrument.",
        options=TransitionOptions,
        build=_transition,
        features=BINNED,
        cite=(KULLBACK_1951, LIN_1991, YANG_2020),
    )
    yield ablate.MetricSpec(
        name="distance.instrument",
        summary="L1, L2, KL and JS between histograms of the instruments of the notes, drums as one; 0 for pianos.",
        options=PitchOptions,
        build=_instrument,
        features=BINNED,
        cite=(KULLBACK_1951, LIN_1991),
    )
    yield ablate.MetricSpec(
        name="distance.drum",
        summary="L1, L2, KL and JS between histograms of the sounds of drum notes.",
        options=PitchOptions,
        build=_drum,
        features=BINNED,
        cite=(KULLBACK_1951, LIN_1991),
    )
    yield ablate.MetricSpec(
        name="distance.average",
        summary="The mean over pitch, duration and velocity of each distance but Wasserstein.",
        version="2",
        options=AverageOptions,
        build=_average,
        features=BINNED,
        cite=(KULLBACK_1951, LIN_1991),
    )
