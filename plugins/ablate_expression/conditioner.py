"""The common part of the conditioners of expression: one number for each token, measured or set by a label."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

import ablate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from ablate.arrays import FloatArray
    from ablate_expression.options import ScopeOptions


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A quantity of the music, in its own unit.

    Attributes:
        label: its name in a study's ``[labels]``; ``<label>_per_minute`` is the change for each minute.
        scale: divisor of the numbers for the network, the same in every study; about the value of piano music, so that
            the network gets numbers near 1. Music without a note to measure has this value.
        lowest: the lowest possible value.
        highest: the highest possible value.
        bounds: both as text for messages, with the unit.
    """

    label: str
    scale: float
    lowest: float
    highest: float
    bounds: str


class Expression(ablate.Conditioner):
    """One quantity of the music, token by token.

    A training example's numbers are measured from its notes, so an augmenter that changes the notes changes them too;
    labels of the performance are ignored. With ``scope = "local"`` they vary from token to token and cover half a
    window ahead: like a label, they describe the music that follows.

    A generated row gets ``label + label_per_minute * t / 60`` at clock time t in seconds, clipped to the lowest and the
    highest possible value, where a long crescendo ends.

    Args:
        quantity: what the numbers measure.
        options: which part of the music is measured.
        default: value of generated music where a study sets no label, in the quantity's unit.
    """

    def __init__(self, quantity: Quantity, options: ScopeOptions, default: float) -> None:
        self.quantity = quantity
        self.options = options
        self._change = f"{quantity.label}_per_minute"
        self.labels = {quantity.label: default, self._change: 0.0}

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError if the start value is impossible, or a number is not finite."""
        start, change, quantity = labels[self.quantity.label], labels[self._change], self.quantity
        if not (start > 0 and quantity.lowest <= start <= quantity.highest):
            raise ValueError(f"{quantity.label} must be {quantity.bounds}, not {start:g}")
        if not math.isfinite(change):
            raise ValueError(f"{self._change} must be a finite number, not {change:g}")

    def from_performance(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """Return the quantity over its scale, of the whole performance or around each token, float32 [time, 1].

        It does not depend on the order of the notes, and a token's number does not depend on the other tokens.
        """
        if self.options.scope == "local":
            return self._scaled(self.around(performance, times))
        return self._scaled(np.full(len(times), self.overall(performance)))

    def from_labels(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """Return the value at each clock time that the labels set, over the quantity's scale, float32 [time, 1]."""
        return self._at(labels[self.quantity.label], labels[self._change], times)

    def from_labels_batched(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """Return a function from clock times [rows] to numbers of all rows, float32 [rows, 1]."""
        start_r = np.array([row[self.quantity.label] for row in labels])
        change_r = np.array([row[self._change] for row in labels])
        return lambda times: self._at(start_r, change_r, times)

    def _at(self, start: FloatArray | float, change: FloatArray | float, times: FloatArray) -> FloatArray:
        values = start + change * (times / 60)
        return self._scaled(np.clip(values, self.quantity.lowest, self.quantity.highest))

    def module(self, embedding: int) -> torch.nn.Module:
        """Return a linear map, [rows, time, 1] to [rows, time, embedding]."""
        import torch  # late, because checking a study's labels needs no torch

        return torch.nn.Linear(self.width, embedding)

    @abstractmethod
    def overall(self, performance: ablate.Performance) -> float:
        """Return the quantity of the whole performance; finite."""

    @abstractmethod
    def around(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """Return the quantity in the window around each clock time, float64 [time]; finite."""

    def _scaled(self, values: FloatArray) -> FloatArray:
        return (values / self.quantity.scale).astype(np.float32)[:, None]
