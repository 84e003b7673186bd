"""Optimizers and learning-rate schedules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from ablate.arrays import FloatArray


class WeightGroup(TypedDict):
    """Weights that an optimizer updates with the same settings: a parameter group of ``torch.optim``.

    Attributes:
        params: the weights.
        lr: the learning rate: ``training.learning_rate``, or on a GPU, for models that are trained as one, a tensor of
            one number that changes from step to step.
        weight_decay: ``training.weight_decay``, or 0 for biases, norms and embeddings.
        hidden: for each of ``params``, whether it is a matrix between hidden layers: at least two dimensions, not of a
            norm or an embedding, and not of the layer that predicts the token.
    """

    params: list[torch.Tensor]
    lr: float | torch.Tensor
    weight_decay: float
    hidden: list[bool]


class Optimizer(ABC):
    """A rule that updates the weights of a model from their gradients.

    Attributes:
        fusible: whether it can update models that are trained as one on a GPU. Its ``step`` then runs on the device
            alone, so that it can be recorded as a CUDA graph, and it accepts a tensor as the learning rate. Models of
            an optimizer that is not fusible are trained one by one.
    """

    fusible: bool = False

    @abstractmethod
    def build(self, groups: Sequence[WeightGroup]) -> torch.optim.Optimizer | Sequence[torch.optim.Optimizer]:
        """Return torch's optimizer of these weights, or several optimizers that have each weight once together.

        The engine sets the learning rate of every step. A group whose ``lr`` is a number may get another one here: it
        then keeps its ratio to ``training.learning_rate``.
        """


class Schedule(ABC):
    """The learning rate of every step of a training."""

    @abstractmethod
    def rates(self, learning_rate: float, steps: int) -> FloatArray:
        """Return the learning rate of each step, float64 [steps], finite and at least 0.

        It depends on its arguments alone, so a training that is resumed needs only the number of its step.
        :func:`ablate.scheduler_rates` computes it from any scheduler of torch.

        Args:
            learning_rate: ``training.learning_rate``, above 0.
            steps: the number of steps of the whole training, at least 1.
        """


def scheduler_rates(
    build: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler], learning_rate: float, steps: int
) -> FloatArray:
    """Return the learning rates that a scheduler of torch sets, float64 [steps], by stepping it without a model.

    Args:
        build: returns the scheduler of an optimizer. Schedulers that also change a momentum are not supported: in
            ``OneCycleLR`` set ``cycle_momentum=False``.
        learning_rate: that of the optimizer at the start.
        steps: the number of rates.
    """
    import numpy as np
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], learning_rate)
    scheduler = build(optimizer)
    optimizer.step()  # once, because a scheduler warns without it; one for each rate would take most of the time
    rates = np.empty(steps)
    for step in range(steps):
        rates[step] = float(optimizer.param_groups[0]["lr"])
        if step + 1 < steps:  # OneCycleLR counts its steps
            scheduler.step()
    return rates
