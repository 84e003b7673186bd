"""Run sections as processes, one after another, each with a limit on its time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
#: Where the processes find ablate, its plugins and what the sections call.
FOLDERS = [str(ROOT / folder) for folder in ("", "plugins", "tools", "tests", "tests/benchmarks")]
SECTION = (sys.executable, "-P", "-m", "device_check.section")


class Limit(NamedTuple):
    """A section by its name, and the seconds that it may take."""

    name: str
    seconds: float


class Runner:
    """Runs sections, and writes results.json again after each.

    Args:
        folder: for the results; a section writes its own to ``NAME.json`` in it.
        seconds: that all sections may take together.
        words: that follow the name of a section in its command.
        machine: facts about the machine, for results.json.
        program: the words before the name.
    """

    def __init__(
        self,
        folder: Path,
        seconds: float,
        words: Sequence[str],
        machine: Mapping[str, str],
        program: Sequence[str] = SECTION,
    ) -> None:
        self._folder, self._words, self._machine, self._program = folder, words, machine, program
        self._end = time.monotonic() + seconds

    def run(self, sections: Sequence[Limit]) -> dict[str, dict[str, Any]]:
        """Run sections one after another; return the outcome, the seconds and the results of each."""
        results: dict[str, dict[str, Any]] = {}
        for name, limit in sections:
            print(f"== {name}", flush=True)  # noqa: T201
            results[name] = self._run_section(name, min(limit, self._end - time.monotonic()))
            text = json.dumps({"machine": self._machine, "sections": results}, indent=1)
            (self._folder / "results.json").write_text(text + "\n", encoding="utf-8")
        return results

    def _run_section(self, name: str, seconds: float) -> dict[str, Any]:
        path, begun = self._folder / f"{name}.json", time.monotonic()
        path.unlink(missing_ok=True)
        outcome = _run_limited([*self._program, name, *self._words], seconds)
        results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        return {"outcome": outcome, "seconds": round(time.monotonic() - begun, 1), "results": results}


def _run_limited(words: Sequence[str], seconds: float) -> str:
    """Run a command and return how it ended; after its limit, it is ended with all that it has started."""
    if seconds <= 0:
        return "not started: no time left"
    paths = [*FOLDERS, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(words, env=environment, start_new_session=True)  # noqa: S603
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"ended after its limit of {seconds:.0f} s"
    finally:
        _end_group(process)
    return {0: "passed", 1: "failed"}.get(code, f"ended with code {code}")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # they have ended; the second is what macOS raises
        return
    process.wait()


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a line for each section: its outcome, its seconds, and the number of its faults."""
    lines = ["== summary"]
    for name, result in results.items():
        faults = sum(each["ok"] is False for each in result["results"])
        lines.append(f"{name:<12}{result['seconds']:>7} s  {result['outcome']}, faults: {faults}")
    return "\n".join(lines)
