"""Commands that only tell something, against an interpreter that imports click and pluggy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness import Case, Table, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A tenth slower than this many times the baseline is too slow, so the ratio must be at least its inverse.
MOST_TIMES = 2.5


def tables() -> Iterator[Table]:
    """The group's table."""
    ablate = str(Path(sys.executable).with_name("ablate"))
    # with compiled modules, as anywhere but in a container that forbids them
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:

        def run(*words: str) -> float:
            subprocess.run(words, check=True, capture_output=True, cwd=folder, env=environment)
            return 1.0

        cases = [Case("python -c 'import click, pluggy'", lambda: run(sys.executable, "-c", "import click, pluggy"))]
        cases += [
            Case(f"ablate {' '.join(words)}", lambda w=words: run(ablate, *w), target=1 / MOST_TIMES)
            for words in (["--help"], ["plugin", "list"], ["study", "list"])
        ]
        cases += [
            Case("python -c 'import torch'", lambda: run(sys.executable, "-c", "import torch")),
            Case("python -c 'import seaborn'", lambda: run(sys.executable, "-c", "import seaborn")),
        ]
        yield compare(
            "Starting, commands a second (at most 2.5 times the baseline is a ratio of at least 0.4)",
            "commands",
            cases,
            rounds=11,
        )
