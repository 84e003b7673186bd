"""The tempo as one number at every token, and two ways of training on a number that says nothing.

The raw number goes through a linear layer to the width of the embedding, to which the model adds it, as in the original
experiments. Neither scaled nor centred, it is near 1 in all that is learned.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

import ablate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from ablate.interfaces import FloatArray


class TempoConditioner(ablate.Conditioner):
    """Tells the label ``tempo``, the playing speed relative to the performance as recorded.

    A performance without the label is as recorded: 1. That is also what is asked for by default.
    """

    labels: Mapping[str, float] = MappingProxyType({"tempo": 1.0})

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError unless the tempo is above 0."""
        if not labels["tempo"] > 0:
            raise ValueError(f"tempo must be greater than 0, not {labels['tempo']:g}")

    def check_examples(self, performances: Sequence[ablate.Performance]) -> None:
        """Raise ValueError where all tempos are the same: then the label tells nothing, and cannot be asked for."""
        tempos = {performance.labels.get("tempo", 1.0) for performance in performances}
        if len(tempos) == 1:
            raise ValueError(
                f"every performance to train on has tempo {tempos.pop():g}, so there is nothing to learn from it; "
                'add [augmenter.tempo], or choose conditioner.tempo.source = "uniform"'
            )

    def observe(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """The performance's tempo at each token, float32 of shape [time, 1]."""
        return self.ask({**self.labels, **performance.labels}, times)

    def ask(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """The tempo asked for at each token, float32 of shape [time, 1]."""
        return np.full((len(times), 1), labels["tempo"], np.float32)

    def ask_rows(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """The same tempo at every step, float32 [rows, 1]."""
        asked_r1 = np.array([[row["tempo"]] for row in labels], np.float32)
        return lambda times: asked_r1

    def module(self, width: int) -> torch.nn.Module:
        """A linear layer, [rows, time, 1] to [rows, time, width]."""
        import torch  # here, so that checking a study's labels stays quick

        return torch.nn.Linear(self.features, width)


class UniformTempo(TempoConditioner):
    """In training, a number drawn anew for each window, unrelated to its music.

    It is what the original experiments called conditioning without augmentation: the network gets a tempo and can learn
    from it only to overlook it.

    Args:
        low: lowest number drawn.
        high: highest number drawn.
    """

    def __init__(self, low: float, high: float) -> None:
        self._range = low, high

    def check_examples(self, performances: Sequence[ablate.Performance]) -> None:
        """Anything will do: the examples' own tempo is not told."""

    def disturb(self, observed: FloatArray, others: FloatArray, rng: np.random.Generator) -> FloatArray:
        """One draw for each window, the same at all of its tokens, float32 of shape [rows, time, 1]."""
        del others
        drawn_r11 = rng.uniform(*self._range, size=(len(observed), 1, 1))
        return np.broadcast_to(drawn_r11, observed.shape).astype(np.float32)


class ShuffledTempo(TempoConditioner):
    """In training, the tempo of another window drawn at random: a placebo.

    The numbers have the distribution of the true ones and no information about the music, so that what the true ones
    are better at is due to their meaning and not to an input more.
    """

    def disturb(self, observed: FloatArray, others: FloatArray, rng: np.random.Generator) -> FloatArray:
        """The other windows' numbers, of shape [rows, time, 1]; one is the same at all tokens of its window."""
        del observed, rng
        return others
