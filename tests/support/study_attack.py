"""Read and lay out a study file made at random, and judge the result, for the fuzzer and its short version."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ablate.cli.settings import parse_setting
from ablate.errors import AblateError, StudyFileError
from ablate.printable import printable
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from support.attack import HangError, limited

if TYPE_CHECKING:
    from pathlib import Path

    from support.study_fuzzing import Attack

#: CPU seconds that one input may take.
SECONDS = 20.0
#: Larger studies are read, but not laid out: that takes time in proportion to the runs.
MOST_RUNS = 2_000
#: The most lines of a refusal, and the most characters of each.
MOST_LINES, LONGEST_LINE = 101, 10_000


class Outcome(NamedTuple):
    """Result of one execution.

    Attributes:
        kind: "laid out", "refused", or a failure: "hang", "memory", "exception", "not one line".
        reason: of a refusal or failure.
        seconds: of CPU.
    """

    kind: str
    reason: str
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether ablate is at fault."""
        return self.kind not in {"laid out", "read", "refused"}


def attack_study(given: Attack, folder: Path) -> Outcome:
    """Read an input, written to a file in ``folder``, and lay it out."""
    path = folder / "fuzzed.toml"
    path.write_bytes(given.data)
    start = time.process_time()
    try:
        with limited(SECONDS):
            kind, reason = _judged(given, path)
    except HangError:
        kind, reason = "hang", f"over {SECONDS:g} s"
    except MemoryError as error:
        kind, reason = "memory", str(error) or "out of memory"
    except Exception as error:  # noqa: BLE001 - any other is a fault
        kind, reason = "exception", f"{type(error).__name__}: {error}"[:500]
    return Outcome(kind, reason, time.process_time() - start)


def _judged(given: Attack, path: Path) -> tuple[str, str]:
    registry = get_registry()
    try:
        settings = tuple(parse_setting(text) for text in given.settings)
        overrides = Overrides(
            profile=given.profile,
            corpus=given.corpus,
            seed=given.seed,
            replicates=given.replicates,
            settings=settings,
        )
        spec = read_study(str(path), overrides, registry)
        if len(spec.variants()) * spec.replicates > MOST_RUNS:
            return "read", ""
        lay_out(spec, registry, "cpu").plain()
    except AblateError as error:
        problem = _line_problem(error, path)
        return ("not one line", problem) if problem else ("refused", _kind_of(error, path))
    return "laid out", ""


def _line_problem(error: AblateError, path: Path) -> str:
    """Return what is wrong with the lines of a refusal: each has its file, and nothing unprintable."""
    lines = str(error).split("\n")
    if len(lines) > MOST_LINES:
        return f"{len(lines)} lines"
    for line in lines:
        if not line.strip() or printable(line) != line:
            return f"unprintable: {printable(line)[:300]}"
        if len(line) > LONGEST_LINE:
            return f"{len(line)} characters: {line[:300]}"
        if isinstance(error, StudyFileError) and not line.startswith(f"{path}: "):
            return f"without its file: {line[:300]}"
    return ""


def _kind_of(error: AblateError, path: Path) -> str:
    """Return the words of a refusal that are the same for many inputs."""
    text = str(error).split("\n")[0].removeprefix(f"{path}: ")
    return " ".join(text.partition(": ")[2].split()[:4])
