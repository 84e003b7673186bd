"""Augmenters that change pitch, velocity or timing, and label every copy with the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_augment.options import JitterOptions, TransposeOptions, VelocityOptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _transpose(options: TransposeOptions) -> ablate.Augmenter:
    from ablate_augment.transpose import Transpose

    return Transpose(options)


def _velocity(options: VelocityOptions) -> ablate.Augmenter:
    from ablate_augment.velocity import Velocity

    return Velocity(options)


def _jitter(options: JitterOptions) -> ablate.Augmenter:
    from ablate_augment.jitter import TimeJitter

    return TimeJitter(options)


@ablate.hookimpl
def ablate_augmenters() -> Iterable[ablate.AugmenterSpec]:
    """Offer the three augmenters."""
    yield ablate.AugmenterSpec(
        name="transpose",
        summary="One copy for each transposition, labelled with its semitones.",
        options=TransposeOptions,
        build=_transpose,
    )
    yield ablate.AugmenterSpec(
        name="velocity",
        summary="Louder and softer copies, labelled with the factor or the shift.",
        options=VelocityOptions,
        build=_velocity,
    )
    yield ablate.AugmenterSpec(
        name="time_jitter",
        summary="Copies with noise on every start and end, labelled with its standard deviation.",
        options=JitterOptions,
        build=_jitter,
    )
