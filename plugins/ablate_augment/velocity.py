"""Louder and softer copies of a performance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_augment.options import VelocityOptions


class Velocity(ablate.Augmenter):
    """An augmenter that adds an amount to every velocity, or multiplies it.

    The label is ``velocity_shift`` in MIDI velocity, 0 for no change, or ``velocity_scale``, 1 for no change. Results
    are rounded, halves to even, and clipped to 1 to 127, which makes very loud music less varied.

    Args:
        options: whether amounts are added or multiply, and the amounts.
    """

    def __init__(self, options: VelocityOptions) -> None:
        self._options = options

    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        """Return one copy for each amount, in their order; nothing is random."""
        del rng
        return [self._changed(performance, amount) for amount in self._options.amounts]

    def _changed(self, performance: ablate.Performance, amount: float) -> ablate.Performance:
        notes, mode = performance.notes.copy(), self._options.mode
        velocity = notes["velocity"].astype(np.float64)
        exact = velocity * amount if mode == "scale" else velocity + amount
        notes["velocity"] = np.rint(exact).clip(1, 127)
        return performance.replace(notes=notes).labelled(**{f"velocity_{mode}": amount})
