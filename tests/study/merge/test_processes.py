"""Two shards by the script that 'study plan --shards' prints, one of them killed and run again."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from compare_homes import contents
from support import forked
from support.killed import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command

    #: Runs the script with these words as a task, and returns the words of each ``ablate`` that it starts.
    Script = Callable[..., list[list[str]]]

#: A training that takes long enough to be killed.
STEPS = "training.steps=150"
pytestmark = pytest.mark.slow


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Return a function that runs the script with bash, as SLURM does, with an ``ablate`` that notes its words.

    What it notes is run by the test: to start ``ablate`` itself would take two seconds of a core each time.
    """
    program, noted = tmp_path / "bin/ablate", tmp_path / "noted"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$$\" \"$@\" >> '{noted}'\necho >> '{noted}'\n")
    program.chmod(0o755)

    def run(*words: str, task: str = "") -> list[list[str]]:
        path = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
        environment = {**os.environ, **path, **({"SLURM_ARRAY_TASK_ID": task} if task else {})}
        noted.unlink(missing_ok=True)
        with subprocess.Popen(["bash", tmp_path / "small.sh", *words], cwd=tmp_path, env=environment) as process:
            assert process.wait() == 0
        commands = [line.split("\0")[:-1] for line in noted.read_text().splitlines()]
        if task:
            assert [command[0] for command in commands] == [str(process.pid)], "the script becomes the command itself"
        return [command[1:] for command in commands]

    return run


def test_the_script_runs_the_shards_and_merges_them(
    ablate: Command, script: Script, small: Path, tmp_path: Path
) -> None:
    options = (str(small), "--set", STEPS, "--workers", "1")
    planned = ablate("study", "plan", *options, "--shards", "2")
    assert planned.code == 0, planned.err
    (tmp_path / "small.sh").write_text(planned.out)
    folder = next(line for line in planned.out.splitlines() if line.startswith("shards=")).partition("=")[2]

    (words,) = script(task="2")
    database = tmp_path / folder / "2/ablate.db"
    started = tmp_path / folder / "2/checkpoints"
    with forked.command(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        try:
            wait_for(lambda: database.exists() and any(started.glob("*.json")), killed)
        finally:
            killed.kill()
        assert killed.wait() == -signal.SIGKILL

    for each in (*script(task="1"), *script(task="2"), *script("merge")):
        done = ablate(*each)
        assert done.code == 0, done.err
    assert len(list((tmp_path / ".ablate/reports").glob("*/index.html"))) == 1
    assert ablate("study", "run", *options, "--home", "local", "--no-report").code == 0
    assert contents(tmp_path / ".ablate") == contents(tmp_path / "local")
