"""Run one section in this process: ``python -m device_check.section NAME DEVICE FOLDER [--tiny]``, by the runner."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from device_check.check import Check


def main() -> int:
    """Run the section; return 1 if it found a fault."""
    name, device, folder, *rest = sys.argv[1:]
    check = Check(name, Path(folder), device, tiny="--tiny" in rest)
    with check.errors_kept():
        importlib.import_module(f"device_check.{name}").run(check)
    return int(check.failed)


if __name__ == "__main__":
    sys.exit(main())
