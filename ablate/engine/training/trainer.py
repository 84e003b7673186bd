"""The training loop of a single model."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ablate.engine.training.average import WeightAverage
from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingResult
from ablate.engine.training.start import TrainingStart, count_product_weights, save_checkpoint
from ablate.engine.training.updates import Updates
from ablate.engine.training.validation import is_due, mean_loss
from ablate.engine.training.weights import weight_groups
from ablate.engine.training.windows import IGNORED, Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Trainer:
    """A training of one model, separate from all others.

    Args:
        start: the state to begin with.
        device: a torch device.
    """

    def __init__(self, start: TrainingStart, device: str) -> None:
        self.job, self.settings, self.windows = start.job, start.job.settings, start.windows
        self.device = torch.device(device)
        self.model = start.model.to(self.device)
        self.weights = dict(self.model.named_parameters())
        self.rates_s = start.rates
        self.updates = self._updates(start)
        self.validation, self.state = start.validation, start.state.copy()
        self.losses_s, self.step = start.state.losses.to(self.device), start.step
        self.best = {name: tensor.to(self.device) for name, tensor in start.state.best.items()}
        decay = self.settings.ema
        self.average = WeightAverage(self.weights, decay, start.state.average) if decay else None

    def _updates(self, start: TrainingStart) -> Updates:
        settings, recipe = self.settings, self.job.recipe
        groups = weight_groups(
            self.model, self.weights, settings.learning_rate, settings.weight_decay, recipe.vocabulary
        )
        updates = Updates(recipe.optimizer, groups)
        if start.state.optimizer:
            weights = list(self.weights.values())
            updates.load({weights[index]: state for index, state in start.state.optimizer.items()})
        return updates

    @property
    def is_over(self) -> bool:
        """True after the last step, or when validation has ended the training."""
        return self.step == self.settings.steps or self.state.history.is_exhausted(self.settings.patience)

    def train(
        self, on_progress: Callable[[Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> TrainingResult:
        """Train to the last step, until validation ends the training, or until ``should_stop`` returns true.

        Raises:
            TrainingDiverged: the loss or a weight is no longer a number.
        """
        saved = checked = time.monotonic()
        checked_step = self.step
        while not self.is_over and not should_stop():
            self._train_step()
            if is_due(self.step, self.settings.steps, self.settings.validate_every):
                checked += self._validate()  # the speed is that of the training alone
            if self.step % CHECK_EVERY == 0 or self.is_over:
                loss, now = self._check_losses(), time.monotonic()
                tokens = (self.step - checked_step) * self._tokens_per_step()
                on_progress(self._progress(loss, tokens / max(now - checked, 1e-9)))
                checked, checked_step = now, self.step
            # a checkpoint after the last step would be useless
            if not self.is_over and time.monotonic() - saved >= checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        if not self.is_over:
            self._save()
        return self._result(finished=self.is_over)

    def _progress(self, loss: float, tokens_per_second: float) -> Progress:
        return Progress(
            self.step,
            self.settings.steps,
            loss,
            tokens_per_second,
            tokens_seen=self.step * self._tokens_per_step(),
            validation=self.state.history.latest,
            is_last=self.is_over,
        )

    def _train_step(self) -> None:
        self.updates.set_rate(float(self.rates_s[self.step]))
        loss = self._gradients()
        if self.settings.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.updates.step()
        self.losses_s[self.step] = loss
        self.step += 1
        if self.average:
            self.average.update(self.step)

    def _gradients(self) -> torch.Tensor:
        """Compute the gradients of a step, and return its loss."""
        parts = self.settings.accumulate
        if parts == 1:  # as a sum of one part, a step of a small network was measured to take 1.5 times the time
            loss = self._loss(self._batch(self.step))
            self.updates.zero_gradients()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss.detach()
        self.updates.zero_gradients()
        numbers = range(self.step * parts, (self.step + 1) * parts)
        targets_p = self.windows.targets(slice(numbers.start, numbers.stop))
        total = torch.zeros((), device=self.device)
        for number, targets in zip(numbers, targets_p, strict=True):
            # the mean over all targets of the step, as of one larger batch
            loss = self._loss(self._batch(number)) * (targets / targets_p.sum())
            loss.backward()
            total += loss.detach()
        return total

    def _batch(self, number: int) -> Batch:
        """Return a batch, and seed the random streams for it."""
        batch = self.windows.batch(number, self.job.conditioners, self.job.seeds.labels)
        seed = self.job.dropout_seed(number)
        # torch.manual_seed would seed every GPU of the machine
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        return batch

    def _logits(self, batch: Batch) -> torch.Tensor:
        tokens_rt = batch.tokens.to(self.device)
        conditions_rtf = [values_rtf.to(self.device) for values_rtf in batch.conditions]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            logits_rtv: torch.Tensor = self.model(tokens_rt, conditions_rtf)[0]
        return logits_rtv

    def _loss(self, batch: Batch) -> torch.Tensor:
        logits_nv = self._logits(batch).float().flatten(0, 1)
        targets_n = batch.targets.to(self.device).flatten()
        smoothing = self.settings.label_smoothing
        return functional.cross_entropy(logits_nv, targets_n, ignore_index=IGNORED, label_smoothing=smoothing)

    def _validate(self) -> float:
        """Add a validation to the history, and keep the weights if they are the best; return the seconds it took."""
        begin = time.monotonic()
        if self.validation is None:
            raise RuntimeError("a training that validates has validation windows")
        with self._measured_weights(), torch.no_grad():
            loss = mean_loss(self.validation, self._logits)
            if self.state.history.add(self.step, loss) and self.settings.keep == "best":
                self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        return time.monotonic() - begin

    @contextlib.contextmanager
    def _measured_weights(self) -> Iterator[None]:
        """Put the network into evaluation mode, with the average of its weights if there is one."""
        raw = {name: weight.detach().clone() for name, weight in self.weights.items()} if self.average else {}
        self._load(self.average.tensors if self.average else {})
        self.model.eval()
        yield
        self.model.train()
        self._load(raw)

    @torch.no_grad()
    def _load(self, weights: dict[str, torch.Tensor]) -> None:
        for name, weight in weights.items():
            self.weights[name].copy_(weight)

    def _tokens_per_step(self) -> int:
        return self.windows.rows * self.settings.window * self.settings.accumulate

    def _check_losses(self) -> float:
        """Return the last loss; raise TrainingDiverged if one of the last steps has an invalid loss."""
        first = max(0, self.step - CHECK_EVERY)
        recent_s = self.losses_s[first : self.step]
        if not bool(torch.isfinite(recent_s).all()):
            step = int(torch.nonzero(~torch.isfinite(recent_s))[0]) + first
            raise self.job.divergence(f"the training loss is {float(self.losses_s[step])} at step {step + 1}", step)
        return float(recent_s[-1])

    def _result(self, *, finished: bool) -> TrainingResult:
        history, keeps_best = self.state.history, self.settings.keep == "best"
        if finished and keeps_best and not history.best:
            raise self.job.divergence(f"no validation loss is a number up to step {self.step}", self.step)
        best = history.best if keeps_best else None
        with self._measured_weights():
            measured = self.model.state_dict()
            kept = self.best if best else measured
            weights = {name: kept[name].detach().to("cpu", copy=True) for name in measured}
        # the last loss was computed before the last update, so it does not show what this update did
        if finished and not all(bool(torch.isfinite(weights[name]).all()) for name in self.weights):
            raise self.job.divergence(f"a weight is no longer a number after step {self.step}", self.step)
        return TrainingResult(
            weights=weights,
            losses=self.losses_s[: self.step].tolist(),
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            product_weights=count_product_weights(self.model),
            tokens_seen=self.step * self._tokens_per_step(),
            finished=finished,
            kept_step=best[0] if best else self.step,
            validation=tuple(history.losses),
        )

    def _save(self) -> None:
        state = dataclasses.replace(
            self.state,
            step=self.step,
            losses=self.losses_s,
            optimizer=self.updates.state(list(self.weights.values())),
            average=self.average.tensors if self.average else {},
            best=self.best,
        )
        save_checkpoint(self.job, self.model.state_dict(), state)
