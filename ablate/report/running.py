"""Run a study from Python: the command ``ablate study run`` in a process of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING

from ablate.errors import AblateError, UsageError
from ablate.home import home_path
from ablate.report.results import StudyResults, load_results

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

#: The exit code of a command that has to be changed.
_WRONG_COMMAND = 2
#: What the command prints before its error: ablate itself, or the parser of its options.
_ERROR = re.compile(r"^[eE]rror: ", re.MULTILINE)


def run_study(
    study: str | os.PathLike[str],
    *,
    profile: str = "",
    corpus: str | os.PathLike[str] = "",
    replicates: int | None = None,
    settings: Sequence[str] = (),
    name: str = "",
    workers: int | None = None,
    home: str | os.PathLike[str] | None = None,
) -> StudyResults:
    """Run what is missing of a study, print its progress, write its report, and return its results.

    The study runs in a process of its own, so it needs no ``if __name__ == "__main__"``, and plugins that are only
    defined in a notebook are not part of it. Results that the home has are reused.

    Args:
        study: the name of a study that comes with ablate, or the path of a study file.
        profile: a profile of the study file, such as ``"smoke"``.
        corpus: music to use instead: a MIDI file, a folder, or the name of a corpus.
        replicates: the number of repetitions, from 1.
        settings: other settings to change, as with ``--set``: ``["training.steps=300"]``.
        name: to store the study under; default: the file's name and the overrides.
        workers: the number of worker processes, from 1; default: one for each core.
        home: the folder for the results; default ``$ABLATE_HOME``, or else ``.ablate``.

    Raises:
        UsageError: an argument is wrong, such as an unknown profile.
        AblateError: the study file has problems, or a run failed; the finished results are kept.
    """
    if isinstance(settings, str):
        raise UsageError(f"settings: give a list of texts, such as [{settings!r}]")
    folder = home_path(home).resolve()
    words = ["--json", "--yes", "--home", str(folder)]
    options = {
        "--profile": profile,
        "--corpus": corpus,
        "--name": name,
        "--replicates": replicates,
        "--workers": workers,
    }
    words += [word for option, value in options.items() if value not in ("", None) for word in (option, str(value))]
    words += [word for setting in settings for word in ("--set", setting)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        command = [sys.executable, "-P", "-m", "ablate", "study", "run", *words, "--", str(study)]
        _run(command, output)
        output.seek(0)
        return load_results(json.load(output)["name"], folder)


def _run(command: Sequence[str], output: IO[str]) -> None:
    """Run a command, print what it reports while it runs, and raise its error."""
    error: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=output, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace"
    ) as process:
        assert process.stderr is not None  # noqa: S101 - a pipe was asked for
        try:
            for line in process.stderr:
                if error or line.startswith(("error: ", "Usage: ")):  # an error is the last thing, and may be long
                    error.append(line)
                else:
                    print(line, end="", flush=True)  # noqa: T201
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # in Jupyter, only the kernel is interrupted
            process.wait()
            raise
    text = "".join(error)
    if process.returncode:
        message = _ERROR.split(text, maxsplit=1)[-1].rstrip()
        kind = UsageError if process.returncode == _WRONG_COMMAND else AblateError
        raise kind(message or f"ablate study run ended with exit code {process.returncode}")
    print(text, end="", flush=True)  # noqa: T201 - a line of something else that began like an error
