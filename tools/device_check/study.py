"""Run a small study on the device and on the CPU, and show the verdicts of both."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.report.results import load_results

if TYPE_CHECKING:
    from device_check.check import Check

STUDY = ("tau_sweep", "--profile", "smoke", "--set", "training.precision=fp32")
#: Enough replicates for verdicts, which the profile has too few for.
LARGER = ("--set", "replicates=7", "--set", "training.steps=300")
ABLATE = (sys.executable, "-P", "-m", "ablate")
OBJECTIVE = "distance.average"


def run(check: Check) -> None:
    """Run the study twice; verdicts that are close to a limit may differ by rounding, so they decide nothing."""
    with tempfile.TemporaryDirectory() as folder:
        verdicts = _verdicts(check, check.device, Path(folder, "device"))
        on_cpu = _verdicts(check, "cpu", Path(folder, "cpu"))
    for name, verdict in verdicts.items():
        check.report(f"{name}: verdicts on {check.device} and on the CPU", [verdict, on_cpu[name]])


def _verdicts(check: Check, device: str, home: Path) -> dict[str, str]:
    """Run the study on a device; return the verdict and the difference of each variant in the objective.

    Raises:
        RuntimeError: it did not end well.
    """
    words = ["study", "run", *STUDY, *(() if check.tiny else LARGER), "--no-report", "--device", device]
    begun = time.monotonic()
    code, lines = check.command(f"study-{home.name}", [*ABLATE, *words, "--home", str(home)])
    check.report(f"{STUDY[0]} on {device}, seconds", round(time.monotonic() - begun, 1), ok=not code)
    if code:
        raise RuntimeError(lines[-1] if lines else "the study ended without a word")
    effects = load_results(_name(check, home), home).effects()
    asked = effects[(effects["metric"] == OBJECTIVE) & (effects["kind"] == "variant") & effects["verdict"].astype(bool)]
    return {str(row.comparison): f"{row.verdict}, {row.difference:+.3g}" for row in asked.itertuples()}


def _name(check: Check, home: Path) -> str:
    """Return the name of the only study that was run in a home: it depends on the settings."""
    _, lines = check.command("study-list", [*ABLATE, "study", "list", "--json", "--home", str(home)])
    return next(str(each["name"]) for each in json.loads("\n".join(lines)) if each["updated"])
