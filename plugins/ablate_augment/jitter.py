"""Copies of a performance with less even timing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_augment.options import JitterOptions


class TimeJitter(ablate.Augmenter):
    """An augmenter that moves each start and each end by independent normal noise.

    The label is ``time_jitter``, the standard deviation in seconds. Starts stay at 0 or later, and ends at least
    ``min_length`` after their starts, also where the note was shorter before. Notes that were in order of start are put
    in canonical order again; notes of one pitch may overlap afterwards. Pedals do not move.

    Args:
        options: the standard deviations, and the shortest note. A deviation of 0 changes no note, not even a very
            short one; a deviation that is listed twice gives two copies with different noise.
    """

    def __init__(self, options: JitterOptions) -> None:
        self._options = options

    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        """Return one copy for each standard deviation, in their order."""
        return [
            (self._moved(performance, deviation, rng) if deviation else performance).labelled(time_jitter=deviation)
            for deviation in self._options.seconds
        ]

    def _moved(self, performance: ablate.Performance, deviation: float, rng: np.random.Generator) -> ablate.Performance:
        notes = performance.notes.copy()
        shifts = rng.normal(0.0, deviation, size=(2, len(notes)))
        notes["start"] = np.maximum(notes["start"] + shifts[0], 0.0)
        notes["end"] = np.maximum(notes["end"] + shifts[1], notes["start"] + self._options.min_length)
        copy = performance.replace(notes=notes)
        in_order = bool((np.diff(performance.notes["start"]) >= 0).all())
        return copy.canonical() if in_order else copy
