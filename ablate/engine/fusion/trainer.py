"""A stack: members whose networks have equal shapes, trained as one network.

Every weight of theirs is one tensor, [members, ...], and every product one over all of them, so that a GPU which a
single small network leaves idle has something to do. Losses, gradients, the clipping of these, Adam and its learning
rates stay each member's own; nothing is ever added up over members, and so one that has become NaN spoils no other.
A whole step is recorded as one CUDA graph (Gray, *Getting started with CUDA graphs*, 2019). The idea is Horizontally
Fused Training (Wang et al., MLSys 2021).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ablate.engine.fusion.cuda_graph import Recorded
from ablate.engine.fusion.random import FusedStreams
from ablate.engine.fusion.windows import FusedWindows
from ablate.engine.training.job import LOOK_EVERY, Progress, TrainingResult, multiplied, save
from ablate.engine.training.windows import IGNORED
from ablate.fusion import fused_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.engine.training.job import Start
    from ablate.errors import TrainingDiverged
    from ablate.interfaces import FusedModels

#: Saving the checkpoints of all members, which is as much as there are members, takes no more than this share of time.
SAVING_SHARE = 0.1


class FusedTrainer:
    """Members in training as one.

    Args:
        starts: where each of them begins; all of one :func:`~ablate.engine.fusion.eligibility.stacks` group.
        device: where.

    Attributes:
        weights: of all members' networks by name, float32 [members, ...].
    """

    def __init__(self, starts: Sequence[Start], device: torch.device) -> None:
        self._starts, self._members = starts, [begun.member for begun in starts]
        self._settings, self._device = self._members[0].settings, device
        models = [begun.model for begun in starts]
        self._network: FusedModels = models[0].fuse(models, self._settings.precision)
        self.weights = fused_weights(models, device)
        self._windows = FusedWindows(starts, device, LOOK_EVERY)
        self._draws = FusedStreams(len(starts), device)
        self._optimizer = _Optimizer(self.weights, starts)
        self._clip_v = torch.tensor([member.settings.clip for member in self._members]).to(device)
        self._clips = any(member.settings.clip for member in self._members)
        self._recent_nv = torch.zeros(LOOK_EVERY, len(starts), device=device)
        self._losses_vs = torch.stack([begun.losses for begun in starts])
        self._step = starts[0].step
        self._ended: dict[int, TrainingDiverged] = {}
        self._recorded = Recorded(device)

    def go(
        self, tell: Callable[[int, Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> list[TrainingResult | TrainingDiverged]:
        """Train to the end, or until it should stop; what came of each member."""
        saved, steps = time.monotonic(), self._settings.steps
        while self._step < steps and len(self._ended) < len(self._members):
            begun, since = time.monotonic(), self._step
            stopped = self._run_some(should_stop)
            self._look(since)
            self._tell(tell, (self._step - since) / max(time.monotonic() - begun, 1e-9))
            if stopped:
                break
            begun = time.monotonic()
            # after the last step there is nothing left that a checkpoint could save
            if self._step < steps and begun - saved >= checkpoint_seconds:
                self._save()
                saved = time.monotonic()
                checkpoint_seconds = max(checkpoint_seconds, (saved - begun) / SAVING_SHARE)
        finished = self._step == steps
        if not finished:
            self._save()
        return [self._ended.get(v) or self._result(v, finished=finished) for v in range(len(self._members))]

    def _run_some(self, should_stop: Callable[[], bool]) -> bool:
        """Do the steps up to the next look; whether it was told to stop before."""
        count = min(LOOK_EVERY - self._step % LOOK_EVERY, self._settings.steps - self._step)
        self._windows.load(self._step, count)
        for _ in range(count):
            if should_stop():
                return True
            self._prepare_step()
            # playing a recording costs something for each stream that it knows
            self._recorded(self._train_step, self._draws.generators if self._draws.used else ())
            self._step += 1
        return False

    def _prepare_step(self) -> None:
        """What is different in every step: random streams, learning rates, perturbed conditions."""
        if self._draws.used or self._step == self._starts[0].step:
            self._draws.seed([member.dropout_seed(self._step) for member in self._members])
        self._optimizer.set_rates(self._step)
        self._windows.give(self._step)

    def _train_step(self) -> None:
        batch = self._windows.cut()
        logits_vrtw = self._network(self.weights, batch.tokens, batch.conditions, self._draws)
        losses_v = member_losses(logits_vrtw, batch.targets)
        wanted = list(self.weights.values())
        gradients = torch.autograd.grad(losses_v.sum(), wanted, allow_unused=True, materialize_grads=True)
        self._optimizer.step(self._clipped(gradients) if self._clips else gradients)
        self._recent_nv.index_copy_(0, self._windows.at, losses_v.detach()[None])
        self._windows.at.add_(1)

    def _clipped(self, gradients: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Every member's gradients scaled down to the length that it allows, as ``clip_grad_norm_`` does."""
        lengths = [torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients]
        length_v = torch.linalg.vector_norm(torch.stack(lengths), dim=0)
        scale_v = torch.where(self._clip_v > 0, (self._clip_v / (length_v + 1e-6)).clamp(max=1), 1.0)
        # not in place: where two weights are added, their gradients are one tensor
        return [gradient * scale_v.view(-1, *[1] * (gradient.dim() - 1)) for gradient in gradients]

    def _look(self, since: int) -> None:
        """Read the losses of the steps since then, and give up members whose loss is no number."""
        recent_vn = self._recent_nv[: self._step - since].T.cpu()
        self._losses_vs[:, since : self._step] = recent_vn
        for v in range(len(self._members)):
            bad = torch.nonzero(~torch.isfinite(recent_vn[v]))
            if len(bad) and v not in self._ended:
                step = since + int(bad[0])
                what = f"the training loss is {float(self._losses_vs[v, step])} at step {step + 1}"
                self._ended[v] = self._members[v].diverged(what, step)

    def _tell(self, tell: Callable[[int, Progress], None], steps_per_second: float) -> None:
        tokens = len(self._members) * self._starts[0].windows.rows * self._settings.window
        for v in range(len(self._members)):
            if v not in self._ended and self._step:
                loss = float(self._losses_vs[v, self._step - 1])
                news = Progress(self._step, self._settings.steps, loss, steps_per_second * tokens, len(self._members))
                tell(v, news)

    def _result(self, v: int, *, finished: bool) -> TrainingResult | TrainingDiverged:
        begun = self._starts[v]
        weights = {name: weight[v].detach().cpu() for name, weight in self.weights.items()}
        # the last loss was taken before the last update, so it says nothing of what that did
        if finished and not all(bool(torch.isfinite(weight).all()) for weight in weights.values()):
            return self._members[v].diverged(f"a weight is no longer a number after step {self._step}", self._step)
        return TrainingResult(
            weights=weights,
            losses=self._losses_vs[v, : self._step].tolist(),
            parameters=sum(weight.numel() for weight in weights.values()),
            multiplied=multiplied(begun.model),
            tokens_seen=self._step * begun.windows.rows * self._settings.window,
            finished=finished,
            together=len(self._members),
        )

    def _save(self) -> None:
        for v, member in enumerate(self._members):
            if v not in self._ended:
                weights = {name: weight[v] for name, weight in self.weights.items()}
                save(member, self._step, self._losses_vs[v], weights, self._optimizer.tensors(v))


def member_losses(logits_vrtw: torch.Tensor, targets_vrt: torch.Tensor) -> torch.Tensor:
    """The mean cross entropy of each member, nats per token, float32 [members]."""
    flat_nw, targets_n = logits_vrtw.float().flatten(0, 2), targets_vrt.flatten()
    each_n = functional.cross_entropy(flat_nw, targets_n, ignore_index=IGNORED, reduction="none")
    return each_n.view(len(targets_vrt), -1).sum(1) / (targets_vrt != IGNORED).flatten(1).sum(1)


class _Optimizer:
    """torch's Adam over every member's own part of the fused weights, each member with its own learning rate."""

    def __init__(self, weights: Mapping[str, torch.Tensor], starts: Sequence[Start]) -> None:
        self._own = [[weight.detach()[v] for weight in weights.values()] for v in range(len(starts))]
        device = next(iter(weights.values())).device
        self._schedules: dict[tuple[float, ...], tuple[Start, list[torch.Tensor]]] = {}
        for begun, own in zip(starts, self._own, strict=True):
            settings = begun.member.settings
            schedule = (settings.learning_rate, settings.decay, settings.decay_every)
            self._schedules.setdefault(schedule, (begun, []))[1].extend(own)
        gpu = device.type == "cuda"
        # a recorded step reads its learning rates from tensors; a GPU's kernel has them in float32
        dtype = torch.float32 if gpu else torch.float64
        groups = [
            {"params": own, "lr": torch.zeros((), dtype=dtype, device=device)} for _, own in self._schedules.values()
        ]
        self._adam = torch.optim.Adam(groups, fused=True, capturable=gpu)
        self._rates: list[float] = [float("nan")] * len(groups)
        for begun, own in zip(starts, self._own, strict=True):
            for place, state in begun.optimizer.items():
                self._adam.state[own[place]] = {key: tensor.to(device, copy=True) for key, tensor in state.items()}

    def set_rates(self, step: int) -> None:
        for place, (first, _) in enumerate(self._schedules.values()):
            rate = first.member.learning_rate(step)
            if rate != self._rates[place]:
                self._rates[place] = rate
                self._adam.param_groups[place]["lr"].fill_(rate)

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Move every member's weights; ``gradients`` are [members, ...] in the order of the weights."""
        # fused Adam reads memory as it lies; the gradient of a transposed weight lies otherwise than the weight
        laid_out = [gradient.contiguous() for gradient in gradients]
        for v, own in enumerate(self._own):
            for weight, gradient in zip(own, laid_out, strict=True):
                weight.grad = gradient[v]
        self._adam.step()

    def tensors(self, v: int) -> dict[str, torch.Tensor]:
        """A member's state as named tensors, see :func:`~ablate.engine.checkpoint.optimizer_tensors`."""
        states = [self._adam.state[weight] for weight in self._own[v]]
        return {f"{place}.{key}": tensor for place, state in enumerate(states) for key, tensor in state.items()}
