"""The training loop of fused models: models of equal shape, trained as one network.

Each weight of all models is one tensor [models, ...], and each matrix product is one product for all models, so that
the work fills a GPU which a single small network leaves idle. Losses, gradients, gradient norms, updates and learning
rates are separate for each model; nothing is added up over models, so a model that diverges does not change the others.
A whole step is recorded as one CUDA graph (Gray, *Getting started with CUDA graphs*, 2019); with several batches in a
step, a batch and the update are one each. The idea is horizontally
fused training (Wang et al., MLSys 2021).
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import torch

from ablate.engine.fusion.steps import FusedSteps
from ablate.engine.fusion.validation import BestWeights, validation_losses
from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingResult
from ablate.engine.training.start import count_product_weights, save_checkpoint
from ablate.engine.training.validation import is_due
from ablate.fusion import NoRandomness, fused_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.engine.training.start import TrainingStart
    from ablate.engine.training.windows import Batch
    from ablate.errors import TrainingDiverged
    from ablate.interfaces import FusedModels

#: Largest share of the time that may be spent on checkpoints; those of fused models are as large as all their models.
CHECKPOINT_SHARE = 0.1


class FusedTrainer:
    """A training of fused models.

    A model that validation has ended is updated further, but its result and its checkpoint stay as they were then.

    Args:
        starts: the state in which each training begins; of one :func:`~ablate.engine.fusion.eligibility.fusion_groups`
            group.
        device: a torch device.

    Attributes:
        weights: of all models by name, float32 [models, ...].
    """

    def __init__(self, starts: Sequence[TrainingStart], device: torch.device) -> None:
        self._starts, self._jobs = starts, [start.job for start in starts]
        self._settings, self._device = self._jobs[0].settings, device
        models, settings = [start.model for start in starts], [job.settings for job in self._jobs]
        self._network: FusedModels = models[0].fuse(models, self._settings.precision)
        self.weights = fused_weights(models, device)
        self._steps = FusedSteps(self._network, self.weights, starts, device)
        self._best = BestWeights(self.weights, starts) if any(each.keep == "best" for each in settings) else None
        self._states = [start.state.copy() for start in starts]
        self._losses_ms = torch.stack([start.state.losses for start in starts])
        self._step = starts[0].step
        self._ended: dict[int, TrainingResult | TrainingDiverged] = {}

    def train(
        self, on_progress: Callable[[int, Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> list[TrainingResult | TrainingDiverged]:
        """Train all models to their ends, or until ``should_stop`` returns true; return a result or error for each."""
        saved, steps = time.monotonic(), self._settings.steps
        self._end_exhausted()
        while self._step < steps and len(self._ended) < len(self._jobs):
            begin, first = time.monotonic(), self._step
            count = self._steps_to_next_check()
            self._step += self._steps.run(first, count, should_stop)
            is_stopped = self._step < first + count
            self._check_losses(first)
            steps_per_second = (self._step - first) / max(time.monotonic() - begin, 1e-9)
            reporting = [m for m in range(len(self._jobs)) if m not in self._ended]
            if not is_stopped and is_due(self._step, steps, self._settings.validate_every):
                self._validate()
            if self._step > first:  # a stop may come before the first of these steps
                self._report(on_progress, reporting, steps_per_second)
            if is_stopped:
                break
            begin = time.monotonic()
            # a checkpoint after the last step would be useless
            if self._step < steps and begin - saved >= checkpoint_seconds:
                self._save()
                saved = time.monotonic()
                checkpoint_seconds = max(checkpoint_seconds, (saved - begin) / CHECKPOINT_SHARE)
        finished = self._step == steps
        if not finished:
            self._save()
        return [self._ended.get(m) or self._result(m, finished=finished) for m in range(len(self._jobs))]

    def _steps_to_next_check(self) -> int:
        """Return the number of steps up to the next check of the losses, the next validation, or the end."""
        periods = [every for every in (CHECK_EVERY, self._settings.validate_every) if every]
        return min(*(every - self._step % every for every in periods), self._settings.steps - self._step)

    def _check_losses(self, first: int) -> None:
        """Read the losses from step ``first`` on, and give up models with an invalid loss."""
        recent_ms = self._steps.losses(self._step - first)
        self._losses_ms[:, first : self._step] = recent_ms
        for m in range(len(self._jobs)):
            invalid = torch.nonzero(~torch.isfinite(recent_ms[m]))
            if len(invalid) and m not in self._ended:
                step = first + int(invalid[0])
                problem = f"the training loss is {float(self._losses_ms[m, step])} at step {step + 1}"
                self._ended[m] = self._jobs[m].divergence(problem, step)

    def _report(
        self, on_progress: Callable[[int, Progress], None], reporting: Sequence[int], steps_per_second: float
    ) -> None:
        """Report the last step of these models."""
        for m in reporting:
            progress = Progress(
                self._step,
                self._settings.steps,
                float(self._losses_ms[m, self._step - 1]),
                steps_per_second * len(self._jobs) * self._tokens_per_step(),
                tokens_seen=self._step * self._tokens_per_step(),
                validation=self._states[m].history.latest,
                is_last=m in self._ended or self._step == self._settings.steps,
                together=len(self._jobs),
                reported=len(reporting),
            )
            on_progress(m, progress)

    def _tokens_per_step(self) -> int:
        return self._starts[0].windows.rows * self._settings.window * self._settings.accumulate

    def _measured(self) -> dict[str, torch.Tensor]:
        """Return the weights that are validated and kept: the averages, if there are any."""
        average = self._steps.average
        return average.tensors if average else self.weights

    def _validate(self) -> None:
        """Validate all models, keep the best weights, and end the models that have run out of patience."""
        weights, random = self._measured(), NoRandomness(self._device)

        def logits(batch: Batch) -> torch.Tensor:
            return self._network(weights, batch.tokens, batch.conditions, random)

        windows = [start.validation for start in self._starts if start.validation is not None]
        for m, loss in enumerate(validation_losses(windows, logits, self._device)):
            if m not in self._ended:
                is_best = self._states[m].history.add(self._step, loss)
                if is_best and self._best and self._jobs[m].settings.keep == "best":
                    self._best.keep(m, weights)
        self._end_exhausted()

    def _end_exhausted(self) -> None:
        """Take the results of models that have run out of patience, and write their last checkpoints."""
        for m, job in enumerate(self._jobs):
            if m not in self._ended and self._states[m].history.is_exhausted(job.settings.patience):
                self._save_model(m)
                self._ended[m] = self._result(m, finished=True)

    def _result(self, m: int, *, finished: bool) -> TrainingResult | TrainingDiverged:
        start, history = self._starts[m], self._states[m].history
        keeps_best = self._jobs[m].settings.keep == "best"
        if finished and keeps_best and not history.best:
            return self._jobs[m].divergence(f"no validation loss is a number up to step {self._step}", self._step)
        best = history.best if keeps_best else None
        kept = (
            self._best.of(m) if best and self._best else {name: weight[m] for name, weight in self._measured().items()}
        )
        weights = {name: kept[name].detach().to("cpu", copy=True) for name in self.weights}
        # the last loss was computed before the last update, so it does not show what this update did
        if finished and not all(bool(torch.isfinite(weight).all()) for weight in weights.values()):
            return self._jobs[m].divergence(f"a weight is no longer a number after step {self._step}", self._step)
        return TrainingResult(
            weights=weights,
            losses=self._losses_ms[m, : self._step].tolist(),
            parameters=sum(weight.numel() for weight in weights.values()),
            product_weights=count_product_weights(start.model),
            tokens_seen=self._step * self._tokens_per_step(),
            finished=finished,
            kept_step=best[0] if best else self._step,
            validation=tuple(history.losses),
            together=len(self._jobs),
        )

    def _save(self) -> None:
        for m in range(len(self._jobs)):
            if m not in self._ended:
                self._save_model(m)

    def _save_model(self, m: int) -> None:
        average = self._steps.average if self._jobs[m].settings.ema else None
        state = dataclasses.replace(
            self._states[m],
            step=self._step,
            losses=self._losses_ms[m],
            optimizer=self._steps.updates.state(m),
            average={name: tensor[m] for name, tensor in average.tensors.items()} if average else {},
            best=self._best.of(m) if self._best else {},
        )
        save_checkpoint(self._jobs[m], {name: weight[m] for name, weight in self.weights.items()}, state)
