"""Train models: jobs in, one result for each job out.

The randomness of a step depends on the job's seeds and the number of the step alone (windows are drawn ahead, torch is
seeded again before every step). So a training that is resumed from a checkpoint equals one that was never interrupted,
bit for bit on the same CPU and build of torch. No test on a GPU has shown it yet.

:func:`train` trains one model after another (:mod:`ablate.engine.training.trainer`), and no result depends on the other
jobs. :func:`train_fused` trains models of equal shape as one network where they can be fused
(:mod:`ablate.engine.fusion.trainer`), which is meant for a GPU. Fused models have separate random streams too, and no
value of one model reaches another; but a product over another number of models may round differently, so their results
are the same up to rounding.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
from typing import TYPE_CHECKING

import torch

from ablate.engine.devices import on_device
from ablate.engine.fusion.eligibility import fusion_groups
from ablate.engine.fusion.trainer import FusedTrainer
from ablate.engine.memory import is_out_of_memory, release_memory
from ablate.engine.training.start import TrainingStart, load_start
from ablate.engine.training.trainer import Trainer
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ablate.engine.training.job import Progress, TrainingJob, TrainingResult

_log = logging.getLogger(__name__)


def train(
    jobs: Sequence[TrainingJob],
    device: str = "cpu",
    *,
    on_progress: Callable[[int, Progress], None] = lambda index, progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 10.0,
) -> list[TrainingResult | StageError]:
    """Train each model by itself; return one result or error for each job, in order.

    Args:
        jobs: models to train.
        device: a torch device.
        on_progress: called with the index of a job and its progress.
        should_stop: called before every step; once it returns true, checkpoints are written and the results have
            ``finished=False``.
        checkpoint_seconds: seconds between checkpoints.

    Returns:
        For each job its result, or the reason why there is none: its examples contain no window, it does not fit into
        the device's memory, or (:class:`~ablate.errors.TrainingDiverged`) its loss or a weight is no longer a number.
    """
    with _on_device_with_separate_randomness(device):
        session = _TrainingSession(jobs, device, on_progress, should_stop, checkpoint_seconds)
        return [session.train_separately(index) for index in range(len(jobs))]


def train_fused(
    jobs: Sequence[TrainingJob],
    device: str = "cpu",
    *,
    on_progress: Callable[[int, Progress], None] = lambda index, progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 10.0,
) -> list[TrainingResult | StageError]:
    """Train models that can be fused as one, and the others by themselves; see :func:`train`.

    There is more time between two checkpoints if writing those of all models takes longer than a tenth of it.
    """
    with _on_device_with_separate_randomness(device):
        session = _TrainingSession(jobs, device, on_progress, should_stop, checkpoint_seconds)
        return session.train_fused(range(len(jobs)))


@contextlib.contextmanager
def _on_device_with_separate_randomness(device: str) -> Iterator[None]:
    """Make a device the current one, and restore the caller's random streams at the end."""
    gpus = [device] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=gpus), on_device(device):
        yield


@dataclasses.dataclass(frozen=True)
class _TrainingSession:
    """The arguments of one call of :func:`train`, with the ways to train these jobs."""

    jobs: Sequence[TrainingJob]
    device: str
    on_progress: Callable[[int, Progress], None]
    should_stop: Callable[[], bool]
    checkpoint_seconds: float

    def train_separately(self, index: int, start: TrainingStart | None = None) -> TrainingResult | StageError:
        """Train a single model."""
        try:
            # the trainer gets no name: a name would keep it alive when its memory is to be released
            return Trainer(start or load_start(self.jobs[index]), self.device).train(
                functools.partial(self.on_progress, index), self.should_stop, self.checkpoint_seconds
            )
        except StageError as error:
            # the traceback would keep alive all objects on its way
            return error.with_traceback(None)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        release_memory(self.device)
        return self._too_large(index)

    def train_fused(self, indices: Sequence[int]) -> list[TrainingResult | StageError]:
        """Train the jobs of these indices, fused where possible."""
        starts: dict[int, TrainingStart] = {}
        results: dict[int, TrainingResult | StageError] = {}
        for index in indices:
            try:
                starts[index] = load_start(self.jobs[index])
            except StageError as error:
                results[index] = error.with_traceback(None)
        for group in fusion_groups(starts):
            if group.fusible:
                results |= zip(group.indices, self._train_group(group.indices, starts), strict=True)
            else:
                results |= {index: self.train_separately(index, starts.pop(index)) for index in group.indices}
        return [results[index] for index in indices]

    def _train_group(
        self, indices: Sequence[int], starts: dict[int, TrainingStart]
    ) -> list[TrainingResult | StageError]:
        """Train a fused group; if it does not fit into the memory, each half of it."""
        results = self._train_if_it_fits(indices, starts)
        if results is not None:
            return results
        release_memory(self.device)
        half = len(indices) // 2
        if not half:
            return [self._too_large(indices[0])]
        _log.warning("%d models do not fit into the memory of %s together; trying %d", len(indices), self.device, half)
        return self.train_fused(indices[:half]) + self.train_fused(indices[half:])

    def _train_if_it_fits(
        self, indices: Sequence[int], starts: dict[int, TrainingStart]
    ) -> list[TrainingResult | StageError] | None:
        """Return the results of a fused group, or None if it does not fit; then nothing is left of it in memory."""
        try:
            trainer = FusedTrainer([starts[index] for index in indices], torch.device(self.device))
            results = trainer.train(
                lambda i, progress: self.on_progress(indices[i], progress), self.should_stop, self.checkpoint_seconds
            )
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return None
        return [*results]

    def _too_large(self, index: int) -> StageError:
        settings = self.jobs[index].settings
        return StageError(
            f"out of memory on {self.device}: try a smaller training.batch (now {settings.batch}) "
            f"or training.window (now {settings.window}), or a smaller model"
        )
