"""Check ablate on a GPU in less than ten minutes: ``python tools/device_check [SECTION ...]``.

The sections, the most valuable first:

- agreement: losses, gradients and samples of fused models against those of separate models
- capture: steps are recorded as CUDA graphs, and run unrecorded after a message where that fails
- memory: the memory of a fused group against its estimate, and a group that is too large
- tests: the tests marked gpu
- study: a small study on the GPU beside the same one on the CPU
- speed: training and generation, timed by the benchmarks of the group gpu

Each section is a process with a limit on its time, so one that fails does not end the others. Results are printed as
they come, and results.json is written again after each section. On a machine without a GPU,
``--device cpu --tiny`` is a rehearsal: nothing can be recorded, measured in GPU memory or timed there.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from device_check.runner import Limit, Runner, table

#: The sections, each a module, and the seconds that each may take.
SECTIONS = {"agreement": 100, "capture": 80, "memory": 80, "tests": 180, "study": 120, "speed": 330}


def main() -> int:
    """Check the sections asked for; return 1 if any found a fault or did not end well."""
    parser = argparse.ArgumentParser(prog="device_check", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of: {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: cuda")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to rehearse")
    parser.add_argument("--out", type=Path, default=Path("device-check"), help="folder for the results")
    parser.add_argument("--seconds", type=float, default=590, help="limit on the time of all sections together")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    machine = describe_machine()
    if options.device == "cuda" and not machine["gpu"]:
        parser.error("no CUDA device on this machine; to rehearse without one: --device cpu --tiny")
    print(*filter(None, machine.values()), sep=", ")  # noqa: T201
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    words = [options.device, str(out), *(["--tiny"] if options.tiny else [])]
    results = Runner(out, options.seconds, words, machine).run(
        [Limit(name, SECTIONS[name]) for name in options.sections or SECTIONS]
    )
    print(table(results), f"Results: {out / 'results.json'}", sep="\n")  # noqa: T201
    return int(any(result["outcome"] != "passed" for result in results.values()))


def describe_machine() -> dict[str, str]:
    """Return what the results depend on, for people; the GPU is empty where there is none."""
    import torch

    return {
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        "cores": f"{os.cpu_count()} cores",
        "python": f"Python {platform.python_version()}",
        "torch": f"torch {torch.__version__}",
    }


if __name__ == "__main__":
    sys.exit(main())
