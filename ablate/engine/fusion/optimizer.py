"""Adam and gradient clipping for fused models: each model has its own learning rate and its own gradient norm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.engine.training.start import TrainingStart


class FusedAdam:
    """torch's Adam, applied to each model's part of the fused weights with the model's learning rate.

    Args:
        weights: all models' weights by name, float32 [models, ...].
        starts: of the models' trainings.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], starts: Sequence[TrainingStart]) -> None:
        self._weights_of = [[weight.detach()[m] for weight in weights.values()] for m in range(len(starts))]
        device = next(iter(weights.values())).device
        self._schedules: dict[tuple[float, ...], tuple[TrainingStart, list[torch.Tensor]]] = {}
        for start, parts in zip(starts, self._weights_of, strict=True):
            settings = start.job.settings
            schedule = (settings.learning_rate, settings.decay, settings.decay_every)
            self._schedules.setdefault(schedule, (start, []))[1].extend(parts)
        is_gpu = device.type == "cuda"
        # a recorded step reads its learning rates from tensors; the kernel on a GPU takes them in float32
        dtype = torch.float32 if is_gpu else torch.float64
        groups = [
            {"params": parts, "lr": torch.zeros((), dtype=dtype, device=device)}
            for _, parts in self._schedules.values()
        ]
        self._adam = torch.optim.Adam(groups, fused=True, capturable=is_gpu)
        self._rates: list[float] = [float("nan")] * len(groups)
        for start, parts in zip(starts, self._weights_of, strict=True):
            for index, state in start.optimizer.items():
                self._adam.state[parts[index]] = {key: tensor.to(device, copy=True) for key, tensor in state.items()}

    def set_rates(self, step: int) -> None:
        """Set the learning rates of a step, counted from 0."""
        for index, (start, _) in enumerate(self._schedules.values()):
            rate = start.job.learning_rate(step)
            if rate != self._rates[index]:
                self._rates[index] = rate
                self._adam.param_groups[index]["lr"].fill_(rate)

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Update the weights of all models; ``gradients`` are [models, ...] in the order of the weights."""
        # fused Adam needs the memory layout of the weight; the gradient of a transposed weight has another one
        contiguous = [gradient.contiguous() for gradient in gradients]
        for m, parts in enumerate(self._weights_of):
            for weight, gradient in zip(parts, contiguous, strict=True):
                weight.grad = gradient[m]
        self._adam.step()

    def tensors(self, model: int) -> dict[str, torch.Tensor]:
        """Return a model's state as named tensors, see :func:`~ablate.engine.checkpoint.optimizer_tensors`."""
        states = [self._adam.state[weight] for weight in self._weights_of[model]]
        return {f"{index}.{key}": tensor for index, state in enumerate(states) for key, tensor in state.items()}


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
