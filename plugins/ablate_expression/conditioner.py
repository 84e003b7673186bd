"""What the conditioners of expression have in common: one number a token, observed in notes or asked for."""

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

    from ablate.interfaces import FloatArray
    from ablate_expression.options import ScopeOptions


@dataclasses.dataclass(frozen=True)
class Quantity:
    """What is told of the music, in its own unit.

    Attributes:
        label: its name in a study's ``[labels]``; ``<label>_per_minute`` is how much more is asked for each minute.
        scale: divides it before the network, fixed so that numbers mean the same in every study; it is about what piano
            music has, so that the network sees numbers near 1. It also stands for music without a note to measure.
        lowest: nothing below it can be.
        highest: nothing above it can be.
        bounds: both for people, with the unit.
    """

    label: str
    scale: float
    lowest: float
    highest: float
    bounds: str


class Expression(ablate.Conditioner):
    """One quantity of the music, token by token.

    A training example's numbers are measured from its notes, so that an augmenter which changes the notes changes them
    too; labels on the performance are not read. With ``scope = "local"`` they vary over its tokens and look half a
    window ahead: they say what is about to be played, as asking does.

    A row to be generated is told ``label + label_per_minute * t / 60`` at clock time t in seconds, held between the
    lowest and the highest that can be, where a long crescendo stays once it is there.

    Args:
        quantity: what is told.
        options: of what is observed.
        default: what is asked for where a study is silent, in the quantity's unit.
    """

    def __init__(self, quantity: Quantity, options: ScopeOptions, default: float) -> None:
        self.quantity = quantity
        self.options = options
        self._change = f"{quantity.label}_per_minute"
        self.labels = {quantity.label: default, self._change: 0.0}

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError if music cannot begin like that, or a number is not finite."""
        asked, change, quantity = labels[self.quantity.label], labels[self._change], self.quantity
        if not (asked > 0 and quantity.lowest <= asked <= quantity.highest):
            raise ValueError(f"{quantity.label} must be {quantity.bounds}, not {asked:g}")
        if not math.isfinite(change):
            raise ValueError(f"{self._change} must be a finite number, not {change:g}")

    def observe(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """The quantity over its scale, of the whole performance or around each token, float32 [time, 1].

        It does not depend on the order of the notes, nor a token's number on the other tokens.
        """
        if self.options.scope == "local":
            return self._told(self.around(performance, times))
        return self._told(np.full(len(times), self.overall(performance)))

    def ask(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """What is asked for at each clock time, over the quantity's scale, float32 [time, 1]."""
        return self._asked(labels[self.quantity.label], labels[self._change], times)

    def ask_rows(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """The same of many rows at once, float32 [rows, 1] of [rows]."""
        first_r = np.array([row[self.quantity.label] for row in labels])
        change_r = np.array([row[self._change] for row in labels])
        return lambda times: self._asked(first_r, change_r, times)

    def _asked(self, first: FloatArray | float, change: FloatArray | float, times: FloatArray) -> FloatArray:
        asked = first + change * (times / 60)
        return self._told(np.clip(asked, self.quantity.lowest, self.quantity.highest))

    def module(self, width: int) -> torch.nn.Module:
        """A linear map, [rows, time, 1] to [rows, time, width]."""
        import torch  # here, as labels are read wherever a study is checked

        return torch.nn.Linear(self.features, width)

    @abstractmethod
    def overall(self, performance: ablate.Performance) -> float:
        """The quantity of the whole performance; finite."""

    @abstractmethod
    def around(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """The quantity in the window around each clock time, float64 [time]; finite."""

    def _told(self, values: FloatArray) -> FloatArray:
        return (values / self.quantity.scale).astype(np.float32)[:, None]
