"""Copies of a performance with less even timing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_augment.options import JitterOptions


class TimeJitter(ablate.Augmenter):
    """Moves each start and each end by normal noise of its own and writes the standard deviation down.

    The label is ``time_jitter``, in seconds. Starts stay at 0 or later, and ends at least ``min_length`` behind their
    starts, also where the note was shorter before. Notes that were in order of start are put in canonical order again;
    notes of one pitch may come to overlap. Pedals stay where they are.

    Args:
        options: the standard deviations, and the shortest note. A deviation of 0 leaves every note as it is, however
            short; one that is named twice gives two copies with different noise.
    """

    def __init__(self, options: JitterOptions) -> None:
        self._options = options

    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        """One copy for each standard deviation, in their order."""
        return [
            (self._moved(performance, deviation, rng) if deviation else performance).labelled(time_jitter=deviation)
            for deviation in self._options.seconds
        ]

    def _moved(self, performance: ablate.Performance, deviation: float, rng: np.random.Generator) -> ablate.Performance:
        notes = performance.notes.copy()
        early_late = rng.normal(0.0, deviation, size=(2, len(notes)))
        notes["start"] = np.maximum(notes["start"] + early_late[0], 0.0)
        notes["end"] = np.maximum(notes["end"] + early_late[1], notes["start"] + self._options.min_length)
        moved = performance.replace(notes=notes)
        in_order = bool((np.diff(performance.notes["start"]) >= 0).all())
        return moved.canonical() if in_order else moved
