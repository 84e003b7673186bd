"""Windows of tokens, drawn at random from the examples of a training."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch

from ablate.engine.seeding import numpy_stream
from ablate.errors import StageError
from ablate.interfaces import Conditioner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import BoolArray, FloatArray, IntArray
    from ablate.settings import TrainingSettings

#: Marks positions behind the end of an example; ``cross_entropy`` leaves them out.
IGNORED = -100


@dataclasses.dataclass(frozen=True)
class Example:
    """One performance to train on.

    Attributes:
        tokens: int64 [time].
        conditions: for each conditioner, float32 [time, width].
    """

    tokens: IntArray
    conditions: tuple[FloatArray, ...] = ()


@dataclasses.dataclass(frozen=True)
class Examples:
    """All examples of a training in one piece, which may be mapped from a file instead of being in memory.

    Attributes:
        tokens: of all examples, one after another, of any integer type.
        counts: how many tokens each example has, int64 [examples].
        conditions: for each conditioner, float32 [all tokens, width].
    """

    tokens: IntArray
    counts: IntArray
    conditions: tuple[FloatArray, ...]

    @classmethod
    def joined(cls, examples: Sequence[Example]) -> Examples:
        """Of single examples."""
        return cls(
            np.concatenate([example.tokens for example in examples]),
            np.array([len(example.tokens) for example in examples], np.int64),
            tuple(np.concatenate(parts) for parts in zip(*(e.conditions for e in examples), strict=True)),
        )

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.counts)


@dataclasses.dataclass(frozen=True)
class Batch:
    """One step's windows: inputs and targets int64 [rows, time], conditions float32 [rows, time, width]."""

    tokens: torch.Tensor
    targets: torch.Tensor
    conditions: list[torch.Tensor]


class Windows:
    """Every window of a training, drawn uniformly over all places a window can start.

    All starts are drawn ahead from one stream, so that step k's windows do not depend on where a training was
    interrupted. An example shorter than a window gives one window, padded with :data:`IGNORED` targets; one of fewer
    than two tokens has nothing to predict and gives none.

    Args:
        examples: what to learn.
        settings: steps, batch, what a batch counts, and the window's length.
        seed: of the windows' own stream.

    Attributes:
        rows: windows in one step.
        tokens: of all examples, one after another.
        conditions: for each conditioner, float32 [all tokens, width].
        starts: the first token of each window in ``tokens``, int64 [steps, rows].
        ends: where the example ends that each window lies in, int64 [steps, rows].

    Raises:
        StageError: no example gives a window.
    """

    def __init__(self, examples: Sequence[Example] | Examples, settings: TrainingSettings, seed: int) -> None:
        window = settings.window
        whole = examples if isinstance(examples, Examples) else Examples.joined(examples)
        self.tokens, lengths, self.conditions = whole.tokens, whole.counts, whole.conditions
        ends = np.cumsum(lengths)
        starts = np.where(lengths > 1, np.maximum(lengths - window, 1), 0)
        if not starts.sum():
            raise StageError("nothing to learn: no training example has two tokens")
        self._first, self._offset = np.cumsum(starts) - starts, ends - lengths
        self._all_ends = ends
        self._low, self._high = self._bounds(starts, settings)
        self.rows = settings.batch if isinstance(self._low, int) else len(self._low)
        self.starts, self.ends = self._located(self._drawn(numpy_stream(seed), settings.steps))
        self._reach = np.arange(window + 1)

    def _bounds(self, starts: IntArray, settings: TrainingSettings) -> tuple[int | IntArray, int | IntArray]:
        """Between which numbers the place of each row's window is drawn."""
        if settings.batch_counts == "step":
            return 0, int(starts.sum())
        low = np.repeat(self._first[starts > 0], settings.batch)
        return low, low + np.repeat(starts[starts > 0], settings.batch)

    def _drawn(self, rng: np.random.Generator, steps: int) -> IntArray:
        return rng.integers(self._low, self._high, size=(steps, self.rows))

    def _located(self, drawn: IntArray) -> tuple[IntArray, IntArray]:
        """The first token of each window drawn, and the end of the example that it lies in."""
        chosen = np.searchsorted(self._first, drawn, side="right") - 1
        # an example without a window shares its number with the next one, which comes later
        return self._offset[chosen] + drawn - self._first[chosen], self._all_ends[chosen]

    def batch(self, step: int, conditioners: Sequence[Conditioner], labels_seed: int) -> Batch:
        """The windows of one step."""
        places, inside = self._reached(self.starts[step], self.ends[step])
        tokens = self.tokens[places].astype(np.int64)
        targets = np.where(inside[:, 1:], tokens[:, 1:], IGNORED)
        conditions = [
            torch.from_numpy(self._told(conditioner, values, places, (labels_seed, step, index)))
            for index, (conditioner, values) in enumerate(zip(conditioners, self.conditions, strict=True))
        ]
        return Batch(torch.from_numpy(np.ascontiguousarray(tokens[:, :-1])), torch.from_numpy(targets), conditions)

    def condition(self, step: int, index: int, conditioner: Conditioner, labels_seed: int) -> FloatArray:
        """What the conditioner of that index says of the windows of one step, float32 [rows, time, width]."""
        places, _ = self._reached(self.starts[step], self.ends[step])
        return self._told(conditioner, self.conditions[index], places, (labels_seed, step, index))

    def _told(
        self, conditioner: Conditioner, values: FloatArray, places: IntArray, stream: tuple[int, int, int]
    ) -> FloatArray:
        """The conditioner's say in one step, from a stream of its own for each step and conditioner."""
        observed = values[places[:, :-1]]
        if not perturbs(conditioner):
            return np.ascontiguousarray(observed, dtype=np.float32)
        seed, step, index = stream
        rng = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, index, step]))
        others, _ = self._reached(*self._located(self._drawn(rng, 1)[0]))
        return np.ascontiguousarray(conditioner.perturb(observed, values[others[:, :-1]], rng), dtype=np.float32)

    def _reached(self, starts: IntArray, ends: IntArray) -> tuple[IntArray, BoolArray]:
        """Every token's place in windows that start there, one further than they are long, and which are inside."""
        places = starts[:, None] + self._reach
        inside = places < ends[:, None]
        return np.where(inside, places, ends[:, None] - 1), inside


def perturbs(conditioner: Conditioner) -> bool:
    """Whether training sees other numbers than the conditioner observed."""
    return type(conditioner).perturb is not Conditioner.perturb
