"""The steps of fused models: forward and backward passes, updates, averages, as far as possible on the device alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ablate.engine.fusion.cuda_graph import RecordedStep
from ablate.engine.fusion.optimizer import FusedUpdates, clip_gradients
from ablate.engine.fusion.random import FusedStreams
from ablate.engine.fusion.validation import FusedAverage
from ablate.engine.fusion.windows import FusedWindows
from ablate.engine.training.job import CHECK_EVERY
from ablate.engine.training.windows import IGNORED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.engine.training.start import TrainingStart
    from ablate.interfaces import FusedModels


class FusedSteps:
    """Does the steps of fused models.

    Args:
        network: the models as one.
        weights: of all models by name, float32 [models, ...]; the steps change them.
        starts: of the models' trainings.
        device: a torch device.

    Attributes:
        updates: the optimizers.
        average: the moving averages of the weights; None if no model has one.
    """

    def __init__(
        self,
        network: FusedModels,
        weights: Mapping[str, torch.Tensor],
        starts: Sequence[TrainingStart],
        device: torch.device,
    ) -> None:
        self._network, self._weights, self._starts = network, weights, starts
        self._jobs = [start.job for start in starts]
        settings = [job.settings for job in self._jobs]
        self._parts = settings[0].accumulate
        self._windows = FusedWindows(starts, device, CHECK_EVERY * self._parts)
        self._random = FusedStreams(len(starts), device)
        self.updates = FusedUpdates(weights, starts)
        self.average = FusedAverage(weights, starts) if any(each.ema for each in settings) else None
        self._clip_m = torch.tensor([each.clip for each in settings]).to(device)
        self._clips = any(each.clip for each in settings)
        self._smoothing_m = torch.tensor([each.label_smoothing for each in settings]).to(device)
        self._smooths = any(each.label_smoothing for each in settings)
        self._recent_sm = torch.zeros(CHECK_EVERY, len(starts), device=device)
        self._recorded_step, self._recorded_part = RecordedStep(device), RecordedStep(device)
        # the sums over the batches of a step
        self._sums = [torch.zeros_like(weight) for weight in weights.values()] if self._parts > 1 else []

    def run(self, first: int, count: int, should_stop: Callable[[], bool]) -> int:
        """Do ``count`` steps, at most :data:`CHECK_EVERY`, from ``first`` on; return how many were done.

        Less than ``count`` were done if ``should_stop`` returned true before one of them.
        """
        self._windows.load(first * self._parts, count * self._parts)
        self._recent_sm.zero_()
        for step in range(first, first + count):
            if should_stop():
                return step - first
            self._run_step(step)
        return count

    def losses(self, count: int) -> torch.Tensor:
        """Return the losses of the first steps of the last run, float32 [models, count], on the CPU."""
        return self._recent_sm[:count].T.cpu()

    def _run_step(self, step: int) -> None:
        self.updates.set_rates(step)
        if self.average:
            self.average.prepare(step)
        if self._parts == 1:
            self._prepare_batch(step)
            self._recorded_step(self._train_step, self._generators())
            return
        for number in range(step * self._parts, (step + 1) * self._parts):
            self._prepare_batch(number)
            self._recorded_part(self._train_part, self._generators())
        self._recorded_step(self._update_with_sums)

    def _generators(self) -> Sequence[torch.Generator]:
        # a replay takes longer for each generator that is registered
        return self._random.generators if self._random.used else ()

    def _prepare_batch(self, number: int) -> None:
        """Set what differs from batch to batch: random seeds, perturbed conditions."""
        if self._random.used or number == self._starts[0].step * self._parts:
            self._random.seed([job.dropout_seed(number) for job in self._jobs])
        self._windows.load_perturbed(number)

    def _train_step(self) -> None:
        """Do a step of one batch."""
        losses_m, gradients = self._gradients()
        self._update(gradients)
        self._recent_sm.index_copy_(0, self._windows.position, losses_m.detach()[None])
        self._windows.position.add_(1)

    def _train_part(self) -> None:
        """Do one batch of several, up to the update."""
        losses_m, gradients = self._gradients(self._windows.shares())
        for total, gradient in zip(self._sums, gradients, strict=True):
            total.add_(gradient)
        step = self._windows.position.div(self._parts, rounding_mode="floor")
        self._recent_sm.index_add_(0, step, losses_m.detach()[None])
        self._windows.position.add_(1)

    def _update_with_sums(self) -> None:
        self._update(self._sums)
        for total in self._sums:
            total.zero_()

    def _gradients(self, shares_m: torch.Tensor | None = None) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """Return the loss of each model in the next batch, and the gradients of all weights.

        Args:
            shares_m: factors of the losses.
        """
        batch = self._windows.batch()
        logits_mrtv = self._network(self._weights, batch.tokens, batch.conditions, self._random)
        losses_m = model_losses(logits_mrtv, batch.targets, self._smoothing_m if self._smooths else None)
        losses_m = losses_m if shares_m is None else losses_m * shares_m
        weights = list(self._weights.values())
        return losses_m, torch.autograd.grad(losses_m.sum(), weights, allow_unused=True, materialize_grads=True)

    def _update(self, gradients: Sequence[torch.Tensor]) -> None:
        self.updates.step(clip_gradients(gradients, self._clip_m) if self._clips else gradients)
        if self.average:
            self.average.update()


def model_losses(
    logits_mrtv: torch.Tensor, targets_mrt: torch.Tensor, smoothing_m: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the mean cross entropy of each model in nats per token, float32 [models].

    Args:
        logits_mrtv: of all models.
        targets_mrt: the tokens, or :data:`~ablate.engine.training.windows.IGNORED`.
        smoothing_m: each model's label smoothing; None for none at all.
    """
    logits_nv, targets_n = logits_mrtv.float().flatten(0, 2), targets_mrt.flatten()
    losses_n = functional.cross_entropy(logits_nv, targets_n, ignore_index=IGNORED, reduction="none")
    counted_mn = (targets_mrt != IGNORED).flatten(1)
    losses_m = losses_n.view(len(targets_mrt), -1).sum(1) / counted_mn.sum(1)
    if smoothing_m is None:
        return losses_m
    # the cross entropy of a target that is spread over all tokens
    even_mn = -functional.log_softmax(logits_nv, dim=-1).mean(-1).view(len(targets_mrt), -1)
    even_m = torch.where(counted_mn, even_mn, 0.0).sum(1) / counted_mn.sum(1)
    return (1 - smoothing_m) * losses_m + smoothing_m * even_m
