"""The places that suit a task: a stage that runs a network needs a GPU in a study on GPUs, and the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ablate.interfaces.executor import Place


def suited(devices: Iterable[str], gpus: float) -> list[str]:
    """Return the devices, each once, on which a task can run: GPUs if it needs one, else CPUs, or GPUs without them."""
    each = list(dict.fromkeys(devices))
    with_gpu = [device for device in each if device.startswith("cuda")]
    if gpus:
        return with_gpu
    return [device for device in each if device not in with_gpu] or with_gpu


def slots_for(places: Sequence[Place], gpus: float) -> int:
    """Return how many tasks can run side by side; 1 without any place, so that a cluster learns that one is needed."""
    devices = suited((place.device for place in places), gpus)
    return sum(place.slots for place in places if place.device in devices) or 1
