"""An exponential moving average of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping


def average_factor(decay: float, step: int) -> float:
    """Return the factor of the newest weights in their average after a number of steps, above 0 and at most 1.

    The average after step n is the mean of the weights after steps 1 to n, each with the weight ``decay ** (n - i)``
    (Kingma and Ba, *Adam*, 2015, section 7.2): the initial weights are no part of it, and a short training needs no
    smaller decay.

    Args:
        decay: at least 0 and below 1; 0 gives the newest weights alone.
        step: number of steps done, at least 1.
    """
    return (1 - decay) / (1 - decay**step)


class WeightAverage:
    """The average of the weights of one model.

    Args:
        weights: by name.
        decay: of the average, above 0 and below 1.
        average: the average so far by name; empty before the first step.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], decay: float, average: Mapping[str, torch.Tensor]) -> None:
        self._weights, self._decay = weights, decay
        self.tensors = {
            name: average.get(name, weight.detach()).to(weight.device, copy=True) for name, weight in weights.items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Add the weights after this number of steps."""
        factor = average_factor(self._decay, step)
        for name, weight in self._weights.items():
            self.tensors[name].lerp_(weight, factor)
