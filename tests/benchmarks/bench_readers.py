"""Commands that read, alone and beside a run that writes the same database: with 1, 5 and 20 processes at once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Case, Table, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDY = "tau_sweep@smoke"
#: The processes at once, and how often.
CROWDS = {1: 8, 5: 4, 20: 2}
#: A reading command may take this many times as long as an interpreter that imports click and pluggy.
MOST_TIMES = 4


class Home:
    """A home with a finished study, and commands that read it."""

    def __init__(self, folder: Path) -> None:
        self._ablate = str(Path(sys.executable).with_name("ablate"))
        # with compiled modules, as anywhere but in a container that forbids them
        self._environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        self._folder = folder
        self.run("study", "run", "tau_sweep", "--profile", "smoke", "--no-report")

    def run(self, *words: str, program: str = "") -> float:
        """Run a command to its end; return 1, the number of commands."""
        command = [program or self._ablate, *words]
        subprocess.run(command, check=True, capture_output=True, cwd=self._folder, env=self._environment)
        return 1.0

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Run a larger study meanwhile, which writes to the database all the time."""
        command = [self._ablate, "study", "run", "tau_sweep", "--replicates", "40", "--no-report"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, cwd=self._folder, env=self._environment, stdout=quiet, stderr=quiet) as process:
            time.sleep(6)  # until its workers train
            yield
            assert process.poll() is None, "the run has ended, so nothing was read beside it"
            process.terminate()

    def crowd(self, count: int) -> list[float]:
        """Show the study with so many processes at once, again and again; return the seconds of each."""

        def show(_: int) -> float:
            begun = time.perf_counter()
            self.run("study", "show", STUDY)
            return time.perf_counter() - begun

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return sorted(pool.map(show, range(count * CROWDS[count])))


def tables() -> Iterator[Table]:
    """The group's tables."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Home(Path(temporary))
        yield alone(home)
        notes = [percentiles(home, count, "alone") for count in CROWDS]
        with home.writer():
            notes += [percentiles(home, count, "beside a run") for count in CROWDS]
            table = beside(home)
        table.notes += notes
        yield table


def alone(home: Home) -> Table:
    """Every reading command against the least that a command of Python takes."""
    baseline = Case(
        "python -c 'import click, pluggy'", lambda: home.run("-c", "import click, pluggy", program=sys.executable)
    )
    commands = {
        "study show": ("study", "show", STUDY),
        "study list": ("study", "list"),
        "plugin list": ("plugin", "list"),
        "study export": ("study", "export", STUDY),
        "study compare": ("study", "compare", f"{STUDY}:tau=0.6", f"{STUDY}:tau=0.8"),
    }
    light = ("study show", "study list", "plugin list")
    cases = [
        Case(f"ablate {name}", lambda w=words: home.run(*w), target=1 / MOST_TIMES if name in light else 0)  # type: ignore[misc]
        for name, words in commands.items()
    ]
    return compare("Reading, commands a second", "commands", [baseline, *cases], rounds=7)


def beside(home: Home) -> Table:
    """The commands that need no frame, while another process writes."""
    cases = [
        Case(
            "python -c 'import click, pluggy'", lambda: home.run("-c", "import click, pluggy", program=sys.executable)
        ),
        Case("ablate study show", lambda: home.run("study", "show", STUDY)),
        Case("ablate study list", lambda: home.run("study", "list")),
    ]
    return compare("Reading beside a run, commands a second", "commands", cases, rounds=7)


def percentiles(home: Home, count: int, where: str) -> str:
    """Return the median and the 99th percentile of ``ablate study show`` with so many processes at once."""
    seconds = home.crowd(count)
    highest = seconds[min(len(seconds) - 1, int(0.99 * len(seconds)))]
    middle = statistics.median(seconds)
    return f"study show {where}, {count} at once: p50 {middle:.2f} s, p99 {highest:.2f} s ({len(seconds)} commands)"
