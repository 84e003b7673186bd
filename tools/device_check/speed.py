"""Time training and generation with the benchmarks of the group gpu."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device_check.check import Check

BENCHMARKS = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"


def run(check: Check) -> None:
    """Run the group, and report the rate of each way and the notes; without a GPU it measures nothing."""
    path = check.folder / "gpu.json"
    path.unlink(missing_ok=True)
    code, lines = check.command("bench", [sys.executable, str(BENCHMARKS), "gpu", "--out", str(check.folder)])
    check.report(
        "tests/benchmarks gpu", lines[-1] if lines else "no output", ok=not code and path.exists() == check.on_gpu
    )
    for table in json.loads(path.read_text(encoding="utf-8"))["tables"] if path.exists() else ():
        for row in table["rows"]:
            check.report(f"{table['title']}: {row['name']}, {table['unit']}/s", round(row["rate"]))
        for note in table["notes"]:
            check.report(f"{table['title']}: note", note)
