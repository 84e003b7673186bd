"""Training, on one page: members in, weights out.

A step's randomness is a function of the member's seeds and the step's number alone (windows drawn ahead, torch
reseeded every step), so a training that goes on from a checkpoint equals one that was never interrupted, bit for bit
on the same device and build of torch, and a member does not notice who else is trained beside it.

A checkpoint saves time and holds no result: one that cannot be used (damaged on disk, or of a network that has been
edited since) costs the training its head start, which is logged as a warning, and nothing else.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import time
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from ablate.engine import checkpoint
from ablate.engine.windows import IGNORED, Batch, Example, Examples, Windows
from ablate.errors import StageError, TrainingDiverged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ablate.engine.settings import TrainingSettings
    from ablate.interfaces import Conditioner

_log = logging.getLogger(__name__)

#: Steps between two looks at the loss (each look waits for the device).
LOOK_EVERY = 25


@dataclasses.dataclass(frozen=True)
class MemberSeeds:
    """A member's own random streams, as derived seeds."""

    init: int
    windows: int
    labels: int
    dropout: int


@dataclasses.dataclass(frozen=True)
class Member:
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
    seeds: MemberSeeds
    checkpoint: Path | None = None


@dataclasses.dataclass(frozen=True)
class Trained:
    """One member's result.

    Attributes:
        weights: on the CPU.
        losses: of every step, in nats per token.
        parameters: how many numbers were trained.
        multiplied: how many of them are weights of matrix products: all matrices but embeddings.
        tokens_seen: positions in all windows so far, padding included.
        finished: whether all steps are done.
    """

    weights: dict[str, torch.Tensor]
    losses: list[float]
    parameters: int
    multiplied: int
    tokens_seen: int
    finished: bool


@dataclasses.dataclass(frozen=True)
class Progress:
    """One line of news: steps done of all, the last loss, tokens a second."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float


def train(
    members: Sequence[Member],
    device: str = "cpu",
    *,
    tell: Callable[[int, Progress], None] = lambda index, progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 10.0,
) -> list[Trained]:
    """Train each member and return one result for each, in order.

    Args:
        members: models whose shapes agree; their results do not depend on one another.
        device: a torch device.
        tell: called with the member's index and its news.
        should_stop: asked before every step; once true, everything is checkpointed and the results come back with
            ``finished=False``.
        checkpoint_seconds: the longest stretch of training that a crash can cost.

    Raises:
        TrainingDiverged: a member's loss, or a weight in the end, is no longer a number.
    """
    results = []
    for index, member in enumerate(members):
        with torch.random.fork_rng(devices=[device] if device.startswith("cuda") else []):
            run = _Run(member, device)
            results.append(run.go(functools.partial(tell, index), should_stop, checkpoint_seconds))
    return results


class _Run:
    """One member in training."""

    def __init__(self, member: Member, device: str) -> None:
        settings = member.settings
        if settings.precision == "auto":
            raise ValueError("precision must be resolved for the device before training")
        self.member, self.settings, self.device = member, settings, torch.device(device)
        self.windows = Windows(member.examples, settings, member.seeds.windows)
        self._begin()
        if member.checkpoint and member.checkpoint.exists():
            try:
                self._restore(member.checkpoint)
            except (StageError, KeyError, RuntimeError, ValueError) as error:
                reason = " ".join(str(error).split())
                _log.warning("checkpoint %s cannot be used, training begins anew: %s", member.checkpoint, reason)
                self._begin()

    def _begin(self) -> None:
        self._seed(self.member.seeds.init)
        self.model = self.member.build().to(self.device).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), self.settings.learning_rate, fused=True)
        self.losses = torch.zeros(self.settings.steps, device=self.device)
        self.step = 0

    def _seed(self, seed: int) -> None:
        """Seed the streams that this training draws from; ``torch.manual_seed`` would seed every GPU of the host."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            with torch.cuda.device(self.device):
                torch.cuda.manual_seed(seed)

    def go(
        self, tell: Callable[[Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> Trained:
        saved = looked = time.monotonic()
        since = self.step
        while self.step < self.settings.steps and not should_stop():
            self._train_step()
            if self.step % LOOK_EVERY == 0 or self.step == self.settings.steps:
                loss, now = self._look(), time.monotonic()
                tokens = (self.step - since) * self.windows.rows * self.settings.window
                tell(Progress(self.step, self.settings.steps, loss, tokens / max(now - looked, 1e-9)))
                looked, since = now, self.step
            # after the last step there is nothing left that a checkpoint could save
            if self.step < self.settings.steps and time.monotonic() - saved >= checkpoint_seconds:
                self._save()
                saved = time.monotonic()
        finished = self.step == self.settings.steps
        if not finished:
            self._save()
        return self._result(finished=finished)

    def _train_step(self) -> None:
        settings, seeds = self.settings, self.member.seeds
        batch = self.windows.batch(self.step, self.member.conditioners, seeds.labels)
        self._seed((seeds.dropout + self.step) % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * settings.decay ** (self.step // settings.decay_every)
        loss = self._loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if settings.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimizer.step()
        self.losses[self.step] = loss.detach()
        self.step += 1

    def _loss(self, batch: Batch) -> torch.Tensor:
        tokens_rt, targets_rt = batch.tokens.to(self.device), batch.targets.to(self.device)
        conditions = [condition.to(self.device) for condition in batch.conditions]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            logits_rtv, _ = self.model(tokens_rt, conditions)
        return functional.cross_entropy(logits_rtv.float().flatten(0, 1), targets_rt.flatten(), ignore_index=IGNORED)

    def _look(self) -> float:
        recent = self.losses[max(0, self.step - LOOK_EVERY) : self.step]
        if not bool(torch.isfinite(recent).all()):
            bad = int(torch.nonzero(~torch.isfinite(recent))[0]) + max(0, self.step - LOOK_EVERY)
            raise self._diverged(f"the training loss is {float(self.losses[bad])} at step {bad + 1}")
        return float(recent[-1])

    def _diverged(self, what: str) -> TrainingDiverged:
        return TrainingDiverged(
            f"{what} of {self.settings.steps}; "
            f"try a smaller training.learning_rate (now {self.settings.learning_rate:g})"
        )

    def _result(self, *, finished: bool) -> Trained:
        weights = {name: tensor.detach().cpu() for name, tensor in self.model.state_dict().items()}
        # the last loss was taken before the last update, so it says nothing of what that did
        if finished and not all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters()):
            raise self._diverged(f"a weight is no longer a number after step {self.step}")
        return Trained(
            weights=weights,
            losses=self.losses[: self.step].tolist(),
            parameters=sum(p.numel() for p in self.model.parameters()),
            multiplied=sum(
                weight.numel()
                for module in self.model.modules()
                if not isinstance(module, torch.nn.Embedding)
                for weight in module.parameters(recurse=False)
                if weight.dim() > 1
            ),
            tokens_seen=self.step * self.windows.rows * self.settings.window,
            finished=finished,
        )

    def _save(self) -> None:
        if self.member.checkpoint is None:
            return
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"optimizer.{name}": t for name, t in checkpoint.optimizer_tensors(self.optimizer).items()}
        tensors["losses"] = self.losses
        checkpoint.save_tensors(self.member.checkpoint, tensors, {"step": self.step})

    def _restore(self, path: Path) -> None:
        tensors, facts = checkpoint.load_tensors(path)
        parts: dict[str, dict[str, torch.Tensor]] = {"model": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            parts.setdefault(part, {})[rest] = tensor
        self.model.load_state_dict(parts["model"])
        checkpoint.restore_optimizer(self.optimizer, parts["optimizer"])
        self.losses.copy_(tensors["losses"])
        self.step = facts["step"]
