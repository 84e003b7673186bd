"""Attack the parser of study files with random inputs: ``python tools/fuzz_study.py --executions 100000``.

Inputs are changed studies, put together from those that come with ablate and from the examples in the documentation,
and their bytes changed; with values of ``--set``, ``--profile``, ``--corpus``, ``--seed`` and ``--replicates``
(``tests/support/study_fuzzing.py``). Each must end in a study that is laid out, or in lines with the file and the key.
A failure is a crash, any other exception, a hang (over 20 s of CPU), more than 1 GiB of memory, or a refusal with lines
that cannot be printed. Input number N of a seed is always the same, so a run can be repeated or continued
(``--first``).
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.fuzzer import Fuzzer, add_options
from support.study_attack import attack_study
from support.study_fuzzing import make_attack

#: A folder in memory, where the system has one: writing to a disk takes longer than reading a study.
MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it have names of their own


class Studies:
    """Study files with overrides, as a target."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def execute(self, number: int) -> tuple[str, str, float, bool]:
        """Read and lay out one study in a folder of its own."""
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            outcome = attack_study(make_attack(self._seed, number), Path(folder))
        return outcome.kind, outcome.reason, outcome.seconds, outcome.failed

    def save(self, number: int, kind: str, folder: Path) -> None:
        """Save the study file, and the overrides next to it."""
        data, *overrides = make_attack(self._seed, number)
        name = f"{kind.replace(' ', '-')}-{self._seed}-{number}"
        (folder / f"{name}.toml").write_bytes(data)
        (folder / f"{name}.json").write_text(json.dumps(overrides), encoding="utf-8")


def main() -> int:
    """Run the fuzzer; return 1 if an input fails."""
    parser = argparse.ArgumentParser(description="Attack the parser of study files with random inputs.")
    add_options(parser)
    options = parser.parse_args()
    logging.disable()
    fuzzer = Fuzzer(options, Studies(options.seed))
    fuzzer.run()
    fuzzer.tell_reasons()
    return int(bool(fuzzer.failures))


if __name__ == "__main__":
    sys.exit(main())
