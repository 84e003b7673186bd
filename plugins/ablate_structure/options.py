"""Options of the metrics."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class GrooveOptions:
    """Options of ``structure.groove``."""

    bar: float = ablate.option(
        2.0, gt=0, le=60, doc="Length of a bar in seconds, for `consistency` and `similarity`; 2 is four beats at 120."
    )
    positions: int = ablate.option(16, ge=2, le=4096, doc="Number of positions of a bar, to which onsets are rounded.")
    shortest: float = ablate.option(0.5, gt=0, doc="Shortest period in seconds that is tried for `periodicity`.")
    longest: float = ablate.option(4.0, gt=0, doc="Longest period in seconds that is tried for `periodicity`.")


@dataclass(frozen=True)
class RepetitionOptions:
    """Options of ``structure.repetition``."""

    seconds: float = ablate.option(
        60.0,
        ge=8,
        le=600,
        doc="Length of the beginning of each piece that is measured; time grows with its third power.",
    )
    rate: float = ablate.option(1.0, gt=0, le=10, doc="Frames per second; time grows with its third power.")
    window: float = ablate.option(2.0, gt=0, doc="Seconds of music in each frame.")
    smoothing: float = ablate.option(8.0, gt=0, doc="Seconds over which similarities are averaged along diagonals.")
