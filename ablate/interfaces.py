"""What a component does: the objects that a plugin's ``build`` functions return.

Shapes are written in names: ``rows`` are sequences in a batch, ``time`` counts tokens, ``vocabulary`` token ids,
``features`` the numbers a conditioner gives for one token. Data-side arrays are NumPy, network-side ones torch.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import torch

    from ablate.arrays import BoolArray, FloatArray, IntArray
    from ablate.music.performance import Performance

Direction = Literal["lower", "higher", "none"]


class Tokenizer(ABC):
    """Turns performances into token ids and back.

    Attributes:
        vocabulary: one word for each token id, unique (``"note_on 60"``).
        start_token: the id that stands before the first token when nothing is given to continue.
    """

    vocabulary: tuple[str, ...]
    start_token: int

    @abstractmethod
    def encode(self, performance: Performance) -> IntArray:
        """Token ids, int64 of shape [time], every id below ``len(vocabulary)``."""

    @abstractmethod
    def decode(self, tokens: IntArray) -> Performance:
        """The performance that *any* sequence of valid ids stands for; never raises for what a model can emit."""

    @abstractmethod
    def times(self, tokens: IntArray) -> FloatArray:
        """The clock in seconds at each token, float64 of shape [time], never decreasing."""

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        """A running clock for ``rows`` sequences that grow by a token each at a time.

        Returns:
            A function of the next token of every row, int64 [rows], that gives the clock in seconds at those tokens,
            float64 [rows]: what :meth:`times` says of the sequences so far. It remembers what it was called with.

        By default it asks :meth:`times` about the whole sequences at every call, which takes longer with every token;
        a tokenizer that can do better should.
        """
        import numpy as np

        known: list[IntArray] = [np.empty(0, np.int64)] * rows

        def advance(tokens: IntArray) -> FloatArray:
            for row, token in enumerate(tokens):
                known[row] = np.append(known[row], token)
            return np.array([self.times(sequence)[-1] for sequence in known], np.float64)

        return advance

    def grammar(self, rows: int) -> Callable[[IntArray], BoolArray] | None:
        """Which tokens may follow, for ``rows`` sequences that grow by a token each at a time; None: any, always.

        Returns:
            A function of the latest token of every row, int64 [rows], that says which tokens may come next, bool
            [rows, vocabulary], at least one in every row. It remembers what it was called with. The first token of a
            sequence is either the start token or the first one of a primer.
        """
        del rows
        return None


class Augmenter(ABC):
    """Makes labelled variations of a performance."""

    @abstractmethod
    def augment(self, performance: Performance, rng: np.random.Generator) -> Sequence[Performance]:
        """The performances to train on in place of ``performance``, each with the labels that describe it.

        ``rng`` is the only source of randomness; it belongs to this performance and replicate.
        """


class Conditioner(ABC):
    """Tells the network something about the music, token by token.

    The data side gives numbers for each token of a training example and for a row to be generated;
    the network side maps them to the width of the embedding, where the model adds them.

    Attributes:
        features: how many numbers for each token.
        labels: the labels that a row to be generated may ask for, each with its default.
        categories: for labels whose values have names: the names, in order. ``labels.performer = "008"`` in a study
            file then means the place of ``"008"`` among them, and only these can be asked for.
    """

    features: int = 1
    labels: Mapping[str, float]
    categories: Mapping[str, Sequence[str]] = MappingProxyType({})

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError, saying what is wrong, if a row cannot ask for ``labels`` (defaults filled in)."""
        del labels

    def check_examples(self, performances: Sequence[Performance]) -> None:
        """Raise ValueError, saying what is wrong, if these performances, all there are to train on, do not do.

        For what one performance alone does not show, and for labels that every one of them must have.
        """
        del performances

    @abstractmethod
    def observe(self, performance: Performance, times: FloatArray) -> FloatArray:
        """Numbers for a training example, float32 of shape [time, features].

        Args:
            performance: the example as its tokens say it (encoded and decoded), with its labels and name.
            times: the clock in seconds at each of its tokens, shape [time].
        """

    @abstractmethod
    def ask(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """Numbers for a row to be generated whose labels are ``labels`` (defaults filled in), [time, features].

        ``times`` holds the clock at each token, shape [time]; while a row is being generated, time is 1.
        """

    def ask_rows(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """What :meth:`ask` says of many rows that are generated together, one token of each at a time.

        Args:
            labels: of each row, defaults filled in.

        Returns:
            A function of the clock at each row's next token, float64 [rows], that gives float32 [rows, features].

        By default it asks for one row after another; a conditioner that can answer for all of them at once should,
        for this is called at every step.
        """
        import numpy as np

        return lambda times: np.concatenate([self.ask(row, times[i : i + 1]) for i, row in enumerate(labels)])

    def disturb(self, observed: FloatArray, others: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Change the numbers of one training step's windows, shape [rows, time, features]; by default not at all.

        For conditioners that train on noise, dropped or shuffled labels or the like.

        Args:
            observed: the windows' own numbers, as :meth:`observe` gave them.
            others: the numbers of other windows, of the same shape, each drawn as its row's own window was: they
                keep the distribution, and have nothing to do with these windows' tokens.
            rng: the training's own stream for labels.
        """
        del others, rng
        return observed

    @abstractmethod
    def module(self, width: int) -> torch.nn.Module:
        """The network side: a module from [rows, time, features] to [rows, time, width]."""


class Stepper(Protocol):
    """A trained network made ready to read one token of every row at a time, on the CPU."""

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        """The logits of each row's next token, float32 [rows, vocabulary], and the state after this one.

        Args:
            tokens: int64 [rows].
            conditions: for each conditioner, float32 [rows, features].
            state: what the call before returned, which is used up; None at the start.
        """
        ...


class Draws(Protocol):
    """Random numbers for a training step of a stack, every member's from a stream of its own."""

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Normal numbers around 0, float32 [members, *shape]; a member whose scale is 0 draws none and gets zeros.

        Args:
            shape: of each member's.
            scales: each member's standard deviation.
        """
        ...

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """``values`` [members, ...] with each member's share of them set to 0, the others scaled up in return.

        Args:
            values: what to drop from.
            shares: one for each member, at least 0 and less than 1.
        """
        ...


class StackedStepper(Protocol):
    """Trained networks of equal shape made ready to read one token of every row of all of them at a time."""

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """The logits of each row's next token, float32 [members, rows, vocabulary], and the state after this one.

        Args:
            tokens: int64 [members, rows].
            conditions: for each conditioner, float32 [members, rows, features].
            state: what the call before returned; None at the start.

        Returns:
            The logits, and the state as tensors whose shapes are the same after every token.
        """
        ...


class Stacked(Protocol):
    """Networks of equal shape as one: what a model's ``stack`` returns.

    It computes for every member what the member's own ``forward`` computes; no member's numbers reach another. On a GPU
    its calls are recorded as CUDA graphs, so none of them waits for the device (``.item()``, a condition on a
    tensor's value) or copies from the host.

    It may also have a method ``stepper(weights)`` that gives a :class:`StackedStepper` of these weights as they are
    then, with which rows of all members are generated together on a GPU.
    """

    def __call__(
        self,
        weights: Mapping[str, torch.Tensor],
        tokens: torch.Tensor,
        conditions: Sequence[torch.Tensor],
        draws: Draws,
    ) -> torch.Tensor:
        """Predict the next token at every position of the members' windows, in training.

        Args:
            weights: all parameters by the names they have in a member's network, float32 [members, ...].
            tokens: int64 [members, rows, time].
            conditions: for each conditioner, float32 [members, rows, time, features].
            draws: the only source of randomness.

        Returns:
            logits [members, rows, time, vocabulary], through which gradients reach the weights.
        """
        ...


class LanguageModel(Protocol):
    """What a model's ``build`` returns: a ``torch.nn.Module`` with this ``forward``.

    Causal: the logits at time t depend on tokens up to t only.

    A model may also have a method ``stepper(precision)``, of ``"bf16"`` or ``"fp32"``, that gives a :class:`Stepper` of
    its weights as they are then. Generation on a CPU steps with it instead of ``forward``, so that a model whose rows
    can be stepped quicker than by one more call of the network need not wait for it. A row's logits must not depend on
    the other rows, and on their number in their rounding at most, which must then do so from the first step on.

    And it may have a method ``stack(models, precision)`` that gives :class:`Stacked`, or None if these cannot be:
    networks of its own class (itself the first) whose parameters have equal names and shapes and which are otherwise
    built with any options, to be trained on a GPU as one in ``"bf16"`` or ``"fp32"``. A model without it is trained as
    it is. :func:`ablate.each_member` applies the conditioners' modules, whose code is not the model's.
    """

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        """Predict the next token at every position.

        Args:
            tokens: int64 [rows, time].
            conditions: for each conditioner, in the order given to ``build``, float32 [rows, time, features].
            state: what an earlier call returned, to continue its rows; None at the start of a sequence.

        Returns:
            logits [rows, time, vocabulary], and the state after the last token: a tensor, or a (nested) tuple of
            tensors, whose rows are dimension 1 (recurrent states, ``[layers, rows, hidden]``) or whatever the model
            itself understands.
        """
        ...


class Sampler(ABC):
    """Reshapes the distribution that the next token of each row is drawn from.

    One object serves all rows of a generation and may keep state between its calls, one call a step.
    """

    @abstractmethod
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """New logits [rows, vocabulary]; ``-inf`` forbids a token, and at least one must stay possible.

        Args:
            logits: float32 [rows, vocabulary], from the model or from the sampler before this one.
            history: int64 [rows, time], the tokens of each row so far (may be empty).
        """


@dataclasses.dataclass(frozen=True)
class Value:
    """One number that a metric gives for one sample.

    Attributes:
        feature: which aspect (``"l1"``); a metric with a single aspect says ``"value"``.
        value: the number itself; finite.
        unit: ``"1"`` for a pure number, otherwise as printed (``"s"``, ``"notes/s"``).
        direction: whether ``"lower"`` or ``"higher"`` is better, or ``"none"``.
        n: how many observations it rests on (for a histogram distance: the sample's notes).
    """

    feature: str
    value: float
    unit: str
    direction: Direction
    n: int


@dataclasses.dataclass(frozen=True)
class Histogram:
    """A histogram behind a metric, kept so that reports need not compute it again.

    Attributes:
        feature: what is counted (``"pitch"``).
        unit: of the edges (``"MIDI pitch"``, ``"s"``).
        edges: bin edges, increasing, one more than there are bins.
        reference: counts in each bin for the reference.
        generated: counts in each bin for the sample.
    """

    feature: str
    unit: str
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    generated: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a metric says of one generated sample."""

    values: tuple[Value, ...]
    histograms: tuple[Histogram, ...] = ()


class Metric(ABC):
    """Puts numbers on a generated sample, read against the reference performances."""

    @abstractmethod
    def measure(self, generated: Performance, reference: Sequence[Performance]) -> Measured:
        """Measure one sample with at least one note against the corpus as it was read.

        A sample that continues a primer comes without it, its first new token at time 0, unless the study says
        ``measure.primer = true``. Its labels are what it was asked for. The reference leaves out held-out pieces.
        """


class ModelMetric(ABC):
    """Puts numbers on a trained model itself, without generating anything."""

    @abstractmethod
    def measure(
        self,
        score: Callable[[Performance], FloatArray],
        reference: Sequence[Performance],
        held_out: Sequence[Performance],
    ) -> Measured:
        """Measure one trained model.

        Args:
            score: the negative log-likelihood in nats of each token of a performance but the first, given those
                before it, float64 of shape [time - 1]; the conditioners observe the performance as in training.
            reference: the pieces that the model learned from, as they were read, before any augmenter.
            held_out: the pieces that it did not see; empty where the study splits nothing off.
        """


class Corpus(ABC):
    """A named set of performances.

    Attributes:
        problems: what the last ``load`` found odd or left out, one line each; the study's report shows them.
    """

    problems: tuple[str, ...] = ()

    @abstractmethod
    def identity(self) -> str:
        """A text that changes whenever the performances would (for files: a digest of their contents)."""

    @abstractmethod
    def load(self) -> Sequence[Performance]:
        """The performances, at least one, each with at least one note.

        Raises:
            CorpusError: naming the file that cannot be used.
        """
