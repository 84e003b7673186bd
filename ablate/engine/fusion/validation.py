"""Validation of fused models, the average of their weights, and the best weights of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ablate.engine.training.average import average_factor
from ablate.engine.training.windows import IGNORED, Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.engine.training.start import TrainingStart
    from ablate.engine.training.validation import ValidationWindows


class FusedAverage:
    """The moving averages of the weights of all models; that of a model without one equals its weights.

    Args:
        weights: of all models by name, [models, ...] each.
        starts: of the models' trainings.

    Attributes:
        tensors: the averages by name, [models, ...] each.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], starts: Sequence[TrainingStart]) -> None:
        self._weights, self._decays = weights, [start.job.settings.ema for start in starts]
        self.tensors = {name: weight.detach().clone() for name, weight in weights.items()}
        for m, start in enumerate(starts):
            for name, average in start.state.average.items():
                self.tensors[name][m].copy_(average)
        self._factor_m = torch.zeros(len(starts), device=next(iter(weights.values())).device)

    def prepare(self, step: int) -> None:
        """Set the factors of a step, counted from 0."""
        factors = [average_factor(decay, step + 1) for decay in self._decays]
        self._factor_m.copy_(torch.tensor(factors))

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights after the step that was prepared; needs nothing from the host."""
        for name, weight in self._weights.items():
            self.tensors[name].lerp_(weight, self._factor_m.view(-1, *[1] * (weight.dim() - 1)))


class BestWeights:
    """The weights of each model with its smallest validation loss.

    Args:
        weights: of all models by name, [models, ...] each.
        starts: of the models' trainings.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], starts: Sequence[TrainingStart]) -> None:
        self._tensors = {name: weight.detach().clone() for name, weight in weights.items()}
        self._present = [bool(start.state.best) for start in starts]
        for m, start in enumerate(starts):
            for name, best in start.state.best.items():
                self._tensors[name][m].copy_(best)

    def keep(self, model: int, weights: Mapping[str, torch.Tensor]) -> None:
        """Keep the present weights of a model."""
        self._present[model] = True
        for name, weight in weights.items():
            self._tensors[name][model].copy_(weight.detach()[model])

    def of(self, model: int) -> dict[str, torch.Tensor]:
        """Return the best weights of a model by name; empty if it has none."""
        return {name: tensor[model] for name, tensor in self._tensors.items()} if self._present[model] else {}


@torch.no_grad()
def validation_losses(
    windows: Sequence[ValidationWindows], logits: Callable[[Batch], torch.Tensor], device: torch.device
) -> list[float]:
    """Return the mean cross entropy of each model over all its validation targets, in nats per token.

    Args:
        windows: those of each model, with the same number of rows.
        logits: returns the logits of a batch of all models, [models, rows, time, vocabulary].
        device: a torch device.
    """
    losses_m = torch.zeros(len(windows), dtype=torch.float64, device=device)
    counts_m = torch.zeros(len(windows), dtype=torch.int64, device=device)
    for number in range(max(each.batches for each in windows)):
        batches = [each.batch(number, full=True) for each in windows]
        tokens_mrt, targets_mrt = (
            torch.stack([getattr(batch, name) for batch in batches]).to(device) for name in ("tokens", "targets")
        )
        conditions = [torch.stack(v).to(device) for v in zip(*(batch.conditions for batch in batches), strict=True)]
        logits_nv = logits(Batch(tokens_mrt, targets_mrt, conditions)).float().flatten(0, 2)
        losses_n = functional.cross_entropy(logits_nv, targets_mrt.flatten(), ignore_index=IGNORED, reduction="none")
        losses_m += losses_n.view(len(windows), -1).double().sum(1)
        counts_m += (targets_mrt != IGNORED).flatten(1).sum(1)
    return [float(loss) for loss in (losses_m / counts_m).cpu()]
