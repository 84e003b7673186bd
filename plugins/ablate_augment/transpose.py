"""Copies of a performance in other keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate.errors import CorpusError
from ablate.music.performance import DRUMS, pitched

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ablate_augment.options import TransposeOptions


class Transpose(ablate.Augmenter):
    """An augmenter that moves every note by the same number of semitones, which become the label ``transpose``.

    Drums stay as they are, because their pitches are names of drums; a piece of drums alone has equal copies.

    Args:
        options: the semitones, the pitches that a copy may have, and the action for a copy with other pitches. They
            also apply to a copy of 0 semitones, and to no drum.
    """

    def __init__(self, options: TransposeOptions) -> None:
        self._options = options

    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        """Return one copy for each number of semitones, in their order; nothing is random.

        Raises:
            CorpusError: a copy leaves the allowed pitches and ``out_of_range`` is ``error``, or every copy does.
        """
        del rng
        copies = [_moved(performance, semitones) for semitones in self._options.semitones]
        valid = [copy for copy in copies if self._fits(copy)]
        invalid = [copy for copy in copies if not self._fits(copy)]
        if invalid and (self._options.out_of_range == "error" or not valid):
            raise CorpusError(self._message(invalid))
        return valid

    def _fits(self, copy: ablate.Performance) -> bool:
        pitch = pitched(copy.notes)["pitch"]
        return bool(((pitch >= self._options.low) & (pitch <= self._options.high)).all())

    def _message(self, invalid: Sequence[ablate.Performance]) -> str:
        options, pitch = self._options, pitched(invalid[0].notes)["pitch"]
        semitones = ", ".join(f"{copy.labels['transpose']:g}" for copy in invalid)
        return (
            f"{invalid[0].name or 'performance'}: transposed by {semitones} semitones, it leaves MIDI pitches "
            f"{options.low} to {options.high} (the first of these copies spans {pitch.min()} to {pitch.max()}); "
            "choose other semitones, or a wider low and high"
        )


def _moved(performance: ablate.Performance, semitones: int) -> ablate.Performance:
    notes = performance.notes.copy()
    notes["pitch"][notes["instrument"] != DRUMS] += semitones
    return performance.replace(notes=notes).labelled(transpose=float(semitones))
