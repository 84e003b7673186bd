"""Data classes: the job, result and progress of a training."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.blame import about, blaming
from ablate.errors import StageError, TrainingDiverged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import torch

    from ablate.arrays import FloatArray
    from ablate.engine.training.windows import Example, Examples
    from ablate.interfaces import Conditioner, Optimizer, Schedule
    from ablate.settings import TrainingSettings

#: Steps between loss checks (each one synchronises with the device).
CHECK_EVERY = 25


@dataclasses.dataclass(frozen=True)
class TrainingSeeds:
    """The seeds of a training's random streams, as :func:`~ablate.engine.seeding.derive` returns them."""

    init: int
    windows: int
    labels: int
    dropout: int


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The way in which weights are updated. Fused jobs with the same optimizer object are updated together.

    Attributes:
        optimizer: the rule of the updates.
        schedule: the learning rate of every step.
        vocabulary: the number of token ids, by which an optimizer can spare the layer that predicts the token.
    """

    optimizer: Optimizer
    schedule: Schedule
    vocabulary: int


@dataclasses.dataclass(frozen=True)
class TrainingJob:
    """One model to train.

    Attributes:
        build: makes the network (a ``torch.nn.Module`` that is a ``LanguageModel``) with torch's global random stream.
        examples: the training examples.
        conditioners: in the order of each example's conditions.
        settings: steps, batch, learning rate; ``precision`` must be resolved (not ``auto``).
        seeds: of the random streams.
        recipe: the optimizer and the schedule.
        validation: the examples to validate on; needed where ``settings.validate_every`` is set.
        checkpoint: the file for checkpoints; None for no checkpoints.
    """

    build: Callable[[], Any]
    examples: Sequence[Example] | Examples
    conditioners: Sequence[Conditioner]
    settings: TrainingSettings
    seeds: TrainingSeeds
    recipe: Recipe
    checkpoint: Path | None = None
    validation: Sequence[Example] | Examples | None = None

    def rates(self) -> FloatArray:
        """Return the learning rate of every step, float64 [steps].

        Raises:
            StageError: the schedule returns something else.
        """
        schedule, steps = self.recipe.schedule, self.settings.steps
        with blaming(about(schedule)):
            rates_s = np.asarray(schedule.rates(self.settings.learning_rate, steps), np.float64)
        if rates_s.shape != (steps,) or not (np.isfinite(rates_s) & (rates_s >= 0)).all():
            raise StageError(f"{about(schedule)}: rates must return {steps} finite numbers of at least 0")
        return rates_s

    def dropout_seed(self, batch: int) -> int:
        """Return the seed of the dropout and the random initial states of a batch, counted from 0 through all steps."""
        return (self.seeds.dropout + batch) % 2**63

    def divergence(self, problem: str, updates: int) -> TrainingDiverged:
        """Return the error for a loss or a weight that is no longer a number.

        Args:
            problem: what happened, up to the number of the step.
            updates: how many times the weights were updated before.
        """
        advice = f"try a smaller training.learning_rate (now {self.settings.learning_rate:g})"
        if not updates:
            advice = "the loss was already invalid before the first update: check the model and its conditioners"
        return TrainingDiverged(f"{problem} of {self.settings.steps}; {advice}")


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        weights: by name, on the CPU; those that are kept.
        losses: of every step, in nats per token, with label smoothing if there is any.
        parameters: how many numbers were trained.
        product_weights: how many of them are weights of matrix products: all matrices except embeddings.
        tokens_seen: positions in all windows so far, padding included.
        finished: whether all steps are done, or the training ended early.
        kept_step: the number of steps after which the weights are those that are kept.
        validation: the validation losses as (steps done, nats per token), in order; without label smoothing.
        together: how many models were trained together (fused), this one included.
    """

    weights: dict[str, torch.Tensor]
    losses: list[float]
    parameters: int
    product_weights: int
    tokens_seen: int
    finished: bool
    kept_step: int
    validation: tuple[tuple[int, float], ...] = ()
    together: int = 1

    @property
    def validation_loss(self) -> float | None:
        """The validation loss of the weights that are kept; None without one."""
        return dict(self.validation).get(self.kept_step)


@dataclasses.dataclass(frozen=True)
class Progress:
    """A progress update.

    Attributes:
        step: steps done.
        steps: steps of the whole training.
        loss: of the last step, in nats per token.
        tokens_per_second: of all ``together`` models.
        tokens_seen: positions in all windows so far, padding included.
        validation: the latest validation as (steps done, nats per token); None before the first.
        is_last: whether the training has ended.
        together: how many models are trained together (fused), this one included.
        reported: how many of these models report this step, this one included, one after another.
    """

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    tokens_seen: int = 0
    validation: tuple[int, float] | None = None
    is_last: bool = False
    together: int = 1
    reported: int = 1
