"""Studies on Ray: their results are those of this machine, whatever happens to the cluster or the driver."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support import ray_cluster
from support.checkout import ROOT
from support.killed import wait_for

sys.path.insert(0, str(ROOT / "tools"))
from compare_homes import contents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.ray_cluster import RayCluster

pytestmark = pytest.mark.slow

#: One training of some seconds, which sends checkpoints all the time.
STUDY = """
question = "Does tau matter?"
replicates = 1
corpus = "bach-prelude"
tokenizer = "midilike-classic"
metric = ["distance.pitch"]
[model.lstm]
hidden = 16
[training]
steps = 4000
window = 64
[generation]
samples = 1
tokens = 60
[floors]
draws = 1
[sampler.temperature]
[axes]
sampler.temperature.tau = [0.8, 1.0]
"""
RUN = (sys.executable, "-P", "-m", "ablate", "study", "run", "tiny", "--no-report", "--checkpoint-seconds", "0.05")


class Runs:
    """Runs the study in homes of their own, each as a command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "studies").mkdir()
        (folder / "studies/tiny.toml").write_text(STUDY)

    def start(self, home: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*RUN, "--home", home, *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, home: str, *words: str) -> tuple[int, str]:
        process = self.start(home, *words)
        try:
            out, err = process.communicate(timeout=500)
        finally:
            process.kill()
        assert "Traceback" not in err
        return process.returncode, out + err

    def trains(self, home: str) -> bool:
        """Return whether the training is in the middle: a checkpoint has come."""
        return any((self.folder / home / "checkpoints").glob("*.safetensors"))

    def results(self, home: str) -> dict[str, Any]:
        assert not list((self.folder / home).glob("checkpoints/*.safetensors"))
        return contents(self.folder / home)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    made = Runs(tmp_path_factory.mktemp("ray"))
    code, text = made.run("here", "--workers", "1")
    assert code == 0, text
    return made


def on(cluster: RayCluster) -> tuple[str, ...]:
    return "--executor", "ray", "--set", f"executor.ray.address={cluster.address}"


@contextlib.contextmanager
def in_the_middle(runs: Runs, home: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start the study, and wait for the middle of its training."""
    with runs.start(home, *words) as process:
        try:
            wait_for(lambda: runs.trains(home), process, 240)
            yield process
        finally:
            process.kill()


def test_a_node_killed_in_a_training_changes_no_result(cluster: RayCluster, runs: Runs) -> None:
    with in_the_middle(runs, "node", *on(cluster), "--set", "executor.ray.tasks=1") as process:
        killed = cluster.do("kill")
        out, err = process.communicate(timeout=500)
    assert killed
    cluster.do("add")
    assert process.returncode == 0, out + err
    assert re.search("the machine (is gone|cannot be reached); it is tried again", err), err
    assert runs.results("node") == runs.results("here")
    assert not [each for each in killed if ray_cluster.running(each)]


def test_a_killed_driver_leaves_no_worker_and_the_same_command_continues(cluster: RayCluster, runs: Runs) -> None:
    before = cluster.do("workers")
    with in_the_middle(runs, "driver", *on(cluster)) as process:
        workers = cluster.do("workers")
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while (
        left := [each for each in workers if each not in before and ray_cluster.running(each)]
    ) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left
    code, text = runs.run("driver", *on(cluster))
    assert code == 0, text
    assert runs.results("driver") == runs.results("here")


def test_a_killed_head_ends_the_run_in_one_line_and_the_same_command_continues(runs: Runs) -> None:
    lacking = ray_cluster.missing()
    if lacking:
        pytest.skip(f"no Ray cluster: {lacking}")
    first = ray_cluster.RayCluster(3)
    os.environ.update(ray_cluster.SURROUNDINGS)
    try:
        with in_the_middle(runs, "head", *on(first)) as process:
            first.do("kill-head")
            _, err = process.communicate(timeout=120)
    finally:
        first.close()
    assert process.returncode == 1
    assert err.strip().splitlines()[-1] == (
        f"error: the Ray cluster at '{first.address}' is gone; what is finished is kept, and the same command continues"
    )
    assert "Traceback" not in err
    again = ray_cluster.RayCluster(2, port=first.port)
    try:
        code, text = runs.run("head", *on(again))
    finally:
        again.close()
    assert code == 0, text
    assert runs.results("head") == runs.results("here")
