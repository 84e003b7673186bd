"""The tempo as one number at every token, and two controls that train on a number without information.

A linear layer maps the number to the width of the embedding, to which the model adds it, as in the original
experiments. The number is neither scaled nor centred; it is near 1 in training.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

import ablate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from ablate.arrays import FloatArray


class TempoConditioner(ablate.Conditioner):
    """A conditioner with the label ``tempo``, the playing speed relative to the recorded performance.

    A performance without the label is as recorded: 1. This is also the default for generated music.
    """

    labels: Mapping[str, float] = MappingProxyType({"tempo": 1.0})

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError unless the tempo is above 0."""
        if not labels["tempo"] > 0:
            raise ValueError(f"tempo must be greater than 0, not {labels['tempo']:g}")

    def check_examples(self, performances: Sequence[ablate.Performance]) -> None:
        """Raise ValueError where all tempos are equal: the network could not learn the effect of the label."""
        tempos = {performance.labels.get("tempo", 1.0) for performance in performances}
        if len(tempos) == 1:
            raise ValueError(
                f"all training performances have tempo {tempos.pop():g}, so the network cannot learn the label; "
                'add [augmenter.tempo], or choose conditioner.tempo.source = "uniform"'
            )

    def from_performance(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """Return the performance's tempo at each token, float32 [time, 1]."""
        return self.from_labels({**self.labels, **performance.labels}, times)

    def from_labels(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """Return the label's tempo at each token, float32 [time, 1]."""
        return np.full((len(times), 1), labels["tempo"], np.float32)

    def from_labels_batched(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """Return a function that gives each row's tempo at every step, float32 [rows, 1]."""
        tempo_r1 = np.array([[row["tempo"]] for row in labels], np.float32)
        return lambda times: tempo_r1

    def module(self, embedding: int) -> torch.nn.Module:
        """Return a linear layer, [rows, time, 1] to [rows, time, embedding]."""
        import torch  # late, because checking a study's labels needs no torch

        return torch.nn.Linear(self.width, embedding)


class UniformTempo(TempoConditioner):
    """A control: in training, a random number for each window, unrelated to its music.

    The original experiments called this conditioning without augmentation: the network gets a tempo and can only learn
    to ignore it.

    Args:
        low: lowest number drawn.
        high: highest number drawn.
    """

    def __init__(self, low: float, high: float) -> None:
        self._range = low, high

    def check_examples(self, performances: Sequence[ablate.Performance]) -> None:
        """Accept all performances: their own tempo is not used."""

    def perturb(self, values: FloatArray, others: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Draw one number for each window, the same at all of its tokens, float32 [rows, time, 1]."""
        del others
        tempo_r11 = rng.uniform(*self._range, size=(len(values), 1, 1))
        return np.broadcast_to(tempo_r11, values.shape).astype(np.float32)


class ShuffledTempo(TempoConditioner):
    """A placebo: in training, the tempo of another window, drawn at random.

    The numbers have the distribution of the true ones but no information about the music. So an advantage of the true
    ones is due to their meaning and not to an additional input.
    """

    def perturb(self, values: FloatArray, others: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return the other windows' numbers, [rows, time, 1]; each is constant over its window."""
        del values, rng
        return others
