"""The command and the environment of a program, and the reason why it failed."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import StudyFileError
from ablate.study.program.inputs import digests
from ablate.study.program.placeholders import filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.study.stage import Stage
    from ablate.study.work.program.process import Ending

#: Variables with which libraries decide how many threads they compute with.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
#: The number of bytes that are read of the end of a log, and of the lines and characters that are shown.
_TAIL, _LINES, _CHARACTERS = 8192, 3, 400
#: Sequences that colour the text of a terminal or move its cursor.
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Places(NamedTuple):
    """The folders of a run: the one that is kept if the program succeeds, and the one that outlives a kill."""

    out: Path
    checkpoint: Path


def command_of(stage: Stage, places: Places) -> list[str]:
    """Return the program and its arguments; the folder ``{checkpoint}`` is made if the command names it."""
    values = _values(stage, places)
    _make_checkpoint(stage, places)
    return [filled(word, values) for word in stage.config["program"]["command"]]


def environment_of(stage: Stage, places: Places, gpus: Sequence[str]) -> dict[str, str]:
    """Return all environment variables: those of ablate, threads and GPUs, and those of the study."""
    values, threads = _values(stage, places), str(stage.extra["cores"])
    own = {name: filled(text, values) for name, text in stage.config["program"]["environment"].items()}
    settings = {**dict.fromkeys(THREADS, threads), "CUDA_VISIBLE_DEVICES": ",".join(gpus), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **settings, **own}


def _values(stage: Stage, places: Places) -> dict[str, str]:
    return {
        "out": str(places.out),
        "checkpoint": str(places.checkpoint),
        "threads": str(stage.extra["cores"]),
        "python": sys.executable,
    }


def _make_checkpoint(stage: Stage, places: Places) -> None:
    config = stage.config["program"]
    if any("{checkpoint}" in text for text in (*config["command"], *config["environment"].values())):
        places.checkpoint.mkdir(parents=True, exist_ok=True)


def changed_input(stage: Stage) -> str:
    """Return the first input that is not as it was when the fingerprint was made; empty if all of them are.

    A script that is edited while its study runs would otherwise leave results under the fingerprint of the old one.
    """
    for name, digest in stage.config["program"]["inputs"]:
        try:
            ((_, now),) = digests([name], Path(stage.extra["folder"]))
        except StudyFileError:
            return str(name)
        if now != digest:
            return str(name)
    return ""


def why_it_failed(ending: Ending, limit: float, log: Path, start: int) -> str:
    """Return the reason why a program has failed, with its last lines; an empty string if it has not.

    Args:
        ending: how it ended.
        limit: its time limit in seconds.
        log: its output.
        start: the position in the log at which its output begins.
    """
    if ending.timed_out:
        reason = f"the program was ended at its time limit of {limit:g} s"
    elif ending.code < 0:
        number = -ending.code
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        memory = "; the system may have run out of memory" if number == signal.SIGKILL else ""
        reason = f"the program was killed by {name} after {ending.seconds:.1f} s{memory}"
    elif ending.code:
        reason = f"the program ended with status {ending.code} after {ending.seconds:.1f} s"
    else:
        return ""
    last = last_lines(log, start)
    return f"{reason}: {last}" if last else reason


def last_lines(log: Path, start: int) -> str:
    """Return the last lines that a program has printed, on one line."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(start, file.tell() - _TAIL))
        text = file.read().decode("utf-8", "replace")
    text = _COLOURS.sub("", text)
    printable = ("".join(c if c.isprintable() else " " for c in line) for line in text.splitlines())
    lines = [" ".join(line.split()) for line in printable]
    shown = " | ".join([line for line in lines if line][-_LINES:])
    return shown if len(shown) <= _CHARACTERS else f"…{shown[-_CHARACTERS:]}"
