"""Two shards as real processes, one of them killed and run again, by the script that 'study plan --shards' prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from compare_homes import contents
from support.killed import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command

#: The command, but nobody reads how long the study is expected to take.
COMMAND = "from ablate.study.plan import estimate; estimate.LONG_ENOUGH = 0; import ablate_music; ablate_music.main()"
#: A training that takes long enough to be killed.
STEPS = "training.steps=150"
pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that runs the script with bash, as SLURM does, with an ``ablate`` that is this code."""
    program = tmp_path / "bin/ablate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -c "{COMMAND}" "$@"\n')
    program.chmod(0o755)
    paths = {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def start(script: Path, *words: str, task: str = "") -> subprocess.Popen[str]:
        environment = {**os.environ, **paths, **({"SLURM_ARRAY_TASK_ID": task} if task else {})}
        with (tmp_path / "log.txt").open("a") as log:
            return subprocess.Popen(
                ["bash", script, *words], cwd=tmp_path, env=environment, stdout=log, stderr=log, text=True
            )

    return start


def test_the_script_runs_the_shards_and_merges_them(
    ablate: Command, shell: Callable[..., subprocess.Popen[str]], small: Path, tmp_path: Path
) -> None:
    options = (str(small), "--set", STEPS, "--workers", "1")
    planned = ablate("study", "plan", *options, "--shards", "2")
    assert planned.code == 0, planned.err
    script = tmp_path / "small.sh"
    script.write_text(planned.out)
    folder = next(line for line in planned.out.splitlines() if line.startswith("shards=")).partition("=")[2]

    killed = shell(script, task="2")
    database = tmp_path / folder / "2/ablate.db"
    started = tmp_path / folder / "2/checkpoints"
    wait_for(lambda: database.exists() and any(started.glob("*.json")), killed)
    os.kill(killed.pid, signal.SIGKILL)  # the script has become the command itself
    assert killed.wait() == -signal.SIGKILL

    for task in ("1", "2"):
        assert shell(script, task=task).wait() == 0, (tmp_path / "log.txt").read_text()
    assert shell(script, "merge").wait() == 0, (tmp_path / "log.txt").read_text()
    assert len(list((tmp_path / ".ablate/reports").glob("*/index.html"))) == 1
    assert ablate("study", "run", *options, "--home", "local", "--no-report").code == 0
    assert contents(tmp_path / ".ablate") == contents(tmp_path / "local")
