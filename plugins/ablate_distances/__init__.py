"""Metrics: how far the histograms of a generated sample are from those of the reference.

The measure of the original experiments: pitch, duration and velocity, each by four distances and their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterable

_SMOOTHING = ablate.option(
    1e-6, gt=0, le=1, doc="Added to each bin's probability, before normalising again, for the two KL divergences."
)
_VELOCITY_BINS = ablate.option(32, ge=1, le=128, doc="Velocity bins of equal width over 0 to 128.")
_DURATION_BINS = ablate.option(20, ge=1, doc="Duration bins of equal width over 0 to the longest duration.")
_DURATION_LONGEST = ablate.option(
    2.0, gt=0, doc="Upper edge of the last duration bin in seconds; longer notes are counted in that bin."
)
