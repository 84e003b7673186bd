"""Models of single fp16 layers as branches of one CUDA graph: a process of its own, for a recording may harm it.

python gpu_branches.py MODELS HIDDEN LAYERS ROWS WINDOW
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from gpu_timing import Timing, repeated

if TYPE_CHECKING:
    from bench_gpu import Size

#: Seconds that the process may take.
LIMIT = 25


def elsewhere(size: Size, models: int) -> Timing:
    """Have the branches timed in another process."""
    numbers = [models, size.hidden, size.layers, size.rows, size.window]
    done = subprocess.run(
        [sys.executable, __file__, *map(str, numbers)], capture_output=True, text=True, check=False, timeout=LIMIT
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return Timing(*json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Time the branches, and print the result as JSON."""
    from bench_gpu import Size
    from gpu_ways import Branches

    models, hidden, layers, rows, window = map(int, sys.argv[1:])
    size = Size(hidden, layers, rows, window)
    print(json.dumps(repeated(lambda: Branches(size, models, "cuda").steps)(time.perf_counter)))


if __name__ == "__main__":
    main()
