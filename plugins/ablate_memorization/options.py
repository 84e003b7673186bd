"""Options of the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class LongestOptions:
    """Options of ``memorization.longest`` and of both other metrics: which notes count as the same."""

    together: float = ablate.option(
        0.05,
        gt=0,
        le=1,
        doc="Tolerance of an interval between onsets, in seconds; a chord's notes may change their order.",
    )
    stretch: float = ablate.option(
        1.4,
        ge=1,
        le=4,
        doc="Largest factor between two intervals between onsets that count as the same, besides `together`.",
    )
    transposed: bool = ablate.option(
        False,
        doc="Also count notes that are all transposed alike; scales, trills and repeated notes then match at once.",
    )
    part: Literal["pitched", "drums"] = ablate.option(
        "pitched",
        doc="Notes that are searched: those of all pitched instruments together, or the drums, whose beats many pieces "
        "share.",
    )
    instruments: Literal["same", "any"] = ablate.option(
        "same",
        doc="Instruments of a copied passage: the same as in the original, or any, as where a tokenizer merges them.",
    )

    def __post_init__(self) -> None:
        """Check that drums are not transposed: their pitches are numbers of sounds."""
        if self.transposed and self.part == "drums":
            raise ValueError('transposed: drums have no pitch to transpose; set it to false, or part to "pitched"')


@dataclass(frozen=True)
class NgramsOptions(LongestOptions):
    """Options of ``memorization.ngrams``."""

    n: int = ablate.option(8, ge=2, doc="Number of successive notes in an n-gram.")


@dataclass(frozen=True)
class CoveredOptions(LongestOptions):
    """Options of ``memorization.covered``."""

    length: int = ablate.option(20, ge=2, doc="Least number of notes of a copied passage that is counted.")
