"""The script of a job."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ablate_slurm.options import SlurmOptions


def job_script(python: str, session: Path, options: SlurmOptions, path: str) -> str:
    """Return the text of the script of a job.

    Args:
        python: to start.
        session: the folder that is shared with the driver.
        options: of the executor.
        path: the variable ``PYTHONPATH``; empty for none.
    """
    lines = ["#!/bin/bash", *([f"export PYTHONPATH={shlex.quote(path)}"] if path else []), *options.before]
    words = [python, "-P", "-m", "ablate_slurm.node.pilot", str(session), str(options.seconds_of_notice)]
    return "\n".join([*lines, f"exec {shlex.join(words)}", ""])
