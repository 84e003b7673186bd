"""Attack the reader of MIDI files with random inputs: ``python tools/fuzz_reader.py --executions 100000 FOLDER ...``.

Inputs are mutations of the MIDI files in the folders, and files made event by event (``tests/support/fuzzing.py``). A
failure is a crash, a hang (over 5 s of CPU), more than 1 GiB of memory, an exception that is no ``CorpusError``, or
another reading than that of the independent reader (``tests/support/mido_reader.py``). Every failing input is saved,
and a minimised copy next to it. Input number N of a seed is always the same, so a run can be repeated or continued
(``--first``). Run it after a change of the reader, as long as you like: 100,000 executions take about two minutes.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.attack import attack, limit_memory, minimise, peak_memory
from support.fuzzing import make_input

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Files of this size, in bytes, and smaller ones are mutated; for speed.
LARGEST_FILE = 5_000
#: One of EVERY inputs up to this size, in bytes, is compared with the independent reader, which takes longer.
COMPARED, EVERY = 3_000, 3
#: Seconds without a sign of life after which a worker is ended: it hangs in C code.
SILENT = 120.0
#: Executions after which a worker reports.
BATCH = 500


def read_files(folders: Sequence[str]) -> list[bytes]:
    """Return the contents of the MIDI files below the folders."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    contents = (path.read_bytes() for path in paths if path.stat().st_size <= LARGEST_FILE)
    return [data for data in contents if data[:4] in {b"MThd", b"RIFF"}]


def work(numbers: range, seed: int, files: list[bytes], at: Any, reports: Any) -> None:
    """Execute inputs, and put into ``reports`` their counts and the failures; ``at`` is the number at work."""
    limit_memory()
    counts: Counter[str] = Counter()
    slowest = (0.0, -1)
    for done, number in enumerate(numbers, 1):
        at.value = number
        data = make_input(seed, number, files)
        result = attack(data, compared=len(data) <= COMPARED and number % EVERY == 0)
        counts[result.kind if result.kind != "refused" else f"refused: {' '.join(result.reason.split()[:5])}"] += 1
        slowest = max(slowest, (result.seconds, number))
        if result.failed:
            reports.put(("failure", number, result.kind, result.reason))
        if done % BATCH == 0 or done == len(numbers):
            reports.put(("counts", counts, slowest, peak_memory()))
            counts = Counter()
    at.value = -1


class Fuzzer:
    """Runs the workers and collects what they report."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options, self._files = options, read_files(options.folders)
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
        process = multiprocessing.Process(
            target=work, args=(numbers, self._options.seed, self._files, at, self._reports)
        )
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
        self.failures.append((number, kind, reason))
        _say(f"FAILURE {kind} of input {number}: {reason}")
        if not self._options.save or len(self.failures) > self._options.most:
            return
        folder = Path(self._options.save)
        folder.mkdir(parents=True, exist_ok=True)
        data = make_input(self._options.seed, number, self._files)
        name = f"{kind}-{self._options.seed}-{number}"
        (folder / f"{name}.mid").write_bytes(data)
        if kind in {"exception", "different"} and len(data) < LARGEST_FILE:
            small = minimise(data, lambda tried: attack(tried, compared=kind == "different").kind == kind)
            (folder / f"{name}.min.mid").write_bytes(small)

    def _tell(self, seconds: float) -> None:
        refused = sum(count for kind, count in self._counts.items() if kind.startswith("refused"))
        total = self._counts.total()
        _say(
            f"{total:,} executions in {seconds:,.0f} s: {self._counts['read']:,} read, {refused:,} refused, "
            f"{len(self.failures)} failures; slowest {self._slowest[0]:.2f} s (input {self._slowest[1]}), "
            f"most memory {self._memory / 2**20:,.0f} MiB"
        )

    def tell_reasons(self) -> None:
        """Print the reasons of refusals, the most frequent first."""
        for kind, count in self._counts.most_common():
            _say(f"{count:10,} {kind}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the fuzzer; return 1 if an input fails."""
    parser = argparse.ArgumentParser(description="Attack the reader of MIDI files with random inputs.")
    parser.add_argument("folders", nargs="*", help="Folders with MIDI files to mutate.")
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="Number of the first input, to continue a run.")
    parser.add_argument("--save", default="", help="Folder for failing inputs.")
    parser.add_argument("--most", type=int, default=50, help="Number of failing inputs to save.")
    fuzzer = Fuzzer(parser.parse_args())
    fuzzer.run()
    fuzzer.tell_reasons()
    return int(bool(fuzzer.failures))


if __name__ == "__main__":
    sys.exit(main())
