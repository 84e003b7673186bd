"""Commands of ``ablate``, and tests, beside packages that pip has installed into a folder of their own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from support.forked import Forked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PROGRAM = "import json, sys; from support import installed; installed.{}(*json.loads(sys.argv[1]))"


@dataclasses.dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    returncode: int
    stdout: str
    stderr: str


def commands(site: Path, folder: Path, *lines: Sequence[str], **variables: str) -> Finished:
    """Run command lines in one process whose module path begins with a folder of packages.

    Args:
        site: the folder of packages.
        folder: in which the process runs.
        lines: the words of each command line, without ``ablate``.
        variables: additions to the environment.
    """
    return _finished("run_commands", site, folder, lines, variables)


def tests(site: Path, folder: Path, *words: str | Path, **variables: str) -> Finished:
    """Run pytest, for which a warning is an error, in a process whose module path begins with a folder of packages.

    Args:
        site: the folder of packages.
        folder: in which the process runs.
        words: of its command line.
        variables: additions to the environment.
    """
    strict = ("-q", "-W", "error", "-p", "no:cacheprovider", "--import-mode=importlib")
    return _finished("run_tests", site, folder, [(*strict, *words)], variables)


def _finished(
    function: str, site: Path, folder: Path, lines: Sequence[Sequence[str | Path]], variables: dict[str, str]
) -> Finished:
    """Call a function of this module in a process."""
    environment = {name: value for name, value in os.environ.items() if name != "ABLATE_STRICT_PLUGINS"}
    environment |= {"NO_COLOR": "1", **variables}
    work = str(site), [[str(word) for word in line] for line in lines]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if sys.platform == "linux":
            with Forked(
                f"{__name__}:{function}", *work, stdout=out, stderr=err, cwd=folder, env=environment
            ) as process:
                code = process.wait(300)
        else:
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
            program = [sys.executable, "-c", _PROGRAM.format(function), json.dumps(work)]
            code = subprocess.run(program, cwd=folder, stdout=out, stderr=err, env=environment, check=False).returncode
        out.seek(0)
        err.seek(0)
        return Finished(code, out.read().decode(), err.read().decode())


def run_commands(site: str, lines: Sequence[Sequence[str]]) -> None:
    """Run command lines, and exit with the largest code; nobody reads how long their studies are expected to take."""
    sys.path.insert(0, site)
    from ablate.cli import run
    from ablate.study.plan import estimate

    estimate.LONG_ENOUGH = 0
    sys.exit(max(run(list(line)) for line in lines))


def run_tests(site: str, lines: Sequence[Sequence[str]]) -> None:
    """Run pytest once for each line of words, and exit with the largest code."""
    sys.path.insert(0, site)
    import pytest

    sys.exit(max(int(pytest.main(list(line))) for line in lines))
