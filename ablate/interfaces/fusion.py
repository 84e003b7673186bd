"""Several networks of equal shape run as one, to use a GPU well."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch


class RandomStreams(Protocol):
    """The random numbers of a training step of fused models, with a separate stream for each model."""

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Return normal numbers around 0, float32 ``[models, *shape]``; a model of scale 0 draws none and gets zeros.

        Args:
            shape: of each model's numbers.
            scales: the standard deviation for each model.
        """
        ...

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """Return ``values`` [models, ...] after dropout, with one rate for each model.

        Args:
            values: the input of the dropout.
            shares: the rate for each model, at least 0 and less than 1.
        """
        ...


class Fusible(ABC):
    """A base class of models that can be fused: several of equal shape are then trained on a GPU as one."""

    @staticmethod
    @abstractmethod
    def fuse(models: Sequence[Any], precision: str) -> FusedModels | None:
        """Return these models as one, or None if they differ in a way that this class cannot fuse.

        Args:
            models: of this class, with parameters of equal names and shapes, and otherwise with any options.
            precision: of the products, ``"bf16"`` or ``"fp32"``.
        """


class FusedModels(ABC):
    """Networks of equal shape as one: the result of a model's ``fuse``.

    It computes for every model the result of the model's own ``forward``; no value of one model may reach another. On a
    GPU its calls are recorded as CUDA graphs, so none of them waits for the device (``.item()``, a condition on a
    tensor's value) or copies from the host. :func:`ablate.apply_each` applies the modules of the conditioners.
    """

    @abstractmethod
    def __call__(
        self,
        weights: Mapping[str, torch.Tensor],
        tokens: torch.Tensor,
        conditions: Sequence[torch.Tensor],
        random: RandomStreams,
    ) -> torch.Tensor:
        """Predict the next token at every position of the models' windows, in training.

        Args:
            weights: all parameters by their names in a single network, float32 [models, ...].
            tokens: int64 [models, rows, time].
            conditions: for each conditioner, float32 [models, rows, time, width].
            random: the only source of randomness.

        Returns:
            logits [models, rows, time, vocabulary], through which gradients reach the weights.
        """

    def stepper(self, weights: Mapping[str, torch.Tensor]) -> FusedStepper | None:
        """Return a stepper with these weights, for generating rows of all models together on a GPU.

        The default, None, means that the models generate one by one.
        """
        del weights
        return None


class FusedStepper(Protocol):
    """Trained networks of equal shape that read one token of every row of every model at a time.

    On a GPU its calls are recorded, so the rules of :class:`FusedModels` hold; what differs from step to step, such as
    a position, is a tensor of the state.
    """

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """Return the logits of each row's next token, float32 [models, rows, vocabulary], and the state after this one.

        Args:
            tokens: int64 [models, rows].
            conditions: for each conditioner, float32 [models, rows, width].
            state: the state from the call before, which may be changed in place; None at the start.

        Returns:
            The logits, and the state as tensors whose shapes are the same after every token. A tensor that was changed
            in place is returned at the index at which it was received, and is not copied; all others are new. So at
            the start all are new: later steps write into them.
        """
        ...
