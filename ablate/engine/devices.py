"""Which device and which precision a stage runs with."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ablate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Compute:
    """What a generation is computed with.

    Attributes:
        device: a torch device.
        precision: ``"bf16"`` or ``"fp32"``, for models that offer a stepper; the others predict as they are.
        threads: for torch on a CPU, where several give the very bits of one.
        fused: whether the rows of members that can be fused share each step; None is on a GPU only.
    """

    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 1
    fused: bool | None = None

    @property
    def fuses(self) -> bool:
        """Whether members are fused where they can be."""
        return is_fused(self.device, self.fused)


def is_fused(device: str, asked: bool | None) -> bool:  # noqa: FBT001
    """Whether networks that can be are used as one, as asked; None is on a GPU only, which is where it pays."""
    return device.startswith("cuda") if asked is None else asked


def resolve_device(asked: str) -> str:
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N`` to a device that is there.

    Raises:
        UsageError: the device does not exist on this machine.
    """
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if asked == "cpu":
        return asked
    index = re.fullmatch(r"cuda(?::([0-9]+))?", asked)
    if index is None:
        raise UsageError(f"--device {asked}: choose auto, cpu, cuda or cuda:N")
    if not torch.cuda.is_available():
        raise UsageError(f"--device {asked}: no CUDA device on this machine; choose cpu or auto")
    if index[1] and int(index[1]) >= torch.cuda.device_count():
        raise UsageError(f"--device {asked}: this machine has {torch.cuda.device_count()} CUDA device(s), from 0")
    return asked


def resolve_precision(asked: str, device: str) -> str:
    """``auto`` to ``bf16`` where the device multiplies it in hardware, otherwise ``fp32``."""
    if asked != "auto":
        return asked
    if device.startswith("cuda"):
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if _cpu_has_bf16() else "fp32"


@functools.cache
def _cpu_has_bf16() -> bool:
    # torch offers no public question for this; without these units bf16 is emulated and slower than fp32
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_device(device: str) -> contextlib.AbstractContextManager[Any]:
    """Make a GPU the current one meanwhile, for what torch does there without being told where."""
    return torch.cuda.device(device) if device.startswith("cuda") else contextlib.nullcontext()


def free_threads() -> int:
    """How many threads torch would take by itself, for work with no other process beside it."""
    return torch.get_num_threads()


def one_thread() -> contextlib.AbstractContextManager[None]:
    """Let torch compute with one thread meanwhile: equal results to the bit, and the quicker way for small steps."""
    return torch_threads(1)


class Memory(NamedTuple):
    """Memory in bytes: a process's own, and what it maps from files, which others may map too; 0 where unknown."""

    own: int
    shared: int


def peak_memory(device: str) -> Memory:
    """The most memory that this process has had so far: of a GPU that of the device, otherwise the system's."""
    if device.startswith("cuda"):
        return Memory(torch.cuda.max_memory_reserved(device), 0)
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return Memory(_peak_elsewhere(), 0)
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "kB" in rest
    }
    return Memory(1024 * (kilobytes["VmHWM"] - kilobytes["RssFile"]), 1024 * kilobytes["RssFile"])


def _peak_elsewhere() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


@functools.cache
def product_rate(device: str, precision: str) -> float:
    """What a training could compute at best, in FLOP/s: the rate of one large matrix product, tried here and now.

    It takes some hundredths of a second, once for each process, device and precision.
    """
    size = 1024 if device == "cpu" else 8192
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.ones(size, size, dtype=dtype, device=device) for _ in range(2))
    seconds = []
    for _ in range(4):  # the first one warms up
        begun = time.perf_counter()
        product = left @ right
        float(product[0, 0])  # waits for the device
        seconds.append(time.perf_counter() - begun)
    return 2 * size**3 / min(seconds)


def device_name(device: str) -> str:
    """The device as people know it, for the record."""
    if device.startswith("cuda"):
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return "cpu"


def spread(device: str, workers: int) -> list[str]:
    """The device of each worker: members go to whichever is free, so they spread over all GPUs of this machine."""
    if device == "cpu":
        return ["cpu"] * max(workers, 1)
    if device != "cuda":  # one of them by its number
        return [device]
    return [f"cuda:{index}" for index in range(min(torch.cuda.device_count(), max(workers, 1)))] or [device]
