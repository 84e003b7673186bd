"""Studies as commands on a cluster of the tests and on this machine, and what is killed there."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import compare_homes

from support import commands, forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A study whose trainings are long enough to be killed in the middle.
STUDY = """
question = "Does it run?"
replicates = {replicates}
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
embedding = 8
hidden = 16
[training]
steps = {steps}
batch = 4
window = 16
[generation]
samples = 1
tokens = 40
[floors]
draws = 0
shuffles = 1
[sampler.temperature]
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
"""
WORDS = ("study", "run", "small.toml", "--no-report", "--checkpoint-seconds", "0.1")


def study(folder: Path, steps: int, replicates: int = 1) -> None:
    """Write the study."""
    (folder / "small.toml").write_text(STUDY.format(steps=steps, replicates=replicates))


def run(folder: Path, *words: str, separate: bool = False) -> str:
    """Run a command to its end, and return what it prints; its standard output alone if ``separate``."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with forked.command(words, cwd=folder, stdout=out, stderr=err) as process:
            code = process.wait(300)
        texts = []
        for stream in (err, out):
            stream.seek(0)
            texts.append(stream.read().decode())
    assert code == 0, "".join(texts)
    return texts[1] if separate else "".join(texts)


def run_here(study: Path, home: Path) -> None:
    """Run a study on this machine, in this process and one worker."""
    words = ["study", "run", str(study), "--no-report", "--workers", "1", "--home", str(home)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert commands.run(words) == 0


@contextlib.contextmanager
def running(folder: Path, *words: str) -> Iterator[forked.Process]:
    """Run a command while a test does something; its output goes to the file ``out`` in the folder."""
    with (
        (folder / "out").open("w") as out,
        forked.command(words, cwd=folder, stdout=out, stderr=out) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], object], process: forked.Process | None = None, seconds: float = 120) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, "the command has ended before"
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)


def workers(home: Path, program: str = "worker") -> list[int]:
    """Return the workers or the pilots of a home that run on this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            text = path.read_bytes().decode(errors="replace")
            if f"ablate_slurm.node.{program}" in text and f"{home.resolve()}/" in text:
                found.append(int(path.parent.name))
    return found


def checkpoints(home: Path) -> dict[str, float]:
    """Return the checkpoints of a home with their times."""
    found = {}
    for path in home.glob("checkpoints/*.safetensors"):
        with contextlib.suppress(OSError):
            found[path.name] = path.stat().st_mtime
    return found


def kill(process: int) -> None:
    """Kill a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def differences(home: Path, other: Path) -> list[str]:
    """Return what differs between the results of two homes."""
    return compare_homes.differences(compare_homes.contents(home), compare_homes.contents(other))
