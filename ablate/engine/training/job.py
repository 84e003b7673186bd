"""What a training is given, where it begins, and what comes of it.

A checkpoint saves time and holds no result: one that cannot be used (damaged on disk, or of a network that has been
edited since) costs the training its head start, which is logged as a warning, and nothing else.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

import torch

from ablate.engine import checkpoint
from ablate.engine.training.windows import Example, Examples, Windows
from ablate.errors import StageError, TrainingDiverged, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ablate.interfaces import Conditioner
    from ablate.settings import TrainingSettings

_log = logging.getLogger(__name__)

#: Steps between two looks at the loss (each look waits for the device).
LOOK_EVERY = 25


@dataclasses.dataclass(frozen=True)
class TrainingSeeds:
    """A member's own random streams, as derived seeds."""

    init: int
    windows: int
    labels: int
    dropout: int


@dataclasses.dataclass(frozen=True)
class TrainingJob:
    """One model to train.

    Attributes:
        build: makes the network (a ``torch.nn.Module`` that is a ``LanguageModel``) from torch's global stream.
        examples: what to learn.
        conditioners: in the order of each example's conditions.
        settings: steps, batch, learning rate; ``precision`` must be resolved (not ``auto``).
        seeds: its random streams.
        checkpoint: where it keeps its progress; None keeps none.
    """

    build: Callable[[], Any]
    examples: Sequence[Example] | Examples
    conditioners: Sequence[Conditioner]
    settings: TrainingSettings
    seeds: TrainingSeeds
    checkpoint: Path | None = None

    def learning_rate(self, step: int) -> float:
        """That of a step, counted from 0."""
        settings = self.settings
        return settings.learning_rate * settings.decay ** (step // settings.decay_every)

    def dropout_seed(self, step: int) -> int:
        """Of what a step draws for dropout and initial states."""
        return (self.seeds.dropout + step) % 2**63

    def diverged(self, what: str, step: int) -> TrainingDiverged:
        """The error to give for this member; ``step`` is how many of its updates came before."""
        advice = f"try a smaller training.learning_rate (now {self.settings.learning_rate:g})"
        if not step:
            advice = "no weight has moved yet, so the model itself or what a conditioner tells it is at fault"
        return TrainingDiverged(f"{what} of {self.settings.steps}; {advice}")


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """One member's result.

    Attributes:
        weights: on the CPU.
        losses: of every step, in nats per token.
        parameters: how many numbers were trained.
        multiplied: how many of them are weights of matrix products: all matrices but embeddings.
        tokens_seen: positions in all windows so far, padding included.
        finished: whether all steps are done.
        together: how many members were trained as one with it, itself included.
    """

    weights: dict[str, torch.Tensor]
    losses: list[float]
    parameters: int
    multiplied: int
    tokens_seen: int
    finished: bool
    together: int = 1


@dataclasses.dataclass(frozen=True)
class Progress:
    """One line of news: steps done of all, the last loss, tokens a second of the ``together`` trained as one."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    together: int = 1


@dataclasses.dataclass(frozen=True)
class Start:
    """Where a member's training begins: before its first step, or where its checkpoint left it. On the CPU.

    Attributes:
        member: whose.
        windows: what it learns from.
        model: with its weights.
        step: how many are done.
        losses: of all steps, float32; those to come are 0.
        optimizer: its state by the places of the network's parameters; empty before the first step.
    """

    member: TrainingJob
    windows: Windows
    model: Any
    step: int
    losses: torch.Tensor
    optimizer: Mapping[int, Mapping[str, torch.Tensor]]


def start(member: TrainingJob) -> Start:
    """Build a member's network and read its checkpoint, if there is one; uses torch's global stream."""
    if member.settings.precision == "auto":
        raise ValueError("precision must be resolved for the device before training")
    windows = Windows(member.examples, member.settings, member.seeds.windows)
    path = member.checkpoint
    if path and path.exists():
        try:
            return _restored(member, windows, path)
        except (StageError, KeyError, RuntimeError, ValueError) as error:
            reason = one_line(error)
            _log.warning("checkpoint %s cannot be used, training begins anew: %s", path, reason)
    return Start(member, windows, _built(member), 0, torch.zeros(member.settings.steps), {})


def _built(member: TrainingJob) -> Any:
    torch.default_generator.manual_seed(member.seeds.init)
    return member.build().train()


def _restored(member: TrainingJob, windows: Windows, path: Path) -> Start:
    tensors, facts = checkpoint.load_tensors(path)
    parts: dict[str, dict[str, torch.Tensor]] = {"model": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    model = _built(member)
    model.load_state_dict(parts["model"])
    losses = torch.zeros(member.settings.steps).copy_(tensors["losses"])
    state = checkpoint.optimizer_state(parts["optimizer"])
    return Start(member, windows, model, int(facts["step"]), losses, state)


def save(
    member: TrainingJob,
    step: int,
    losses: torch.Tensor,
    weights: Mapping[str, torch.Tensor],
    optimizer: Mapping[str, torch.Tensor],
) -> None:
    """Write what :func:`start` reads, if the member keeps its progress."""
    if member.checkpoint is None:
        return
    tensors = {f"model.{name}": tensor for name, tensor in weights.items()}
    tensors |= {f"optimizer.{name}": tensor for name, tensor in optimizer.items()}
    checkpoint.save_tensors(member.checkpoint, {**tensors, "losses": losses}, {"step": step})


def multiplied(model: torch.nn.Module) -> int:
    """How many of a network's numbers are weights of matrix products."""
    return sum(
        weight.numel()
        for module in model.modules()
        if not isinstance(module, torch.nn.Embedding)
        for weight in module.parameters(recurse=False)
        if weight.dim() > 1
    )
