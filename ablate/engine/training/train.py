"""Training, on one page: members in, weights out.

A step's randomness is a function of the member's seeds and the step's number alone (windows drawn ahead, torch
reseeded every step), so a training that goes on from a checkpoint equals one that was never interrupted, bit for bit
on the same device and build of torch.

On a GPU, members whose networks have equal shapes and can be fused are trained as one
(:mod:`ablate.engine.fusion.trainer`); all others, and all on a CPU, one after another. Trained by itself, a member does
not notice the others at all. In a stack its random streams are its own too, and what others compute never reaches it;
but a product over other numbers of members may round differently, so there its result is the same up to rounding.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ablate.engine import checkpoint
from ablate.engine.devices import is_fused, on_device
from ablate.engine.fusion.cuda_graph import ran_out
from ablate.engine.fusion.eligibility import fusion_groups
from ablate.engine.fusion.trainer import FusedTrainer
from ablate.engine.training.job import (
    LOOK_EVERY,
    Progress,
    Start,
    TrainingJob,
    TrainingResult,
    multiplied,
    save,
    start,
)
from ablate.engine.training.windows import IGNORED, Batch
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Tell = Callable[[int, Progress], None]

_log = logging.getLogger(__name__)


def train(
    members: Sequence[TrainingJob],
    device: str = "cpu",
    *,
    fused: bool | None = None,
    tell: Tell = lambda index, progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 10.0,
) -> list[TrainingResult | StageError]:
    """Train each member and return what came of each, in order.

    Args:
        members: models to train; their results do not depend on one another.
        device: a torch device.
        fused: whether members that can be are trained as one; None is on a GPU only, which is where it pays.
        tell: called with the member's index and its news.
        should_stop: asked before every step; once true, everything is checkpointed and the results come back with
            ``finished=False``.
        checkpoint_seconds: the longest stretch of training that a crash can cost; of a stack, unless saving it takes
            more than a tenth of that.

    Returns:
        The result of each, or the reason why it has none: it has nothing to learn, it does not fit into the device's
        memory even alone, or (:class:`TrainingDiverged`) its loss, or a weight in the end, is no longer a number.
    """
    with _on(device):
        trainer = _Trainer(members, device, tell, should_stop, checkpoint_seconds)
        if is_fused(device, fused):
            return trainer.fused(range(len(members)))
        return [trainer.alone(index) for index in range(len(members))]


@contextlib.contextmanager
def _on(device: str) -> Iterator[None]:
    """Work on a device, and leave the host's random numbers alone."""
    gpus = [device] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=gpus), on_device(device):
        yield


class _Trainer:
    """Trains members in the one way or the other."""

    def __init__(
        self,
        members: Sequence[TrainingJob],
        device: str,
        tell: Tell,
        should_stop: Callable[[], bool],
        checkpoint_seconds: float,
    ) -> None:
        self._members, self._device = members, device
        self._tell, self._should_stop, self._seconds = tell, should_stop, checkpoint_seconds

    def alone(self, index: int, begun: Start | None = None) -> TrainingResult | StageError:
        """The result of one member that is trained by itself."""
        try:
            # without a name, so that nothing holds it when memory is to be given back
            return _Run(begun or start(self._members[index]), self._device).go(
                functools.partial(self._tell, index), self._should_stop, self._seconds
            )
        except StageError as error:
            # the way it came here would keep alive what it came through
            return error.with_traceback(None)
        except RuntimeError as error:
            if not ran_out(error):
                raise
        empty(self._device)
        return _too_large(self._device, self._members[index])

    def fused(self, indices: Sequence[int]) -> list[TrainingResult | StageError]:
        """The results of the members at these places, fused where they can be."""
        starts: dict[int, Start] = {}
        results: dict[int, TrainingResult | StageError] = {}
        for index in indices:
            try:
                starts[index] = start(self._members[index])
            except StageError as error:
                results[index] = error.with_traceback(None)
        for group in fusion_groups(starts):
            if group.fusible:
                results |= zip(group.indices, self._as_one(group.indices, starts), strict=True)
            else:
                results |= {index: self.alone(index, starts.pop(index)) for index in group.indices}
        return [results[index] for index in indices]

    def _as_one(self, indices: Sequence[int], starts: dict[int, Start]) -> list[TrainingResult | StageError]:
        """A stack's results; where it does not fit into the memory, those of its halves."""
        results = self._in_memory(indices, starts)
        if results is not None:
            return results
        empty(self._device)
        half = len(indices) // 2
        if not half:
            return [_too_large(self._device, self._members[indices[0]])]
        _log.warning("%d models do not fit into the memory of %s together; trying %d", len(indices), self._device, half)
        return self.fused(indices[:half]) + self.fused(indices[half:])

    def _in_memory(self, indices: Sequence[int], starts: dict[int, Start]) -> list[TrainingResult | StageError] | None:
        """A stack's results, or None if it does not fit; then nothing of it is left in memory."""
        try:
            stack = FusedTrainer([starts[index] for index in indices], torch.device(self._device))
            found = stack.go(lambda i, news: self._tell(indices[i], news), self._should_stop, self._seconds)
        except RuntimeError as error:
            if not ran_out(error):
                raise
            return None
        return [*found]


def empty(device: str) -> None:
    """Give a GPU's memory back that nothing is in any more."""
    if device.startswith("cuda"):
        gc.collect()
        torch.cuda.empty_cache()


def _too_large(device: str, member: TrainingJob) -> StageError:
    settings = member.settings
    return StageError(
        f"out of memory on {device}: try a smaller training.batch (now {settings.batch}) "
        f"or training.window (now {settings.window}), or a smaller model"
    )


class _Run:
    """One member in training by itself."""

    def __init__(self, begun: Start, device: str) -> None:
        self.member, self.settings, self.windows = begun.member, begun.member.settings, begun.windows
        self.device = torch.device(device)
        self.model = begun.model.to(self.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), self.settings.learning_rate, fused=True)
        if begun.optimizer:
            self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": begun.optimizer})
        self.losses, self.step = begun.losses.to(self.device), begun.step

    def _seed(self, seed: int) -> None:
        """Seed the streams that this training draws from; ``torch.manual_seed`` would seed every GPU of the host."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def go(
        self, tell: Callable[[Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> TrainingResult:
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
        batch = self.windows.batch(self.step, self.member.conditioners, self.member.seeds.labels)
        self._seed(self.member.dropout_seed(self.step))
        for group in self.optimizer.param_groups:
            group["lr"] = self.member.learning_rate(self.step)
        loss = self._loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.settings.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
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
            raise self.member.diverged(f"the training loss is {float(self.losses[bad])} at step {bad + 1}", bad)
        return float(recent[-1])

    def _result(self, *, finished: bool) -> TrainingResult:
        weights = {name: tensor.detach().cpu() for name, tensor in self.model.state_dict().items()}
        # the last loss was taken before the last update, so it says nothing of what that did
        if finished and not all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters()):
            raise self.member.diverged(f"a weight is no longer a number after step {self.step}", self.step)
        return TrainingResult(
            weights=weights,
            losses=self.losses[: self.step].tolist(),
            parameters=sum(p.numel() for p in self.model.parameters()),
            multiplied=multiplied(self.model),
            tokens_seen=self.step * self.windows.rows * self.settings.window,
            finished=finished,
        )

    def _save(self) -> None:
        optimizer = checkpoint.optimizer_tensors(self.optimizer)
        save(self.member, self.step, self.losses, self.model.state_dict(), optimizer)
