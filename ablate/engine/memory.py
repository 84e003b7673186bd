"""Memory: the amount in use, releasing it on a GPU, and errors that report its end."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import NamedTuple

import torch


class Memory(NamedTuple):
    """Memory in bytes; 0 where unknown.

    Attributes:
        own: memory of this process alone.
        shared: files that this process maps, which other processes may map too.
    """

    own: int
    shared: int


def peak_memory(device: str) -> Memory:
    """Return the most memory that this process has used so far: on a GPU the device's memory, otherwise main memory."""
    if device.startswith("cuda"):
        return Memory(torch.cuda.max_memory_reserved(device), 0)
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return Memory(_peak_without_proc(), 0)
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "kB" in rest
    }
    return Memory(1024 * (kilobytes["VmHWM"] - kilobytes["RssFile"]), 1024 * kilobytes["RssFile"])


def _peak_without_proc() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def release_memory(device: str) -> None:
    """Return unused memory of a GPU to its driver; do nothing on a CPU."""
    if device.startswith("cuda"):
        gc.collect()
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Check whether an error of torch, or of one of CUDA's libraries, reports that memory ran out."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in text or "ALLOC_FAILED" in text)
