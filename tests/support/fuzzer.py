"""Execute many inputs in several processes, and collect counts and failures, for the tools that attack a reader."""

from __future__ import annotations

import ctypes
import multiprocessing
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from support.attack import limit_memory, peak_memory

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

#: Seconds without a sign of life after which a worker is ended: it hangs in C code.
SILENT = 120.0
#: Executions after which a worker reports.
BATCH = 500


class Target(Protocol):
    """What is attacked; input number N is always the same."""

    def execute(self, number: int) -> tuple[str, str, float, bool]:
        """Execute an input; return its kind of result, the reason, CPU seconds, and whether it failed."""

    def save(self, number: int, kind: str, folder: Path) -> None:
        """Save an input that failed."""


def work(target: Target, numbers: range, at: Any, reports: Any) -> None:
    """Execute inputs, and put into ``reports`` their counts and the failures; ``at`` is the number at work."""
    limit_memory()
    counts: Counter[str] = Counter()
    slowest = (0.0, -1)
    for done, number in enumerate(numbers, 1):
        at.value = number
        kind, reason, seconds, failed = target.execute(number)
        counts[kind if kind != "refused" else f"refused: {' '.join(reason.split()[:5])}"] += 1
        slowest = max(slowest, (seconds, number))
        if failed:
            reports.put(("failure", number, kind, reason))
        if done % BATCH == 0 or done == len(numbers):
            reports.put(("counts", counts, slowest, peak_memory()))
            counts = Counter()
    at.value = -1


class Fuzzer:
    """Runs the workers and collects what they report."""

    def __init__(self, options: argparse.Namespace, target: Target) -> None:
        self._options, self._target = options, target
        self._reports: Any = multiprocessing.Queue()
        self._counts: Counter[str] = Counter()
        self._slowest, self._memory = (0.0, -1), 0
        self.failures: list[tuple[int, str, str]] = []

    def run(self) -> None:
        """Execute all inputs and print a summary."""
        first, count, processes = self._options.first, self._options.executions, self._options.processes
        workers = [self._start(range(first + i, first + count, processes)) for i in range(processes)]
        begun = told = time.monotonic()
        while workers:
            self._receive()
            workers = [worker for old in workers for worker in self._watched(old)]
            if time.monotonic() - told > 60:
                told = time.monotonic()
                self._tell(told - begun)
        self._receive()
        self._tell(time.monotonic() - begun)

    def _start(self, numbers: range) -> dict[str, Any]:
        at = multiprocessing.Value(ctypes.c_int64, numbers.start)
        process = multiprocessing.Process(target=work, args=(self._target, numbers, at, self._reports))
        process.start()
        return {"process": process, "at": at, "numbers": numbers, "seen": (numbers.start, time.monotonic())}

    def _watched(self, worker: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the worker, its successor if it has crashed or hangs, or nothing if it is ready."""
        process, number = worker["process"], worker["at"].value
        if number != worker["seen"][0]:
            worker["seen"] = (number, time.monotonic())
        silent = time.monotonic() - worker["seen"][1] > SILENT
        if process.is_alive() and not silent:
            return [worker]
        process.kill()
        process.join()
        if number < 0:
            return []
        self._fail(number, "hang" if silent else "crash", f"the process ended with {process.exitcode}")
        rest = range(number + worker["numbers"].step, worker["numbers"].stop, worker["numbers"].step)
        return [self._start(rest)] if rest else []

    def _receive(self) -> None:
        time.sleep(0.5)
        while not self._reports.empty():
            what, *rest = self._reports.get()
            if what == "failure":
                self._fail(*rest)
            else:
                self._counts += rest[0]
                self._slowest, self._memory = max(self._slowest, rest[1]), max(self._memory, rest[2])

    def _fail(self, number: int, kind: str, reason: str) -> None:
        from pathlib import Path

        self.failures.append((number, kind, reason))
        say(f"FAILURE {kind} of input {number}: {reason}")
        if self._options.save and len(self.failures) <= self._options.most:
            folder = Path(self._options.save)
            folder.mkdir(parents=True, exist_ok=True)
            self._target.save(number, kind, folder)

    def _tell(self, seconds: float) -> None:
        refused = sum(count for kind, count in self._counts.items() if kind.startswith("refused"))
        others = [f"{count:,} {kind}" for kind, count in sorted(self._counts.items()) if kind in ("laid out", "read")]
        say(
            f"{self._counts.total():,} executions in {seconds:,.0f} s: {', '.join([*others, f'{refused:,} refused'])}, "
            f"{len(self.failures)} failures; slowest {self._slowest[0]:.2f} s (input {self._slowest[1]}), "
            f"most memory {self._memory / 2**20:,.0f} MiB"
        )

    def tell_reasons(self) -> None:
        """Print the reasons of refusals, the most frequent first."""
        for kind, count in self._counts.most_common():
            say(f"{count:10,} {kind}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every fuzzer."""
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="Number of the first input, to continue a run.")
    parser.add_argument("--save", default="", help="Folder for failing inputs.")
    parser.add_argument("--most", type=int, default=50, help="Number of failing inputs to save.")
