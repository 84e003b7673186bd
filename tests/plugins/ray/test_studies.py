"""A study on Ray: its results are those of this machine, whatever happens to the cluster or the driver."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest
from support import forked, ray_cluster
from support.slurm_runs import checkpoints, differences, run_here, study, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.ray_cluster import RayCluster
    from support.until_left import UntilLeft

pytestmark = pytest.mark.slow

RUN = ("study", "run", "small.toml", "--no-report", "--checkpoint-seconds", "0.05", "--home", "there")


class Runs:
    """Runs the study as a command, with what it prints in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "there"
        study(folder, 3_000)

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[forked.Process]:
        """Run the study in the home."""
        with (
            (self.folder / "out").open("w") as out,
            forked.command([*RUN, *words], cwd=self.folder, stdout=out, stderr=out) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def told(self) -> str:
        return (self.folder / "out").read_text()

    def wait_for_training(self, process: forked.Process) -> None:
        """Wait for a checkpoint that is newer than this call."""
        now = time.time()
        until(lambda: any(at > now for at in checkpoints(self.home).values()), process, 240)


def test_a_killed_node_a_killed_driver_and_a_killed_head_change_no_result(
    cluster: RayCluster, running: UntilLeft[RayCluster], tmp_path: Path
) -> None:
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
        assert runs.told().strip().splitlines()[-1] == (
            f"error: the Ray cluster at '{cluster.address}' is gone; what is finished is kept, and the same command "
            "continues"
        )
        assert "Traceback" not in runs.told()
        cluster.restart_alone()
        with runs.running(*words) as driver:
            assert driver.wait(500) == 0, runs.told()
    finally:
        running.end()  # a test that follows needs other nodes too
    run_here(tmp_path / "small.toml", tmp_path / "here")
    assert differences(tmp_path / "here", runs.home) == []
    assert not list(runs.home.glob("checkpoints/*.safetensors"))
