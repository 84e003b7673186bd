"""Options of the corpus."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class PreludeOptions:
    """Options of ``bach-prelude``."""

    seed: int = ablate.option(846, ge=0, doc="Seed of the unevenness in time and velocity.")
    tempo: float = ablate.option(69.0, ge=30, le=160, doc="Quarter notes a minute, before any slowing.")
    rubato: float = ablate.option(1.0, ge=0, le=3, doc="Factor on the slowing at phrase ends; 0 keeps strict time.")
    timing_noise: float = ablate.option(0.006, ge=0, le=0.03, doc="Standard deviation of each onset, in seconds.")
    velocity_noise: float = ablate.option(2.0, ge=0, le=10, doc="Standard deviation of each velocity, in MIDI steps.")
