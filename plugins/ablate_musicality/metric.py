"""A number of a sample beside the same number of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError, NothingGenerated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate_musicality.pieces import Notes


class Musicality(ablate.Metric):
    """One number of a sample, and how far it is from the mean of the reference pieces.

    Each piece with a note counts once, however long it is. What grows with length, as the range and the entropies do,
    differs by that alone where samples are much shorter than the pieces.

    Args:
        number: of the notes of a piece, at least one; finite.
        unit: of the number.
    """

    def __init__(self, number: Callable[[Notes], float], unit: str) -> None:
        self._number = number
        self._unit = unit

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measured:
        """The number as ``value``, and as ``difference`` how far it is from the reference's; ``n`` the sample's notes.

        Raises:
            NothingGenerated: the sample holds no note.
            CorpusError: nor does the reference.
        """
        if not len(generated):
            raise NothingGenerated("the sample holds no note to measure")
        pieces = [piece.notes for piece in reference if len(piece)]
        if not pieces:
            raise CorpusError("the reference holds no note to compare with")
        value, n = self._number(generated.notes), len(generated)
        difference = abs(value - float(np.mean([self._number(notes) for notes in pieces])))
        return ablate.Measured(
            (
                ablate.Value("value", value, self._unit, "none", n),
                ablate.Value("difference", difference, self._unit, "lower", n),
            )
        )
