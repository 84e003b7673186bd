"""The training loop of a single model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingResult
from ablate.engine.training.start import TrainingStart, count_product_weights, save_checkpoint
from ablate.engine.training.updates import Updates
from ablate.engine.training.weights import weight_groups
from ablate.engine.training.windows import IGNORED, Batch

if TYPE_CHECKING:
    from collections.abc import Callable


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
        self.losses_s, self.step = start.losses.to(self.device), start.step

    def _updates(self, start: TrainingStart) -> Updates:
        settings, recipe = self.settings, self.job.recipe
        groups = weight_groups(
            self.model, self.weights, settings.learning_rate, settings.weight_decay, recipe.vocabulary
        )
        updates = Updates(recipe.optimizer, groups)
        if start.optimizer:
            weights = list(self.weights.values())
            updates.load({weights[index]: state for index, state in start.optimizer.items()})
        return updates

    def train(
        self, on_progress: Callable[[Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> TrainingResult:
        """Train to the last step, or until ``should_stop`` returns true.

        Raises:
            TrainingDiverged: the loss or a weight is no longer a number.
        """
        saved = checked = time.monotonic()
        checked_step = self.step
        while self.step < self.settings.steps and not should_stop():
            self._train_step()
            if self.step % CHECK_EVERY == 0 or self.step == self.settings.steps:
                loss, now = self._check_losses(), time.monotonic()
                tokens = (self.step - checked_step) * self.windows.rows * self.settings.window
                on_progress(Progress(self.step, self.settings.steps, loss, tokens / max(now - checked, 1e-9)))
                checked, checked_step = now, self.step
            # a checkpoint after the last step would be useless
            if self.step < self.settings.steps and time.monotonic() - saved >= checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        finished = self.step == self.settings.steps
        if not finished:
            self._save()
        return self._result(finished=finished)

    def _train_step(self) -> None:
        batch = self.windows.batch(self.step, self.job.conditioners, self.job.seeds.labels)
        self._seed(self.job.dropout_seed(self.step))
        self.updates.set_rate(float(self.rates_s[self.step]))
        loss = self._loss(batch)
        self.updates.zero_gradients()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.settings.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.updates.step()
        self.losses_s[self.step] = loss.detach()
        self.step += 1

    def _seed(self, seed: int) -> None:
        """Seed the streams that this training uses; ``torch.manual_seed`` would seed every GPU of the machine."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _loss(self, batch: Batch) -> torch.Tensor:
        tokens_rt, targets_rt = batch.tokens.to(self.device), batch.targets.to(self.device)
        conditions_rtf = [values_rtf.to(self.device) for values_rtf in batch.conditions]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            logits_rtv, _ = self.model(tokens_rt, conditions_rtf)
        return functional.cross_entropy(logits_rtv.float().flatten(0, 1), targets_rt.flatten(), ignore_index=IGNORED)

    def _check_losses(self) -> float:
        """Return the last loss; raise TrainingDiverged if one of the last steps has an invalid loss."""
        first = max(0, self.step - CHECK_EVERY)
        recent_s = self.losses_s[first : self.step]
        if not bool(torch.isfinite(recent_s).all()):
            step = int(torch.nonzero(~torch.isfinite(recent_s))[0]) + first
            raise self.job.divergence(f"the training loss is {float(self.losses_s[step])} at step {step + 1}", step)
        return float(recent_s[-1])

    def _result(self, *, finished: bool) -> TrainingResult:
        weights = {name: tensor.detach().cpu() for name, tensor in self.model.state_dict().items()}
        # the last loss was computed before the last update, so it does not show what this update did
        if finished and not all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters()):
            raise self.job.divergence(f"a weight is no longer a number after step {self.step}", self.step)
        return TrainingResult(
            weights=weights,
            losses=self.losses_s[: self.step].tolist(),
            parameters=sum(parameter.numel() for parameter in self.model.parameters()),
            product_weights=count_product_weights(self.model),
            tokens_seen=self.step * self.windows.rows * self.settings.window,
            finished=finished,
        )

    def _save(self) -> None:
        state = self.updates.state(list(self.weights.values()))
        save_checkpoint(self.job, self.step, self.losses_s, self.model.state_dict(), state)
