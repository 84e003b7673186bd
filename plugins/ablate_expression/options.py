"""Options of the conditioners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class ScopeOptions:
    """Common options of all three conditioners."""

    scope: Literal["performance", "local"] = ablate.option(
        "performance",
        doc="Part of the music that a number is measured from: the whole performance, or a window around each token.",
    )
    window: float = ablate.option(
        4.0, ge=0.1, doc='Seconds of music around a token, half before and half after, where scope is "local".'
    )


@dataclass(frozen=True)
class DynamicsOptions(ScopeOptions):
    """Options of ``dynamics``."""

    default: float = ablate.option(
        64.0, ge=1, le=127, doc="MIDI velocity of generated music where the study sets no label."
    )


@dataclass(frozen=True)
class ArticulationOptions(ScopeOptions):
    """Options of ``articulation``."""

    default: float = ablate.option(
        1.0,
        gt=0,
        doc="Articulation of generated music where the study sets no label: 1 is legato, below 1 detached.",
    )
    cap: float = ablate.option(
        4.0, gt=0, le=100, doc="Highest articulation of a single note; higher ones count as this."
    )
    chord: float = ablate.option(
        0.05, ge=0, doc="Seconds within which notes count as struck together; with 0, any later onset is the next one."
    )

    def __post_init__(self) -> None:
        """Check the rule that concerns two options at once."""
        if self.default > self.cap:
            raise ValueError(f"default is above cap ({self.default:g} > {self.cap:g}): no performance has such a value")


@dataclass(frozen=True)
class DensityOptions(ScopeOptions):
    """Options of ``density``."""

    default: float = ablate.option(
        8.0, gt=0, le=1000, doc="Notes per second of generated music where the study sets no label."
    )
