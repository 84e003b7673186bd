"""Options of the metrics."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class LongestOptions:
    """Options of ``memorization.longest``, and of the other two as well: what counts as the same notes."""

    together: float = ablate.option(
        0.05,
        gt=0,
        le=1,
        doc="How far an interval between onsets may be off, in seconds; a chord's notes may change places.",
    )
    stretch: float = ablate.option(
        1.4, ge=1, le=4, doc="How many times as long or as short an interval between onsets may be, besides `together`."
    )
    transposed: bool = ablate.option(
        False,
        doc="Also count notes that are all transposed alike; scales, trills and repeated notes then match at once.",
    )


@dataclass(frozen=True)
class NgramsOptions(LongestOptions):
    """Options of ``memorization.ngrams``."""

    n: int = ablate.option(8, ge=2, doc="How many successive notes make an n-gram.")


@dataclass(frozen=True)
class CoveredOptions(LongestOptions):
    """Options of ``memorization.covered``."""

    length: int = ablate.option(20, ge=2, doc="How many notes a copied run must have to be counted.")
