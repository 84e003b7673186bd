"""Copies of a performance at other playing speeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class TempoAugmenter(ablate.Augmenter):
    """Plays each performance at every given speed and writes the speed down as label ``tempo``.

    The label is the playing speed relative to the performance as recorded: at 1.2 all times of notes and pedals,
    counted from 0, are divided by 1.2, and the music is faster.

    The original experiments went the other way: they multiplied all times by their factor and gave the network that
    factor, so that their 1.2 is slower music and the label 1/1.2 here. Nor did it stay a factor: their tokenizer rounds
    times down, by which their 0.8 came back from the tokens as 0.75.

    Args:
        factors: playing speeds, above 0; one copy for each, in their order. As everywhere, the copies stand in place of
            the performance, so without 1 among them the recording itself is not learned.
    """

    def __init__(self, factors: Sequence[float]) -> None:
        self._factors = factors

    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        """One copy for each factor; nothing is drawn."""
        del rng
        return [_played_at(performance, factor) for factor in self._factors]


def _played_at(performance: ablate.Performance, tempo: float) -> ablate.Performance:
    notes, pedals = performance.notes.copy(), performance.pedals.copy()
    for field in ("start", "end"):
        notes[field] /= tempo
    pedals["time"] /= tempo
    return performance.replace(notes=notes, pedals=pedals).labelled(tempo=tempo)
