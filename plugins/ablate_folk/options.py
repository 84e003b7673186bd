"""Options of the corpora."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class FolkOptions:
    """Options of ``folk-tunes``."""

    seed: int = ablate.option(73, ge=0, doc="Seed of the unevenness in time and velocity.")
    tempo: float = ablate.option(1.0, ge=0.5, le=2, doc="Factor on the tempo of every tune.")
    timing_noise: float = ablate.option(0.006, ge=0, le=0.03, doc="Standard deviation of each onset, in seconds.")
    velocity_noise: float = ablate.option(3.0, ge=0, le=10, doc="Standard deviation of each velocity, in MIDI steps.")


@dataclass(frozen=True)
class PianoOptions:
    """Options of ``folk-piano``."""

    seed: int = ablate.option(88, ge=0, doc="Seed of the unevenness in time and velocity.")
    tempo: float = ablate.option(1.0, ge=0.5, le=2, doc="Factor on the tempo of every tune.")
    rubato: float = ablate.option(1.0, ge=0, le=3, doc="Factor on the slowing at phrase ends; 0 keeps strict time.")
    timing_noise: float = ablate.option(0.006, ge=0, le=0.03, doc="Standard deviation of each onset, in seconds.")
    velocity_noise: float = ablate.option(2.0, ge=0, le=10, doc="Standard deviation of each velocity, in MIDI steps.")
