"""The corpus ``bach-prelude``: one short piece that comes with the package, to try things out on.

J. S. Bach, Prelude in C major, BWV 846: a score written down here, and a small renderer that plays it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate
from ablate_bach.sources import FRIBERG_2006, REPP_1992, TODD_1992

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class PreludeOptions:
    """Options of ``bach-prelude``."""

    seed: int = ablate.option(846, ge=0, doc="Seed of the unevenness in time and velocity.")
    tempo: float = ablate.option(69.0, ge=30, le=160, doc="Quarter notes a minute, before any slowing.")
    rubato: float = ablate.option(1.0, ge=0, le=3, doc="Factor on the slowing at phrase ends; 0 keeps strict time.")
    timing_noise: float = ablate.option(0.006, ge=0, le=0.03, doc="Standard deviation of each onset, in seconds.")
    velocity_noise: float = ablate.option(2.0, ge=0, le=10, doc="Standard deviation of each velocity, in MIDI steps.")


def _build(options: PreludeOptions) -> ablate.Corpus:
    from ablate_bach.render import Prelude  # NumPy only when built

    return Prelude(options)


@ablate.hookimpl
def ablate_corpora() -> Iterable[ablate.CorpusSpec]:
    """Offer the prelude."""
    yield ablate.CorpusSpec(
        name="bach-prelude",
        summary="Bach's Prelude in C major, BWV 846: 549 notes, two minutes, no download.",
        options=PreludeOptions,
        build=_build,
        cite=(REPP_1992, TODD_1992, FRIBERG_2006),
    )
