"""A study on Ray: its results are those of this machine, whatever happens to the cluster or the driver."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from support import ray_cluster
from support.slurm_runs import ABLATE, checkpoints, differences, run_here, until

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
RUN = (*ABLATE, "study", "run", "tiny.toml", "--no-report", "--checkpoint-seconds", "0.05", "--home", "there")


class Runs:
    """Runs the study as a command, with what it prints in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "there"
        (folder / "tiny.toml").write_text(STUDY)

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run the study in the home."""
        with (
            (self.folder / "out").open("w") as out,
            subprocess.Popen([*RUN, *words], cwd=self.folder, stdout=out, stderr=out, text=True) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def told(self) -> str:
        return (self.folder / "out").read_text()

    def wait_for_training(self, process: subprocess.Popen[str]) -> None:
        """Wait for a checkpoint that is newer than this call."""
        now = time.time()
        until(lambda: any(at > now for at in checkpoints(self.home).values()), process, 240)


def test_a_killed_node_a_killed_driver_and_a_killed_head_change_no_result(cluster: RayCluster, tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    words = "--executor", "ray", "--set", f"executor.ray.address={cluster.address}", "--set", "executor.ray.tasks=1"
    before = cluster.do("workers")
    with runs.running(*words) as driver:
        runs.wait_for_training(driver)
        killed = cluster.do("kill")
        until(lambda: re.search("the machine (is gone|cannot be reached); it is tried again", runs.told()), driver)
        assert not [each for each in killed if ray_cluster.running(each)]
        runs.wait_for_training(driver)
        workers = [each for each in cluster.do("workers") if each not in before]
        assert any(map(ray_cluster.running, workers))
        os.kill(driver.pid, signal.SIGKILL)
    until(lambda: not any(map(ray_cluster.running, workers)), seconds=30)
    try:
        with runs.running(*words) as driver:
            runs.wait_for_training(driver)
            cluster.do("kill-head")
            assert driver.wait(120) == 1
    finally:
        cluster.restart()
    assert runs.told().strip().splitlines()[-1] == (
        f"error: the Ray cluster at '{cluster.address}' is gone; what is finished is kept, and the same command "
        "continues"
    )
    assert "Traceback" not in runs.told()
    with runs.running(*words) as driver:
        assert driver.wait(500) == 0, runs.told()
    run_here(tmp_path / "tiny.toml", tmp_path / "here")
    assert differences(tmp_path / "here", runs.home) == []
    assert not list(runs.home.glob("checkpoints/*.safetensors"))
