"""Validation: the loss on examples that are not trained on, its history, and when it ends a training."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ablate.engine.training.windows import IGNORED, Batch, Examples, inputs_and_targets, token_indices
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ablate.engine.training.windows import Example

#: The fewest windows that are validated at once; more if a batch of the training has more.
FEWEST_ROWS = 8


class ValidationWindows:
    """All tokens of the validation examples, in windows that follow each other.

    Every token except the first of an example is a target once. A network begins each window without a state, as in
    training.

    Args:
        examples: the validation examples.
        window: the number of tokens of a window.
        rows: the number of windows of a batch.

    Attributes:
        batches: the number of batches.

    Raises:
        StageError: no example has two tokens.
    """

    def __init__(self, examples: Sequence[Example] | Examples, window: int, rows: int) -> None:
        joined = examples if isinstance(examples, Examples) else Examples.joined(examples)
        self._tokens, self._conditions, self._rows = joined.tokens, joined.conditions, rows
        ends_n = np.cumsum(joined.counts)
        first_n = ends_n - joined.counts
        spans = [(np.arange(a, b - 1, window), b) for a, b in zip(first_n, ends_n, strict=True) if b - a > 1]
        if not spans:
            raise StageError("nothing to validate on: no validation example has two tokens")
        self._starts_n = np.concatenate([starts for starts, _ in spans])
        self._ends_n = np.concatenate([np.full(len(starts), end) for starts, end in spans])
        self._offsets_t = np.arange(window + 1)
        self.batches = math.ceil(len(self._starts_n) / rows)

    def batch(self, number: int, *, full: bool = False) -> Batch:
        """Return one batch; the last one may have fewer rows.

        Args:
            number: counted from 0; beyond the last batch, a batch without targets.
            full: whether to fill it up with rows without targets.
        """
        part = slice(number * self._rows, (number + 1) * self._rows)
        starts_r, ends_r = self._starts_n[part], self._ends_n[part]
        if full:
            missing = self._rows - len(starts_r)
            last = self._ends_n[-1]
            starts_r = np.append(starts_r, np.full(missing, last - 1))
            ends_r = np.append(ends_r, np.full(missing, last))
        indices_rt, inside_rt = token_indices(starts_r, ends_r, self._offsets_t)
        conditions = [
            torch.from_numpy(np.ascontiguousarray(values_nf[indices_rt[:, :-1]], dtype=np.float32))
            for values_nf in self._conditions
        ]
        return Batch(*inputs_and_targets(self._tokens, indices_rt, inside_rt), conditions)

    def __iter__(self) -> Iterator[Batch]:
        """Yield every batch."""
        return (self.batch(number) for number in range(self.batches))


def mean_loss(windows: ValidationWindows, logits: Callable[[Batch], torch.Tensor]) -> float:
    """Return the mean cross entropy over all targets, in nats per token.

    Args:
        windows: those of the validation examples.
        logits: returns the logits of a batch, [rows, time, vocabulary].
    """
    total, count = 0.0, 0
    for batch in windows:
        logits_nv = logits(batch).float().flatten(0, 1)
        targets_n = batch.targets.to(logits_nv.device).flatten()
        losses_n = functional.cross_entropy(logits_nv, targets_n, ignore_index=IGNORED, reduction="none")
        total += float(losses_n.double().sum())
        count += int((batch.targets != IGNORED).sum())
    return total / count


@dataclasses.dataclass
class History:
    """The validations of a training so far.

    Attributes:
        losses: as (steps done, nats per token), in order.
    """

    losses: list[tuple[int, float]] = dataclasses.field(default_factory=list)

    @property
    def best(self) -> tuple[int, float] | None:
        """The first validation with the smallest loss; None if there is no number among the losses."""
        numbers = [each for each in self.losses if math.isfinite(each[1])]
        return min(numbers, key=lambda each: each[1]) if numbers else None

    @property
    def latest(self) -> tuple[int, float] | None:
        """The latest validation; None before the first."""
        return self.losses[-1] if self.losses else None

    def add(self, step: int, loss: float) -> bool:
        """Add a validation, and return whether its loss is the smallest so far."""
        self.losses.append((step, loss))
        return self.best == (step, loss)

    def is_exhausted(self, patience: int) -> bool:
        """Return whether this many validations in a row brought no smaller loss; never for a patience of 0."""
        if not patience:
            return False
        best = self.best
        return sum(step > best[0] for step, _ in self.losses) >= patience if best else len(self.losses) >= patience

    def tensor(self) -> torch.Tensor:
        """Return the history as float64 [validations, 2]."""
        return torch.tensor(self.losses, dtype=torch.float64).reshape(-1, 2)

    @classmethod
    def of(cls, rows: torch.Tensor) -> History:
        """Return the history that :meth:`tensor` returned."""
        return cls([(int(step), float(loss)) for step, loss in rows])


def is_due(step: int, steps: int, every: int) -> bool:
    """Return whether a validation follows this number of steps: after every ``every`` steps, and after the last one."""
    return every > 0 and (step % every == 0 or step == steps)
