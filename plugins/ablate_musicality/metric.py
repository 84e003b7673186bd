"""A number of a sample, compared with the same number of the reference."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError, NothingGenerated
from ablate.music.performance import pitched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_musicality.pieces import Notes, Number


class Musicality(ablate.Metric):
    """One number of a sample, and its difference from the mean of the reference pieces.

    Each piece with notes that count (all, or all but drums) counts once, regardless of its length. Numbers that grow
    with length, such as the range and the entropies, differ for that reason alone where samples are much shorter than
    the pieces.

    Args:
        number: a number of a piece; one without a unit is a share, 0 to 1.
    """

    def __init__(self, number: Number) -> None:
        self._number = number
        # Every sample of a run is compared with the same pieces, which have many more notes.
        self._usual_cached = functools.lru_cache(maxsize=1)(self._usual)

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measurements:
        """Return the number as ``value`` and its difference from the reference as ``difference``.

        ``n`` is the number of the sample's notes that count.

        Raises:
            NothingGenerated: the sample has no notes that count.
            CorpusError: the reference has none.
        """
        notes, unit = self._part(generated.notes), self._number.unit
        if not len(notes):
            raise NothingGenerated(f"the sample has no {self._words(generated)} to measure")
        value, usual = self._number.compute(notes), self._usual_cached(tuple(reference))
        return ablate.Measurements(
            (
                ablate.Value(value, unit=unit, n=len(notes), share=unit == "1"),
                ablate.Value(abs(value - usual), feature="difference", unit=unit, direction="lower", n=len(notes)),
            )
        )

    def _part(self, notes: Notes) -> Notes:
        return notes if self._number.drums else pitched(notes)

    def _words(self, *pieces: ablate.Performance) -> str:
        return "pitched notes" if any(map(len, pieces)) else "notes"

    def _usual(self, reference: tuple[ablate.Performance, ...]) -> float:
        """Return the mean of the number over the reference pieces."""
        found = [self._number.compute(notes) for piece in reference if len(notes := self._part(piece.notes))]
        if not found:
            raise CorpusError(f"the reference has no {self._words(*reference)} to compare with")
        return float(np.mean(found))
