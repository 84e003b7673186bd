"""Optimizers and gradient clipping for fused models: each model has its own learning rate and its own gradient norm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ablate.engine.training.updates import Updates
from ablate.engine.training.weights import weight_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.engine.training.start import TrainingStart
    from ablate.engine.training.updates import WeightState
    from ablate.interfaces import WeightGroup


class FusedUpdates:
    """Updates of each model's part of the fused weights, with the model's optimizer, weight decay and learning rate.

    Models with the same optimizer object and the same learning rates are updated by the same calls.

    Args:
        weights: all models' weights by name, float32 [models, ...].
        starts: of the models' trainings.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], starts: Sequence[TrainingStart]) -> None:
        self._parts = [{name: weight.detach()[m] for name, weight in weights.items()} for m in range(len(starts))]
        together: dict[tuple[int, bytes], list[int]] = {}
        for m, start in enumerate(starts):
            together.setdefault((id(start.job.recipe.optimizer), start.rates.tobytes()), []).append(m)
        self._updates: list[tuple[Updates, FloatArray]] = []
        self._updates_of: list[Updates] = [None] * len(starts)  # type: ignore[list-item]
        for models in together.values():
            updates = self._build(models, starts)
            self._updates.append((updates, starts[models[0]].rates))
            for m in models:
                self._updates_of[m] = updates

    def _build(self, models: Sequence[int], starts: Sequence[TrainingStart]) -> Updates:
        """Return the updates of models that have the optimizer and the learning rates in common."""
        first = starts[models[0]]
        device = next(iter(self._parts[0].values())).device
        # a recorded step reads its learning rates from tensors; the kernel on a GPU takes them in float32
        dtype = torch.float32 if device.type == "cuda" else torch.float64
        rate = torch.tensor(first.job.settings.learning_rate, dtype=dtype, device=device)
        groups: dict[float, WeightGroup] = {}
        states: dict[torch.Tensor, WeightState] = {}
        for m in models:
            start, parts = starts[m], list(self._parts[m].values())
            recipe, decay = start.job.recipe, start.job.settings.weight_decay
            for group in weight_groups(start.model, self._parts[m], rate, decay, recipe.vocabulary):
                same = groups.setdefault(group["weight_decay"], {**group, "params": [], "hidden": []})
                same["params"] += group["params"]
                same["hidden"] += group["hidden"]
            states |= {parts[index]: state for index, state in start.state.optimizer.items()}
        updates = Updates(first.job.recipe.optimizer, list(groups.values()))
        if states:
            updates.load(states)
        return updates

    def set_rates(self, step: int) -> None:
        """Set the learning rates of a step, counted from 0."""
        for updates, rates_s in self._updates:
            updates.set_rate(float(rates_s[step]))

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Update the weights of all models; ``gradients`` are [models, ...] in the order of the weights."""
        # fused kernels need the memory layout of the weight; the gradient of a transposed weight has another one
        contiguous = [gradient.contiguous() for gradient in gradients]
        for m, parts in enumerate(self._parts):
            for weight, gradient in zip(parts.values(), contiguous, strict=True):
                weight.grad = gradient[m]
        for updates, _ in self._updates:
            updates.step()

    def state(self, model: int) -> dict[int, WeightState]:
        """Return a model's state, see :meth:`~ablate.engine.training.updates.Updates.state`."""
        return self._updates_of[model].state(list(self._parts[model].values()))


def clip_gradients(gradients: Sequence[torch.Tensor], limits_m: torch.Tensor) -> list[torch.Tensor]:
    """Scale each model's gradients down to the norm that its ``clip`` allows, as ``clip_grad_norm_`` does.

    Args:
        gradients: of all weights, [models, ...] each.
        limits_m: the largest norm for each model, [models]; 0 for any.
    """
    norms = [torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients]
    norm_m = torch.linalg.vector_norm(torch.stack(norms), dim=0)
    scale_m = torch.where(limits_m > 0, (limits_m / (norm_m + 1e-6)).clamp(max=1), 1.0)
    # not in place: if two weights are added, their gradients are one tensor
    return [gradient * scale_m.view(-1, *[1] * (gradient.dim() - 1)) for gradient in gradients]
