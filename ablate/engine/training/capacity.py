"""The number of models that fit into a GPU's memory as one fused group."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch

from ablate.engine.memory import release_memory
from ablate.engine.training.train import train_fused

if TYPE_CHECKING:
    from ablate.engine.training.job import TrainingJob

#: Share of the free memory that a fused group may use; a recorded CUDA graph needs the rest.
MEMORY_SHARE = 0.8
#: The most models of a fused group: more hardly use a GPU better, and a crash costs more of them.
LARGEST_GROUP = 256


def count_fitting(job: TrainingJob, device: str, *, whole: bool = False) -> int:
    """Return how many models like this one fit into the free memory at once, at least 1, after training two steps.

    This is an estimate: :func:`~ablate.engine.training.train.train_fused` halves a group that does not fit after all.

    Args:
        job: one of the models; its checkpoint is neither read nor written.
        device: a torch device; on a CPU, or where the GPUs are on other machines, the result is :data:`LARGEST_GROUP`.
        whole: use the device's whole memory instead of the free memory, if the processes that use it now are the ones
            that will train.
    """
    if not (device.startswith("cuda") and torch.cuda.is_available()):
        return LARGEST_GROUP
    torch.cuda.init()  # type: ignore[no-untyped-call]
    release_memory(device)
    model_bytes = training_bytes(job, device)
    release_memory(device)
    free, total = torch.cuda.mem_get_info(device)
    return count_within(total if whole else free, model_bytes)


def training_bytes(job: TrainingJob, device: str) -> int:
    """Return the bytes of a GPU's memory that a model of a fused group takes at most in two steps of training.

    Args:
        job: of the model; its checkpoint is neither read nor written.
        device: a CUDA device.
    """
    trial = dataclasses.replace(job, settings=dataclasses.replace(job.settings, steps=2), checkpoint=None)
    with torch.compiler.set_stance("force_eager"):  # code that is compiled for one model would not be used again
        train_fused([trial], device)  # cuBLAS keeps memory from its first product on, which no further model needs
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        train_fused([trial], device)
    return torch.cuda.max_memory_allocated(device) - before


def count_within(free_bytes: int, model_bytes: int) -> int:
    """Return how many models of ``model_bytes`` each a group may have in ``free_bytes`` of memory, at least 1."""
    return max(1, min(LARGEST_GROUP, int(MEMORY_SHARE * free_bytes / max(model_bytes, 1))))
