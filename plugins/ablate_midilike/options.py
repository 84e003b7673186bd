"""Options of the tokenizers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate
from ablate.errors import InvalidOptions

#: The number of instruments: 128 programs of General MIDI, and drums.
INSTRUMENTS = 129


@dataclass(frozen=True)
class ClassicOptions:
    """Options of ``midilike-classic``; all concern decoding."""

    min_length: float = ablate.option(
        0.05, ge=0, doc="Shortest decoded note, in seconds; the public code had 0.25, the course's copy 0.05."
    )
    default_length: float = ablate.option(1.0, gt=0, doc="Length of a decoded note without a note-off, in seconds.")
    velocity_scale: float = ablate.option(
        1.0, gt=0, doc="Factor on decoded velocities; the course used 0.8 for generated music."
    )


@dataclass(frozen=True)
class GridOptions:
    """Options of ``midilike``."""

    step: float = ablate.option(
        0.01, ge=0.001, le=1, doc="Grid of the time shifts in seconds; decoded times are wrong by at most half of it."
    )
    longest_shift: float = ablate.option(
        1.0, gt=0, le=10, doc="Longest single time shift in seconds, a whole number of steps; a pause can take several."
    )
    velocity_bins: int = ablate.option(
        32, ge=1, le=127, doc="Velocity bins of equal width over 0 to 128; 127 keeps every velocity."
    )
    low: int = ablate.option(21, ge=0, le=127, doc="Lowest MIDI pitch; notes below it are left out.")
    high: int = ablate.option(108, ge=0, le=127, doc="Highest MIDI pitch; notes above it are left out.")
    longest_open: float = ablate.option(2.0, gt=0, doc="Longest decoded note without a note-off, in seconds.")
    instruments: Literal["one", "merge", "all"] = ablate.option(
        "one",
        doc='"one": music of several instruments is refused; "merge": pitched ones are written as one, without drums; '
        '"all": a token for each instrument, which decoding restores.',
    )

    def __post_init__(self) -> None:
        """Check the rules that concern two options at once."""
        problems = []
        steps = self.longest_shift / self.step
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
            problems.append(("longest_shift", f"is {steps:g} steps of {self.step:g} s, not a whole number of them"))
        if self.low > self.high:
            problems.append(("low", f"is above high ({self.low} > {self.high})"))
        if problems:
            raise InvalidOptions(problems)


@dataclass(frozen=True)
class BpeOptions(GridOptions):
    """Options of ``midilike-bpe``: those of ``midilike``, and the size of the vocabulary."""

    vocabulary: int = ablate.option(
        1024, ge=1, le=65536, doc="Number of words, those of midilike among them; the others are learned."
    )

    def __post_init__(self) -> None:
        """Check the rules of ``midilike``, and that its words fit in."""
        super().__post_init__()
        words = 2 * (self.high - self.low + 1) + self.velocity_bins + round(self.longest_shift / self.step)
        words += INSTRUMENTS if self.instruments == "all" else 0
        if self.vocabulary <= words:
            raise InvalidOptions([("vocabulary", f"must be more than the {words:,} words without any merge")])
