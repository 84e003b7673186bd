"""The windows of tokens of each training step, drawn at random from the examples."""

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

#: The target at positions after the end of an example; ``cross_entropy`` leaves them out.
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
    """All examples of a training, joined; the arrays may be mapped from a file instead of being in memory.

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
        """Join single examples."""
        return cls(
            np.concatenate([example.tokens for example in examples]),
            np.array([len(example.tokens) for example in examples], np.int64),
            tuple(np.concatenate(parts) for parts in zip(*(e.conditions for e in examples), strict=True)),
        )

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.counts)


@dataclasses.dataclass(frozen=True)
class Batch:
    """The windows of one batch.

    Attributes:
        tokens: the inputs, int64 [rows, time].
        targets: the next tokens, int64 [rows, time]; :data:`IGNORED` after the end of an example.
        conditions: for each conditioner, float32 [rows, time, width].
    """

    tokens: torch.Tensor
    targets: torch.Tensor
    conditions: list[torch.Tensor]


class Windows:
    """All windows of a training, drawn uniformly over all positions where a window can start.

    All starts are drawn ahead from one random stream, so the windows of a step do not depend on where a training was
    interrupted. A step has ``accumulate`` batches, which are numbered through all steps. An example shorter than a
    window gives one window, padded with :data:`IGNORED` targets; an example of fewer than two tokens has nothing to
    predict and gives none.

    Args:
        examples: the training examples.
        settings: steps, batch, what a batch counts, batches of a step, and the window's length.
        seed: of the windows' random stream.

    Attributes:
        rows: windows in one batch.
        tokens: of all examples, one after another.
        conditions: for each conditioner, float32 [all tokens, width].
        starts: the index in ``tokens`` of each window's first token, int64 [batches, rows].
        ends: the index in ``tokens`` after the last token of each window's example, int64 [batches, rows].

    Raises:
        StageError: no example gives a window.
    """

    def __init__(self, examples: Sequence[Example] | Examples, settings: TrainingSettings, seed: int) -> None:
        window = settings.window
        joined = examples if isinstance(examples, Examples) else Examples.joined(examples)
        self.tokens, lengths_n, self.conditions = joined.tokens, joined.counts, joined.conditions
        ends_n = np.cumsum(lengths_n)
        starts_n = np.where(lengths_n > 1, np.maximum(lengths_n - window, 1), 0)
        if not starts_n.sum():
            raise StageError("nothing to learn: no training example has two tokens")
        # windows are numbered through all examples; an example's windows begin at its number in _first_n
        self._first_n, self._offset_n = np.cumsum(starts_n) - starts_n, ends_n - lengths_n
        self._ends_n = ends_n
        self._low, self._high = self._bounds(starts_n, settings)
        self.rows = settings.batch if isinstance(self._low, int) else len(self._low)
        self.starts, self.ends = self._locate(self._draw(numpy_stream(seed), settings.steps * settings.accumulate))
        self._offsets_t = np.arange(window + 1)

    def _bounds(self, starts_n: IntArray, settings: TrainingSettings) -> tuple[int | IntArray, int | IntArray]:
        """Return the lowest window number of each row, and the number after its highest."""
        if settings.batch_counts == "step":
            return 0, int(starts_n.sum())
        low_r = np.repeat(self._first_n[starts_n > 0], settings.batch)
        return low_r, low_r + np.repeat(starts_n[starts_n > 0], settings.batch)

    def _draw(self, rng: np.random.Generator, batches: int) -> IntArray:
        """Draw window numbers, int64 [batches, rows]."""
        return rng.integers(self._low, self._high, size=(batches, self.rows))

    def _locate(self, numbers: IntArray) -> tuple[IntArray, IntArray]:
        """Return the index of each window's first token, and the end of its example."""
        example = np.searchsorted(self._first_n, numbers, side="right") - 1
        # an example without a window has the number of the next example, and comes before it
        return self._offset_n[example] + numbers - self._first_n[example], self._ends_n[example]

    def targets(self, batches: slice) -> IntArray:
        """Return the number of targets of each of these batches, without those after the end of an example."""
        found_nr = np.minimum(self.ends[batches] - self.starts[batches] - 1, len(self._offsets_t) - 1)
        return np.asarray(found_nr.sum(1))

    def batch(self, number: int, conditioners: Sequence[Conditioner], labels_seed: int) -> Batch:
        """Return the windows of one batch.

        Args:
            number: of the batch, through all steps, counted from 0.
            conditioners: in the order of the examples' conditions.
            labels_seed: of the random stream with which conditioners perturb their numbers.
        """
        indices_rt, inside_rt = token_indices(self.starts[number], self.ends[number], self._offsets_t)
        conditions_rtf = [
            torch.from_numpy(self._condition(conditioner, values_nf, indices_rt, (labels_seed, number, index)))
            for index, (conditioner, values_nf) in enumerate(zip(conditioners, self.conditions, strict=True))
        ]
        return Batch(*inputs_and_targets(self.tokens, indices_rt, inside_rt), conditions_rtf)

    def condition(self, number: int, index: int, conditioner: Conditioner, labels_seed: int) -> FloatArray:
        """Return the numbers of the conditioner of that index in one batch, float32 [rows, time, width]."""
        indices_rt, _ = token_indices(self.starts[number], self.ends[number], self._offsets_t)
        return self._condition(conditioner, self.conditions[index], indices_rt, (labels_seed, number, index))

    def _condition(
        self, conditioner: Conditioner, values_nf: FloatArray, indices_rt: IntArray, stream: tuple[int, int, int]
    ) -> FloatArray:
        """Return a conditioner's numbers, perturbed with a random stream for this seed, batch and conditioner."""
        values_rtf = values_nf[indices_rt[:, :-1]]
        if not perturbs(conditioner):
            return np.ascontiguousarray(values_rtf, dtype=np.float32)
        seed, number, index = stream
        rng = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, index, number]))
        others_rt, _ = token_indices(*self._locate(self._draw(rng, 1)[0]), self._offsets_t)
        others_rtf = values_nf[others_rt[:, :-1]]
        return np.ascontiguousarray(conditioner.perturb(values_rtf, others_rtf, rng), dtype=np.float32)


def token_indices(starts_r: IntArray, ends_r: IntArray, offsets_t: IntArray) -> tuple[IntArray, BoolArray]:
    """Return the index of every token of windows and of the next one, and which of them are in their example.

    Tokens after the example's end have the index of its last token.

    Args:
        starts_r: the index of each window's first token, int64 [rows].
        ends_r: the index after the last token of each window's example, int64 [rows].
        offsets_t: 0 to the length of a window, int64 [time + 1].

    Returns:
        int64 and bool, [rows, time + 1] both.
    """
    indices_rt = starts_r[:, None] + offsets_t
    inside_rt = indices_rt < ends_r[:, None]
    return np.where(inside_rt, indices_rt, ends_r[:, None] - 1), inside_rt


def inputs_and_targets(
    tokens: IntArray, indices_rt: IntArray, inside_rt: BoolArray
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the inputs and the targets of windows, int64 [rows, time] both, from what :func:`token_indices` returns.

    Args:
        tokens: of all examples, one after another.
        indices_rt: of the windows' tokens, and of the next one.
        inside_rt: which of them are in their example; the targets at the others are :data:`IGNORED`.
    """
    tokens_rt = tokens[indices_rt].astype(np.int64)
    targets_rt = np.where(inside_rt[:, 1:], tokens_rt[:, 1:], IGNORED)
    return torch.from_numpy(np.ascontiguousarray(tokens_rt[:, :-1])), torch.from_numpy(targets_rt)


def perturbs(conditioner: Conditioner) -> bool:
    """Check whether a conditioner changes its numbers in training."""
    return type(conditioner).perturb is not Conditioner.perturb
