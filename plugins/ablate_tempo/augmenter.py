"""Copies of a performance at other playing speeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


class TempoAugmenter(ablate.Augmenter):
    """An augmenter that plays each performance at several speeds, which become the label ``tempo``.

    The label is the playing speed relative to the recorded performance: at 1.2 all times of notes and pedals,
    counted from 0, are divided by 1.2, and the music is faster.

    The original experiments used the inverse: they multiplied all times by their factor and gave the network that
    factor, so their 1.2 is slower music and has the label 1/1.2 here. Besides, their tokenizer rounds times down, so
    their 0.8 became 0.75 in the decoded tokens.

    Args:
        factors: playing speeds, above 0; one copy for each, in their order. As with every augmenter, the copies replace
            the performance, so without 1 the recording itself is not in the training set.
    """

    def __init__(self, factors: Sequence[float]) -> None:
        self._factors = factors

    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        """Return one copy for each factor; nothing is random."""
        del rng
        return [_played_at(performance, factor) for factor in self._factors]


def _played_at(performance: ablate.Performance, tempo: float) -> ablate.Performance:
    notes, pedals = performance.notes.copy(), performance.pedals.copy()
    for field in ("start", "end"):
        notes[field] /= tempo
    pedals["time"] /= tempo
    return performance.replace(notes=notes, pedals=pedals).labelled(tempo=tempo)
