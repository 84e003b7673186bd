"""Choose the device, the precision and the number of threads of a computation."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ablate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Compute:
    """Device, precision and threads of a generation.

    Attributes:
        device: a torch device.
        precision: ``"bf16"`` or ``"fp32"``, for models that have a stepper; other models run in float32.
        threads: of torch on a CPU; several are used only where the results equal those of one thread bit for bit.
        fused: whether to fuse models where possible.
    """

    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 1
    fused: bool = False


def is_fused(device: str, setting: bool | None = None) -> bool:  # noqa: FBT001
    """Return whether a study fuses models on this device; without a setting, it does so on a GPU only."""
    return device.startswith("cuda") if setting is None else setting


def resolve_device(setting: str, *, elsewhere: bool = False) -> str:
    """Return the device for a setting: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Args:
        setting: of ``--device``.
        elsewhere: whether an executor chooses the machines; this one then needs no GPU for ``cuda``.

    Raises:
        UsageError: the device does not exist on this machine.
    """
    if setting == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if setting == "cpu":
        return setting
    index = re.fullmatch(r"cuda(?::([0-9]+))?", setting)
    if index is None:
        raise UsageError(f"--device {setting}: choose auto, cpu, cuda or cuda:N")
    if elsewhere and index[1]:
        raise UsageError(f"--device {setting}: the executor chooses the GPU of each job; use --device cuda")
    if elsewhere:
        return setting
    if not torch.cuda.is_available():
        raise UsageError(f"--device {setting}: no CUDA device on this machine; choose cpu or auto")
    if index[1] and int(index[1]) >= torch.cuda.device_count():
        raise UsageError(f"--device {setting}: this machine has {torch.cuda.device_count()} CUDA device(s), from 0")
    return setting


def resolve_precision(setting: str, device: str) -> str:
    """Return the precision for a setting; ``auto`` is ``bf16`` on hardware with native bf16, otherwise ``fp32``."""
    if setting != "auto":
        return setting
    if device.startswith("cuda"):
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if _cpu_has_bf16() else "fp32"


@functools.cache
def _cpu_has_bf16() -> bool:
    # torch has no public function for this; without these units bf16 is emulated and slower than fp32
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Set torch's number of threads inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def on_device(device: str) -> Iterator[None]:
    """Make a GPU torch's current device inside the context, without TF32; do nothing for a CPU.

    By torch's default, cuDNN rounds the factors of float32 products in ``nn.LSTM``, ``nn.GRU`` and convolutions to
    TF32, which has the digits of float16. Fused models are computed in float32, so those that are not must be, too.
    """
    if not device.startswith("cuda"):
        yield
        return
    fix_order_of_sums()
    with torch.cuda.device(device), _without_tf32():
        yield


@contextlib.contextmanager
def _without_tf32() -> Iterator[None]:
    before = _set_tf32(allowed=False)
    try:
        yield
    finally:
        _set_tf32(allowed=before)


def _set_tf32(*, allowed: bool) -> bool:
    """Set whether cuDNN uses TF32, and return what was set before."""
    cudnn: Any = torch.backends.cudnn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch 2.9 advises other names, which 2.6 does not have
        try:
            before = bool(cudnn.allow_tf32)
        except RuntimeError:  # a component has set it for recurrent layers and convolutions separately
            before = True
        cudnn.allow_tf32 = allowed
    return before


def fix_order_of_sums() -> None:
    """Let the recurrent layers of cuDNN add in the same order every time; call it before anything uses a GPU.

    They compute by cuBLAS on streams of their own, and cuBLAS then gives the same bits only with a workspace of fixed
    size, which it reads from the environment when it is first used.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def free_threads() -> int:
    """Return torch's default number of threads, for work with no other process beside it."""
    return torch.get_num_threads()


def one_thread() -> contextlib.AbstractContextManager[None]:
    """Set torch's number of threads to 1 inside the context: small steps are faster, and results reproducible."""
    return torch_threads(1)


@functools.cache
def product_rate(device: str, precision: str) -> float:
    """Measure the largest rate that a training could reach, in FLOP/s: that of one large matrix product.

    This takes a few hundredths of a second, once for each process, device and precision.
    """
    if device != "cpu":
        fix_order_of_sums()
    size = 1024 if device == "cpu" else 8192
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.ones(size, size, dtype=dtype, device=device) for _ in range(2))
    seconds = []
    for _ in range(4):  # the first one warms up
        begin = time.perf_counter()
        product = left @ right
        float(product[0, 0])  # waits for the device
        seconds.append(time.perf_counter() - begin)
    return 2 * size**3 / min(seconds)


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # neither on macOS nor on Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def gpu_names() -> list[str]:
    """Return the names of the GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` has them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    names = [name.strip() for name in visible.split(",")] if visible else list(map(str, range(count)))
    return names[:count]


def spread(device: str, workers: int) -> list[str]:
    """Return the device of each worker of this machine: one for each GPU of ``device``, then the cores.

    A worker of a GPU occupies a core. One core at least works beside the GPUs, on what needs none.

    Args:
        device: ``"cpu"``, ``"cuda"`` for all GPUs, or ``"cuda:N"``.
        workers: the number of cores to use; fewer than GPUs leave some of these idle.
    """
    if device == "cpu":
        return ["cpu"] * max(workers, 1)
    count = min(torch.cuda.device_count(), max(workers, 1)) if device == "cuda" else 0
    gpus = [f"cuda:{index}" for index in range(count)] or [device]
    return [*gpus, *["cpu"] * max(workers - len(gpus), 1)]
