"""Begin a training, or resume it from its checkpoint.

A checkpoint contains no result, it only saves time. If it cannot be used (damaged on disk, or of a network that has
been edited since), the training begins again at its first step, and a warning is logged.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

import torch

from ablate.engine import checkpoint
from ablate.engine.training.updates import packed_state, unpacked_state
from ablate.engine.training.windows import Windows
from ablate.errors import StageError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate.arrays import FloatArray
    from ablate.engine.training.job import TrainingJob
    from ablate.engine.training.updates import WeightState

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class TrainingStart:
    """The state in which a training begins: before its first step, or at its checkpoint. All tensors are on the CPU.

    Attributes:
        job: the model to train.
        windows: of all steps.
        model: the network with its weights.
        rates: the learning rate of every step, float64 [steps].
        step: steps done.
        losses: of all steps, float32 [steps]; those of later steps are 0.
        optimizer: the optimizer's state by the indices of the network's parameters; empty before the first step.
    """

    job: TrainingJob
    windows: Windows
    model: Any
    rates: FloatArray
    step: int
    losses: torch.Tensor
    optimizer: Mapping[int, WeightState]


def load_start(job: TrainingJob) -> TrainingStart:
    """Build a job's network and read its checkpoint, if there is one; uses torch's global random stream.

    Raises:
        StageError: the examples contain no window.
        ValueError: the precision is ``auto``.
    """
    if job.settings.precision == "auto":
        raise ValueError("precision must be resolved for the device before training")
    windows = Windows(job.examples, job.settings, job.seeds.windows)
    path = job.checkpoint
    if path and path.exists():
        try:
            return _restore(job, windows, path)
        except (StageError, KeyError, RuntimeError, ValueError) as error:
            reason = one_line(error)
            _log.warning("checkpoint %s cannot be used, training begins again at step 1: %s", path, reason)
    return TrainingStart(job, windows, _build(job), job.rates(), 0, torch.zeros(job.settings.steps), {})


def _build(job: TrainingJob) -> Any:
    torch.default_generator.manual_seed(job.seeds.init)
    return job.build().train()


def _restore(job: TrainingJob, windows: Windows, path: Path) -> TrainingStart:
    tensors, facts = checkpoint.load_tensors(path)
    parts: dict[str, dict[str, torch.Tensor]] = {"model": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    model = _build(job)
    model.load_state_dict(parts["model"])
    losses_s = torch.zeros(job.settings.steps).copy_(tensors["losses"])
    state = unpacked_state(parts["optimizer"], facts["optimizer"])
    return TrainingStart(job, windows, model, job.rates(), int(facts["step"]), losses_s, state)


def save_checkpoint(
    job: TrainingJob,
    step: int,
    losses_s: torch.Tensor,
    weights: Mapping[str, torch.Tensor],
    optimizer: Mapping[int, WeightState],
) -> None:
    """Write the file that :func:`load_start` reads, if the job has checkpoints."""
    if job.checkpoint is None:
        return
    tensors = {f"model.{name}": tensor for name, tensor in weights.items()}
    state, values = packed_state(optimizer)
    tensors |= {f"optimizer.{name}": tensor for name, tensor in state.items()}
    checkpoint.save_tensors(job.checkpoint, {**tensors, "losses": losses_s}, {"step": step, "optimizer": values})


def count_product_weights(model: torch.nn.Module) -> int:
    """Return how many of a network's numbers are weights of matrix products."""
    return sum(
        weight.numel()
        for module in model.modules()
        if not isinstance(module, torch.nn.Embedding)
        for weight in module.parameters(recurse=False)
        if weight.dim() > 1
    )
