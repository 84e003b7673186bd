"""Calls of the command ``ablate`` in the checkout, where study files are known by their names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ablate.errors import AblateError

ROOT = Path(__file__).resolve().parents[2]


class CommandFailedError(AblateError):
    """A command ended with an error."""


def ablate_command(*words: str, shown: bool = False) -> None:
    """Run a command of ablate.

    Args:
        words: after ``ablate``.
        shown: whether its output is shown while it runs.

    Raises:
        CommandFailedError: its exit code is not 0; with its last line.
    """
    command = [sys.executable, "-P", "-m", "ablate", *words]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        text=True,
        check=False,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
    )
    if done.returncode:
        last = (done.stdout or "see above").strip().splitlines()[-1]
        raise CommandFailedError(f"ablate {' '.join(words)} ended with exit code {done.returncode}: {last}")
