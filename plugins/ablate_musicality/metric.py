"""A number of a sample, compared with the same number of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError, NothingGenerated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate_musicality.pieces import Notes


class Musicality(ablate.Metric):
    """One number of a sample, and its difference from the mean of the reference pieces.

    Each piece with notes counts once, regardless of its length. Numbers that grow with length, such as the range and
    the entropies, differ for that reason alone where samples are much shorter than the pieces.

    Args:
        number: computes a finite number from the notes of a piece, at least one.
        unit: of the number; one without a unit is a share, 0 to 1.
    """

    def __init__(self, number: Callable[[Notes], float], unit: str) -> None:
        self._number = number
        self._unit = unit

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measurements:
        """Return the number as ``value`` and its difference from the reference as ``difference``.

        ``n`` is the number of the sample's notes.

        Raises:
            NothingGenerated: the sample has no notes.
            CorpusError: the reference has no notes.
        """
        if not len(generated):
            raise NothingGenerated("the sample has no notes to measure")
        pieces = [piece.notes for piece in reference if len(piece)]
        if not pieces:
            raise CorpusError("the reference has no notes to compare with")
        value, n = self._number(generated.notes), len(generated)
        difference = abs(value - float(np.mean([self._number(notes) for notes in pieces])))
        return ablate.Measurements(
            (
                ablate.Value(value, unit=self._unit, n=n, share=self._unit == "1"),
                ablate.Value(difference, feature="difference", unit=self._unit, direction="lower", n=n),
            )
        )
