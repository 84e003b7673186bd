"""Run the tests marked gpu."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device_check.check import Check

ROOT = Path(__file__).resolve().parents[2]


def run(check: Check) -> None:
    """Run them all, or those of one file in a rehearsal; without a GPU they are skipped."""
    where = ROOT / "tests" / ("engine/training/test_capacity.py" if check.tiny else "")
    words = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    code, lines = check.command("pytest", [*words, "-c", str(ROOT / "pyproject.toml"), str(where)])
    summary = lines[-1] if lines else "no output"
    check.report("pytest -m gpu", summary, ok=not code and (" passed" in summary or not check.on_gpu))
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            check.report("  one of them", line, ok=False)
