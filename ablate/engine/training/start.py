"""Begin a training, or resume it from its checkpoint.

A checkpoint contains no result, it only saves time. If it cannot be used (damaged on disk, or of a network that has
been edited since), the training begins again at its first step, and a warning is logged.
"""

from __future__ import annotations

import dataclasses
import logging
import shutil
from typing import TYPE_CHECKING, Any

import torch

from ablate.engine import checkpoint
from ablate.engine.training.updates import packed_state, unpacked_state
from ablate.engine.training.validation import FEWEST_ROWS, History, ValidationWindows
from ablate.engine.training.windows import Windows
from ablate.errors import StageError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate.arrays import FloatArray
    from ablate.engine.training.job import TrainingJob
    from ablate.engine.training.updates import WeightState

_log = logging.getLogger(__name__)

#: The first parts of the names of a checkpoint's tensors.
_PARTS = ("model", "optimizer", "average", "best")


@dataclasses.dataclass
class TrainingState:
    """The state of a training so far: the content of a checkpoint, except for the weights.

    Attributes:
        step: steps done.
        losses: of all steps, float32 [steps]; those of later steps are 0.
        optimizer: the optimizer's state by the indices of the network's parameters; empty before the first step.
        average: the moving average of the weights by name; empty without one, and before the first step.
        best: the weights with the smallest validation loss by name; empty without any.
        history: the validations.
    """

    step: int
    losses: torch.Tensor
    optimizer: Mapping[int, WeightState] = dataclasses.field(default_factory=dict)
    average: Mapping[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    best: Mapping[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    history: History = dataclasses.field(default_factory=History)

    def copy(self) -> TrainingState:
        """Return a state whose history can grow without changing this one."""
        return dataclasses.replace(self, history=History(list(self.history.losses)))


@dataclasses.dataclass(frozen=True)
class TrainingStart:
    """The state in which a training begins: before its first step, or at its checkpoint. All tensors are on the CPU.

    Attributes:
        job: the model to train.
        windows: of all steps.
        validation: the windows to validate on; None without validations.
        model: the network with its weights.
        rates: the learning rate of every step, float64 [steps].
        state: what is done so far.
    """

    job: TrainingJob
    windows: Windows
    validation: ValidationWindows | None
    model: Any
    rates: FloatArray
    state: TrainingState

    @property
    def step(self) -> int:
        """Steps done."""
        return self.state.step


def load_start(job: TrainingJob) -> TrainingStart:
    """Build a job's network and read its checkpoint, if there is one; uses torch's global random stream.

    Raises:
        StageError: the examples contain no window, or validations are asked for and there are no examples for them.
        ValueError: the precision is ``auto``.
    """
    if job.settings.precision == "auto":
        raise ValueError("precision must be resolved for the device before training")
    windows = Windows(job.examples, job.settings, job.seeds.windows)
    validation, rates_s = _validation(job, windows.rows), job.rates()
    path = job.checkpoint
    if path and path.exists():
        try:
            model, state = _restore(job, path)
        except (StageError, KeyError, RuntimeError, ValueError) as error:
            reason = one_line(error)
            _log.warning("checkpoint %s cannot be used, training begins again at step 1: %s", path, reason)
            if path.is_dir():  # no checkpoint could replace it
                shutil.rmtree(path)
        else:
            return TrainingStart(job, windows, validation, model, rates_s, state)
    state = TrainingState(0, torch.zeros(job.settings.steps))
    return TrainingStart(job, windows, validation, _build(job), rates_s, state)


def _validation(job: TrainingJob, rows: int) -> ValidationWindows | None:
    if not job.settings.validate_every:
        return None
    if job.validation is None or not len(job.validation):
        raise StageError("training.validate_every is set, but there are no validation pieces; set split.validation")
    return ValidationWindows(job.validation, job.settings.window, max(rows, FEWEST_ROWS))


def _build(job: TrainingJob) -> Any:
    torch.default_generator.manual_seed(job.seeds.init)
    return job.build().train()


def _restore(job: TrainingJob, path: Path) -> tuple[Any, TrainingState]:
    """Return the network and the state of a checkpoint; raises if they do not fit the job."""
    tensors, facts = checkpoint.load_checked(path)
    parts: dict[str, dict[str, torch.Tensor]] = {name: {} for name in _PARTS}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    model = _build(job)
    model.load_state_dict(parts["model"])
    state = TrainingState(
        step=int(facts["step"]),
        losses=torch.zeros(job.settings.steps).copy_(tensors["losses"]),
        optimizer=unpacked_state(parts["optimizer"], facts["optimizer"]),
        average=parts["average"],
        best=parts["best"],
        history=History.of(tensors["history"]),
    )
    return model, state


def save_checkpoint(job: TrainingJob, weights: Mapping[str, torch.Tensor], state: TrainingState) -> None:
    """Write the file that :func:`load_start` reads, if the job has checkpoints."""
    if job.checkpoint is None:
        return
    optimizer, values = packed_state(state.optimizer)
    parts = {"model": weights, "optimizer": optimizer, "average": state.average, "best": state.best}
    tensors = {f"{part}.{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
    tensors |= {"losses": state.losses, "history": state.history.tensor()}
    checkpoint.save_checked(job.checkpoint, tensors, {"step": state.step, "optimizer": values})


def count_product_weights(model: torch.nn.Module) -> int:
    """Return how many of a network's numbers are weights of matrix products."""
    return sum(
        weight.numel()
        for module in model.modules()
        if not isinstance(module, torch.nn.Embedding)
        for weight in module.parameters(recurse=False)
        if weight.dim() > 1
    )
