"""The training loop of fused models: models of equal shape, trained as one network.

Each weight of all models is one tensor [models, ...], and each matrix product is one product for all models, so that
the work fills a GPU which a single small network leaves idle. Losses, gradients, gradient norms, updates and learning
rates are separate for each model; nothing is added up over models, so a model that diverges does not change the others.
A whole step is recorded as one CUDA graph (Gray, *Getting started with CUDA graphs*, 2019). The idea is horizontally
fused training (Wang et al., MLSys 2021).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ablate.engine.fusion.cuda_graph import RecordedStep
from ablate.engine.fusion.optimizer import FusedUpdates, clip_gradients
from ablate.engine.fusion.random import FusedStreams
from ablate.engine.fusion.windows import FusedWindows
from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingResult
from ablate.engine.training.start import count_product_weights, save_checkpoint
from ablate.engine.training.windows import IGNORED
from ablate.fusion import fused_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.engine.training.start import TrainingStart
    from ablate.errors import TrainingDiverged
    from ablate.interfaces import FusedModels

#: Largest share of the time that may be spent on checkpoints; those of fused models are as large as all their models.
CHECKPOINT_SHARE = 0.1


class FusedTrainer:
    """A training of fused models.

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
        models = [start.model for start in starts]
        self._network: FusedModels = models[0].fuse(models, self._settings.precision)
        self.weights = fused_weights(models, device)
        self._windows = FusedWindows(starts, device, CHECK_EVERY)
        self._random = FusedStreams(len(starts), device)
        self._updates = FusedUpdates(self.weights, starts)
        self._clip_m = torch.tensor([job.settings.clip for job in self._jobs]).to(device)
        self._clips = any(job.settings.clip for job in self._jobs)
        self._recent_sm = torch.zeros(CHECK_EVERY, len(starts), device=device)
        self._losses_ms = torch.stack([start.losses for start in starts])
        self._step = starts[0].step
        self._diverged: dict[int, TrainingDiverged] = {}
        self._recorded_step = RecordedStep(device)

    def train(
        self, on_progress: Callable[[int, Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> list[TrainingResult | TrainingDiverged]:
        """Train to the last step, or until ``should_stop`` returns true; return one result or error for each model."""
        saved, steps = time.monotonic(), self._settings.steps
        while self._step < steps and len(self._diverged) < len(self._jobs):
            begin, first = time.monotonic(), self._step
            is_stopped = self._train_to_next_check(should_stop)
            self._check_losses(first)
            self._report(on_progress, (self._step - first) / max(time.monotonic() - begin, 1e-9))
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
        return [self._diverged.get(m) or self._result(m, finished=finished) for m in range(len(self._jobs))]

    def _train_to_next_check(self, should_stop: Callable[[], bool]) -> bool:
        """Run the steps up to the next check of the losses; return whether ``should_stop`` ended them before."""
        count = min(CHECK_EVERY - self._step % CHECK_EVERY, self._settings.steps - self._step)
        self._windows.load(self._step, count)
        for _ in range(count):
            if should_stop():
                return True
            self._prepare_step()
            # a replay takes longer for each generator that is registered
            self._recorded_step(self._train_step, self._random.generators if self._random.used else ())
            self._step += 1
        return False

    def _prepare_step(self) -> None:
        """Set what differs from step to step: random seeds, learning rates, perturbed conditions."""
        if self._random.used or self._step == self._starts[0].step:
            self._random.seed([job.dropout_seed(self._step) for job in self._jobs])
        self._updates.set_rates(self._step)
        self._windows.load_perturbed(self._step)

    def _train_step(self) -> None:
        batch = self._windows.batch()
        logits_mrtv = self._network(self.weights, batch.tokens, batch.conditions, self._random)
        losses_m = model_losses(logits_mrtv, batch.targets)
        weights = list(self.weights.values())
        gradients = torch.autograd.grad(losses_m.sum(), weights, allow_unused=True, materialize_grads=True)
        self._updates.step(clip_gradients(gradients, self._clip_m) if self._clips else gradients)
        self._recent_sm.index_copy_(0, self._windows.position, losses_m.detach()[None])
        self._windows.position.add_(1)

    def _check_losses(self, first: int) -> None:
        """Read the losses from step ``first`` on, and give up models with an invalid loss."""
        recent_ms = self._recent_sm[: self._step - first].T.cpu()
        self._losses_ms[:, first : self._step] = recent_ms
        for m in range(len(self._jobs)):
            invalid = torch.nonzero(~torch.isfinite(recent_ms[m]))
            if len(invalid) and m not in self._diverged:
                step = first + int(invalid[0])
                problem = f"the training loss is {float(self._losses_ms[m, step])} at step {step + 1}"
                self._diverged[m] = self._jobs[m].divergence(problem, step)

    def _report(self, on_progress: Callable[[int, Progress], None], steps_per_second: float) -> None:
        tokens = len(self._jobs) * self._starts[0].windows.rows * self._settings.window
        for m in range(len(self._jobs)):
            if m not in self._diverged and self._step:
                loss = float(self._losses_ms[m, self._step - 1])
                speed = steps_per_second * tokens
                on_progress(m, Progress(self._step, self._settings.steps, loss, speed, len(self._jobs)))

    def _result(self, m: int, *, finished: bool) -> TrainingResult | TrainingDiverged:
        start = self._starts[m]
        weights = {name: weight[m].detach().cpu() for name, weight in self.weights.items()}
        # the last loss was computed before the last update, so it does not show what this update did
        if finished and not all(bool(torch.isfinite(weight).all()) for weight in weights.values()):
            return self._jobs[m].divergence(f"a weight is no longer a number after step {self._step}", self._step)
        return TrainingResult(
            weights=weights,
            losses=self._losses_ms[m, : self._step].tolist(),
            parameters=sum(weight.numel() for weight in weights.values()),
            product_weights=count_product_weights(start.model),
            tokens_seen=self._step * start.windows.rows * self._settings.window,
            finished=finished,
            together=len(self._jobs),
        )

    def _save(self) -> None:
        for m, job in enumerate(self._jobs):
            if m not in self._diverged:
                weights = {name: weight[m] for name, weight in self.weights.items()}
                save_checkpoint(job, self._step, self._losses_ms[m], weights, self._updates.state(m))


def model_losses(logits_mrtv: torch.Tensor, targets_mrt: torch.Tensor) -> torch.Tensor:
    """Return the mean cross entropy of each model in nats per token, float32 [models]."""
    logits_nv, targets_n = logits_mrtv.float().flatten(0, 2), targets_mrt.flatten()
    losses_n = functional.cross_entropy(logits_nv, targets_n, ignore_index=IGNORED, reduction="none")
    return losses_n.view(len(targets_mrt), -1).sum(1) / (targets_mrt != IGNORED).flatten(1).sum(1)
