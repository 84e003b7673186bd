"""Windows of tokens, drawn at random from the examples of a training."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ablate.engine.seeding import numpy_stream
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.interfaces import Conditioner, FloatArray, IntArray

#: Marks positions behind the end of an example; ``cross_entropy`` leaves them out.
IGNORED = -100


@dataclasses.dataclass(frozen=True)
class Example:
    """One performance to train on.

    Attributes:
        tokens: int64 [time].
        conditions: for each conditioner, float32 [time, features].
    """

    tokens: IntArray
    conditions: tuple[FloatArray, ...] = ()


@dataclasses.dataclass(frozen=True)
class Batch:
    """One step's windows: inputs and targets int64 [rows, time], conditions float32 [rows, time, features]."""

    tokens: torch.Tensor
    targets: torch.Tensor
    conditions: list[torch.Tensor]


class Windows:
    """Every window of a training, drawn uniformly over all places a window can start.

    All starts are drawn ahead from one stream, so that step k's windows do not depend on where a training was
    interrupted. An example shorter than a window gives one window, padded with :data:`IGNORED` targets; one of fewer
    than two tokens has nothing to predict and gives none.

    Raises:
        StageError: no example gives a window.
    """

    def __init__(self, examples: Sequence[Example], steps: int, batch: int, window: int, seed: int) -> None:
        lengths = np.array([len(example.tokens) for example in examples])
        self._flat = np.concatenate([example.tokens for example in examples]).astype(np.int64)
        self._conditions = [np.concatenate(parts) for parts in zip(*(e.conditions for e in examples), strict=True)]
        ends = np.cumsum(lengths)
        starts = np.where(lengths > 1, np.maximum(lengths - window, 1), 0)
        if not starts.sum():
            raise StageError("nothing to learn: no training example has two tokens")
        first = np.cumsum(starts) - starts
        drawn = numpy_stream(seed).integers(0, starts.sum(), size=(steps, batch))
        chosen = np.searchsorted(first, drawn, side="right") - 1
        self._starts = (ends - lengths)[chosen] + drawn - first[chosen]
        self._ends = ends[chosen]
        self._reach = np.arange(window + 1)

    def batch(self, step: int, conditioners: Sequence[Conditioner], labels_seed: int) -> Batch:
        """The windows of one step."""
        places = self._starts[step][:, None] + self._reach
        inside = places < self._ends[step][:, None]
        places = np.where(inside, places, self._ends[step][:, None] - 1)
        tokens = self._flat[places]
        targets = np.where(inside[:, 1:], tokens[:, 1:], IGNORED)
        conditions = [
            torch.from_numpy(_disturbed(conditioner, values[places[:, :-1]], labels_seed, step, index))
            for index, (conditioner, values) in enumerate(zip(conditioners, self._conditions, strict=True))
        ]
        return Batch(torch.from_numpy(np.ascontiguousarray(tokens[:, :-1])), torch.from_numpy(targets), conditions)


def _disturbed(
    conditioner: Conditioner, values: np.ndarray[Any, Any], seed: int, step: int, index: int
) -> np.ndarray[Any, Any]:
    """The conditioner's say in one step, from a stream of its own for each step and conditioner."""
    rng = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, index, step]))
    return np.ascontiguousarray(conditioner.disturb(values, rng), dtype=np.float32)
