"""Compare the memory that a fused group uses with its estimate, and train a group that is too large for the memory."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch
from bench_gpu import LARGE, Size
from gpu_ways import Fused, jobs

from ablate.engine.memory import release_memory
from ablate.engine.training.capacity import LARGEST_GROUP, MEMORY_SHARE, count_fitting, training_bytes
from ablate.engine.training.job import TrainingResult
from ablate.engine.training.train import train_fused
from device_check.check import warnings_of_ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.engine.training.job import TrainingJob
    from device_check.check import Check

TINY = Size(hidden=8, layers=2, rows=2, window=4)
#: Steps of a training of which only the memory matters: recorded, and replayed a few times.
STEPS = 8


def run(check: Check) -> None:
    """Measure a group of models, then train it with about half of the memory that it needs."""
    size, models = (TINY, 2) if check.tiny else (LARGE, 16)
    group = [_shortened(job) for job in jobs(size, models)]
    fitting = count_fitting(group[0], check.device)
    check.report(f"models of {size} that fit", fitting, ok=1 <= fitting <= LARGEST_GROUP)
    used = Fused(size, models, check.device).memory
    release_memory(check.device)
    if not check.on_gpu:
        check.report(f"memory of {models} fused models", "not measured: needs a GPU")
        return
    estimate = models * training_bytes(group[0], check.device)
    release_memory(check.device)
    check.report(f"memory of {models} fused models, MiB", used >> 20, ok=used <= estimate / MEMORY_SHARE)
    check.report("  its estimate, MiB", estimate >> 20)
    _halved(check, group, used // 2)


def _shortened(job: TrainingJob) -> TrainingJob:
    return dataclasses.replace(job, settings=dataclasses.replace(job.settings, steps=STEPS))


def _halved(check: Check, group: Sequence[TrainingJob], limit: int) -> None:
    """Train a group with a limit on the memory in bytes; each part of it that fits is trained."""
    before = torch.cuda.memory_allocated()
    _, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction((before + limit) / total)
    try:
        with warnings_of_ablate() as messages:
            results = train_fused(group, check.device)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    release_memory(check.device)
    trained = sum(isinstance(result, TrainingResult) for result in results)
    check.report(f"with {limit >> 20} MiB: models of {len(group)} that were trained", trained, ok=trained == len(group))
    check.report("  the messages", messages, ok=any("do not fit" in message for message in messages))
    check.report("  left in memory at the end, MiB", (torch.cuda.memory_allocated() - before) >> 20)
