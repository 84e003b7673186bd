"""What this machine can do at best, measured: the limits that stand beside the measurements."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable


def _best(run: object, times: int, rounds: int = 5, clock: Callable[[], float] = time.perf_counter) -> float:
    best = float("inf")
    for _ in range(rounds):
        begun = clock()
        for _ in range(times):
            run()  # type: ignore[operator]
        best = min(best, (clock() - begun) / times)
    return best


@functools.cache
def gemm_rate(precision: str, threads: int, rows: int = 256, inputs: int = 1024, outputs: int = 2048) -> float:
    """FLOP/s of one large matrix product with weights packed once, the fastest of several rounds."""
    from ablate.product import DTYPES, Product

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            product = Product(torch.randn(outputs, inputs), None, precision)
            x = torch.randn(rows, inputs).to(DTYPES[precision])
            product(x)
            # of one thread the CPU's seconds, which other work on the machine changes little
            clock = time.process_time if threads == 1 else time.perf_counter
            return 2 * rows * inputs * outputs / _best(lambda: product(x), 5, clock=clock)
    finally:
        torch.set_num_threads(before)


@functools.cache
def bandwidth(megabytes: float) -> float:
    """Bytes a second that a sum over so many megabytes reads: of the cache that they fit in, one thread."""
    numbers = np.ones(int(megabytes * 2**20 / 8))
    return numbers.nbytes / _best(numbers.sum, max(1, int(100 / megabytes)), clock=time.process_time)


@functools.cache
def copy_rate(device: str, megabytes: int) -> float:
    """Bytes a second that a device reads and writes in a copy of so many megabytes, counted both ways."""
    source = torch.ones(megabytes * 2**18, device=device)
    target = torch.empty_like(source)

    def copy() -> None:
        for _ in range(8):
            target.copy_(source)
        float(target[0])  # waits for the device

    copy()
    return 8 * 2 * source.numel() * 4 / _best(copy, 1)
