"""Attack the reader of MIDI files with random inputs: ``python tools/fuzz_reader.py --executions 100000 FOLDER ...``.

Inputs are mutations of the MIDI files in the folders, and files made event by event (``tests/support/fuzzing.py``). A
failure is a crash, a hang (over 5 s of CPU), more than 1 GiB of memory, an exception that is no ``CorpusError``, or
another reading than that of the independent reader (``tests/support/mido_reader.py``). Every failing input is saved,
and a minimised copy next to it. Input number N of a seed is always the same, so a run can be repeated or continued
(``--first``). Run it after a change of the reader, as long as you like: 100,000 executions take about two minutes.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.attack import attack, minimise
from support.fuzzer import Fuzzer, add_options
from support.fuzzing import make_input

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Files of this size, in bytes, and smaller ones are mutated; for speed.
LARGEST_FILE = 5_000
#: One of EVERY inputs up to this size, in bytes, is compared with the independent reader, which takes longer.
COMPARED, EVERY = 3_000, 3


def read_files(folders: Sequence[str]) -> list[bytes]:
    """Return the contents of the MIDI files below the folders."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    contents = (path.read_bytes() for path in paths if path.stat().st_size <= LARGEST_FILE)
    return [data for data in contents if data[:4] in {b"MThd", b"RIFF"}]


class Reader:
    """The reader of MIDI files, as a target."""

    def __init__(self, seed: int, folders: Sequence[str]) -> None:
        self._seed, self._files = seed, read_files(folders)

    def execute(self, number: int) -> tuple[str, str, float, bool]:
        """Read one file, and compare it with the independent reader now and then."""
        data = make_input(self._seed, number, self._files)
        result = attack(data, compared=len(data) <= COMPARED and number % EVERY == 0)
        return result.kind, result.reason, result.seconds, result.failed

    def save(self, number: int, kind: str, folder: Path) -> None:
        """Save the file, and a minimised copy next to it."""
        data = make_input(self._seed, number, self._files)
        name = f"{kind}-{self._seed}-{number}"
        (folder / f"{name}.mid").write_bytes(data)
        if kind in {"exception", "different"} and len(data) < LARGEST_FILE:
            small = minimise(data, lambda tried: attack(tried, compared=kind == "different").kind == kind)
            (folder / f"{name}.min.mid").write_bytes(small)


def main() -> int:
    """Run the fuzzer; return 1 if an input fails."""
    parser = argparse.ArgumentParser(description="Attack the reader of MIDI files with random inputs.")
    parser.add_argument("folders", nargs="*", help="Folders with MIDI files to mutate.")
    add_options(parser)
    options = parser.parse_args()
    fuzzer = Fuzzer(options, Reader(options.seed, options.folders))
    fuzzer.run()
    fuzzer.tell_reasons()
    return int(bool(fuzzer.failures))


if __name__ == "__main__":
    sys.exit(main())
