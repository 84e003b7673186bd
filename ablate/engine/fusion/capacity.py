"""How many members fit into a GPU's memory as one stack."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch

from ablate.engine.training.train import empty, train

if TYPE_CHECKING:
    from ablate.engine.training.job import TrainingJob

#: Share of the free memory that a stack may take; the rest is for what a recording of the step keeps beside it.
SHARE = 0.8
#: The most members of one stack: more hardly share a GPU better, and a crash costs more of them.
MOST = 256


def fits(member: TrainingJob, device: str, *, whole: bool = False) -> int:
    """How many members like this one fit into the free memory at once, at least 1; tried with two steps of one.

    An estimate: a stack that does not fit after all is halved (:func:`~ablate.engine.training.train.train`).

    Args:
        member: its checkpoint is left alone.
        device: a torch device; of a CPU's memory nothing is asked.
        whole: count on all of the device's memory, where those who use it now are the ones who will train.
    """
    if not device.startswith("cuda"):
        return MOST
    tried = dataclasses.replace(member, settings=dataclasses.replace(member.settings, steps=2), checkpoint=None)
    torch.cuda.init()  # type: ignore[no-untyped-call]
    empty(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    with torch.compiler.set_stance("force_eager"):  # compiled for one member it would be of no use
        train([tried], device)
    each = torch.cuda.max_memory_allocated(device) - before
    empty(device)
    free, total = torch.cuda.mem_get_info(device)
    return at_most(total if whole else free, each)


def at_most(free: int, each: int) -> int:
    """How many members of so many bytes each fit into so many free ones."""
    return max(1, min(MOST, int(SHARE * free / max(each, 1))))
