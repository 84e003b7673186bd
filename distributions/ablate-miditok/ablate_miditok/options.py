"""Options of the tokenizers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import ablate
from ablate.errors import InvalidOptions

#: Up to this number of beats, durations and time shifts are as fine as the grid.
FINE_BEATS = 2
#: The beats of a bar.
BAR = 4
#: The number of instruments: 128 programs of General MIDI, and drums.
INSTRUMENTS = 129


@dataclass(frozen=True)
class MidiTokOptions:
    """Options of the tokenizers without byte-pair encoding."""

    bpm: float = ablate.option(
        120.0, ge=20, le=400, doc="Beats per minute of the grid, whatever the tempo of the music."
    )
    resolution: int = ablate.option(50, ge=2, le=480, doc="Positions in a beat; 50 at 120 bpm are steps of 10 ms.")
    coarse: int = ablate.option(
        10, ge=1, le=480, doc="Steps of durations and time shifts in a beat, above two beats; divides resolution."
    )
    longest: int = ablate.option(
        16, ge=3, le=64, doc="Longest duration and time shift in beats; a pause can take several, except in structured."
    )
    velocity_bins: int = ablate.option(32, ge=1, le=127, doc="Number of velocities.")
    low: int = ablate.option(21, ge=0, le=127, doc="Lowest MIDI pitch; notes below it are left out.")
    high: int = ablate.option(108, ge=0, le=127, doc="Highest MIDI pitch; notes above it are left out.")
    instruments: Literal["one", "merge", "all"] = ablate.option(
        "one",
        doc='"one": music of several instruments is refused; "merge": pitched ones are written as one, without drums; '
        '"all": a token for the instrument of each note, which decoding restores.',
    )

    def __post_init__(self) -> None:
        """Check the rules that concern two options at once."""
        problems = []
        if self.resolution % self.coarse:
            problems.append(("coarse", f"does not divide resolution ({self.resolution} / {self.coarse})"))
        if self.low > self.high:
            problems.append(("low", f"is above high ({self.low} > {self.high})"))
        if problems:
            raise InvalidOptions(problems)

    def words(self, scheme: str) -> int:
        """Return the number of words of a scheme, the padding word that MidiTok always has among them."""
        pitches = self.high - self.low + 1
        times = FINE_BEATS * self.resolution + (self.longest - FINE_BEATS) * self.coarse
        both = 1 + pitches + self.velocity_bins + (INSTRUMENTS if self.instruments == "all" else 0)
        return (
            both
            + {
                "remi": 1 + times + BAR * self.resolution,
                "tsd": 2 * times,
                "midilike": pitches + times,
                "structured": 2 * times + 1,
            }[scheme]
        )


@dataclass(frozen=True)
class BpeOptions(MidiTokOptions):
    """Options of the tokenizers with byte-pair encoding."""

    scheme: ClassVar[str]

    vocabulary: int = ablate.option(
        1024, ge=1, le=65536, doc="Number of words, those without merges among them; the others are learned."
    )
    split: Literal["bar", "beat", "no"] = ablate.option("bar", doc="No merge goes beyond a bar, a beat, or a piece.")

    def __post_init__(self) -> None:
        """Check that the words without merges fit in."""
        super().__post_init__()
        words = self.words(self.scheme) + 1  # MidiTok's mark of a beginning
        if self.vocabulary <= words:
            raise InvalidOptions([("vocabulary", f"must be more than the {words:,} words without any merge")])


@dataclass(frozen=True)
class RemiBpeOptions(BpeOptions):
    """Options of ``miditok-remi-bpe``."""

    scheme = "remi"


@dataclass(frozen=True)
class TsdBpeOptions(BpeOptions):
    """Options of ``miditok-tsd-bpe``."""

    scheme = "tsd"


@dataclass(frozen=True)
class MidiLikeBpeOptions(BpeOptions):
    """Options of ``miditok-midilike-bpe``."""

    scheme = "midilike"


@dataclass(frozen=True)
class StructuredBpeOptions(BpeOptions):
    """Options of ``miditok-structured-bpe``."""

    scheme = "structured"


BPE_OPTIONS: dict[str, type[BpeOptions]] = {
    each.scheme: each for each in (RemiBpeOptions, TsdBpeOptions, MidiLikeBpeOptions, StructuredBpeOptions)
}
