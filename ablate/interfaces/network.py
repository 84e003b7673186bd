"""The network and its inputs: conditioners, models, and models that generate step by step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import torch

    from ablate.arrays import FloatArray
    from ablate.music.performance import Performance


class Conditioner(ABC):
    """An additional input of the network: numbers about the music at each token.

    The data side computes numbers for each token of a training example, and for a row to be generated; the network side
    maps them to the width of the embedding, to which the model adds them.

    Attributes:
        width: number of numbers for each token.
        labels: the labels of a row to be generated, each with its default.
        categories: for labels whose values have names: the names, in order. ``labels.performer = "008"`` in a study
            file then means the position of ``"008"`` among them; no other value is allowed.
    """

    width: int = 1
    labels: Mapping[str, float]
    categories: Mapping[str, Sequence[str]] = MappingProxyType({})

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError with a reason if a row cannot have these ``labels`` (defaults filled in)."""
        del labels

    def check_examples(self, performances: Sequence[Performance]) -> None:
        """Raise ValueError with a reason if the training set as a whole is unsuitable.

        For problems that a single performance does not show, and for labels that all performances must have.
        """
        del performances

    @abstractmethod
    def from_performance(self, performance: Performance, times: FloatArray) -> FloatArray:
        """Return the numbers of a training example, float32 [time, width].

        Args:
            performance: the example, encoded and decoded, with its labels and name.
            times: the clock in seconds at each token, [time].
        """

    @abstractmethod
    def from_labels(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """Return the numbers of a row to be generated with these labels (defaults filled in), float32 [time, width].

        ``times`` is the clock at each token, [time]; while a row is generated, time is 1.
        """

    def from_labels_batched(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """Return :meth:`from_labels` for many rows that are generated together, one token at each call.

        Args:
            labels: of each row, defaults filled in.

        Returns:
            A function from the clock at each row's next token, float64 [rows], to float32 [rows, width].

        The default calls :meth:`from_labels` for one row after another at every step of a generation; override it if
        all rows can be computed at once.
        """
        import numpy as np

        return lambda times: np.concatenate([self.from_labels(row, times[i : i + 1]) for i, row in enumerate(labels)])

    def perturb(self, values: FloatArray, others: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Change the numbers of the windows of a training step, [rows, time, width]; the default changes nothing.

        For conditioners that train on noise, or on dropped or shuffled labels.

        Args:
            values: the windows' own numbers, from :meth:`from_performance`.
            others: the numbers of other windows, of the same shape, each drawn in the same way as its row's own window:
                they have the same distribution, but no relation to the tokens of these windows.
            rng: the training's random stream for labels.
        """
        del others, rng
        return values

    @abstractmethod
    def module(self, embedding: int) -> torch.nn.Module:
        """Return the network side: a module from [rows, time, width] to [rows, time, embedding]."""


class LanguageModel(Protocol):
    """The result of a model's ``build``: a ``torch.nn.Module`` with this ``forward``.

    Causal: the logits at time t depend only on tokens up to t.

    A model may also be a subclass of :class:`Steppable`, to generate faster on a CPU, and of
    :class:`~ablate.interfaces.fusion.Fusible`, to be trained together with others on a GPU.
    """

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        """Predict the next token at every position.

        Args:
            tokens: int64 [rows, time].
            conditions: for each conditioner, in the order of ``build``, float32 [rows, time, width].
            state: the state from an earlier call, to continue its rows; None at the start of a sequence.

        Returns:
            logits [rows, time, vocabulary], and the state after the last token: a tensor, or a (nested) tuple of
            tensors, with rows in dimension 1 (recurrent states, ``[layers, rows, hidden]``), or any object that only
            the model itself uses.
        """
        ...


class Steppable(ABC):
    """A base class of models that generate on a CPU with a stepper instead of ``forward``."""

    @abstractmethod
    def stepper(self, precision: str) -> Stepper:
        """Return a stepper with the present weights of the model, whose products are in ``"bf16"`` or ``"fp32"``.

        A row's logits must not depend on the other rows. They may depend on the number of rows through rounding only,
        and then already at the first step.
        """


class Stepper(Protocol):
    """A trained network that reads one token of every row at a time, on the CPU."""

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        """Return the logits of each row's next token, float32 [rows, vocabulary], and the state after this one.

        Args:
            tokens: int64 [rows].
            conditions: for each conditioner, float32 [rows, width].
            state: the state from the call before, which may be overwritten; None at the start.
        """
        ...
