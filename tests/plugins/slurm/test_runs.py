"""Studies on a real cluster: their results are those of this machine, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.slurm_runs import (
    WORDS,
    checkpoints,
    differences,
    kill,
    run,
    run_here,
    running,
    study,
    until,
    workers,
)

if TYPE_CHECKING:
    from support.forked import Process
    from support.slurm import Cluster

pytestmark = pytest.mark.usefixtures("cluster")

PLAN = ("study", "plan", "small.toml")
SLURM = (*WORDS, "--executor", "slurm", "--set", "executor.slurm.jobs=1")


class Watched:
    """A command on the cluster whose workers, jobs and itself are killed."""

    def __init__(self, folder: Path, cluster: Cluster, driver: Process) -> None:
        self.folder, self.home, self.cluster, self.driver = folder, folder / "there", cluster, driver

    def told(self) -> str:
        return (self.folder / "out").read_text()

    def training(self) -> None:
        """Wait for a checkpoint that is newer than this call."""
        now = time.time()
        until(lambda: any(at > now for at in checkpoints(self.home).values()), self.driver)

    def job(self) -> str:
        return next(line.split()[0] for line in self.cluster.jobs() if "RUNNING" in line)

    def after(self, text: str) -> None:
        """Wait until a reason for a new try is told."""
        until(lambda: text in self.told(), self.driver)
        self.training()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with the results of a short study with two replicates on this machine."""
    folder = tmp_path_factory.mktemp("here")
    study(folder, 20, replicates=2)
    run_here(folder / "small.toml", folder / "here")
    return folder / "here"


@pytest.mark.slow
def test_files_travel_where_nodes_do_not_see_the_home(cluster: Cluster, here: Path) -> None:
    study(cluster.hidden, 20, replicates=2)
    travelling = ("--set", f"executor.slurm.folder={cluster.shared}")
    run(cluster.hidden, *SLURM, "--home", "there", *travelling)
    assert differences(here, cluster.hidden / "there") == []
    assert list(cluster.shared.iterdir()) == []


@pytest.mark.slow
def test_faults_change_nothing(cluster: Cluster, tmp_path: Path) -> None:
    study(tmp_path, 4_000)
    home = tmp_path / "there"
    with running(tmp_path, *SLURM, "--home", "there") as driver:
        watched = Watched(tmp_path, cluster, driver)
        watched.training()
        kill(workers(home)[0])
        watched.after("was killed (SIGKILL)")
        cluster.ask("scancel", watched.job())
        watched.after("CANCELLED; it is tried again")
        cluster.ask("scancel", "--batch", "--signal=USR1", watched.job())
        watched.after("near its time limit; it is tried again")
        kill(workers(home, "pilot")[0])
        watched.after(": FAILED (")
        cluster.kill_controller()
        watched.training()
        cluster.start_controller()
        watched.training()
        os.kill(driver.pid, signal.SIGKILL)
    again = run(tmp_path, *SLURM, "--home", "there")
    assert "jobs of a command that was killed are cancelled" in again
    run_here(tmp_path / "small.toml", tmp_path / "here")
    assert differences(tmp_path / "here", home) == []


@pytest.mark.slow
def test_the_script_of_shards_runs_and_merges(
    cluster: Cluster, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the script calls the command by its name, as in a user's active environment
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    study(tmp_path, 20, replicates=2)
    script = run(tmp_path, *PLAN, "--shards", "2", separate=True)
    (tmp_path / "small.sh").write_text(script)
    number = cluster.ask("sbatch", "--parsable", f"--chdir={tmp_path}", str(tmp_path / "small.sh")).strip()
    until(lambda: not cluster.jobs())
    logs = {path.name: path.read_text() for path in tmp_path.glob("*.log")}
    assert len(logs) == 2, cluster.ask("scontrol", "show", "job", number)
    assert all("nothing to run" not in text and "error" not in text for text in logs.values()), logs
    done = subprocess.run(["bash", "small.sh", "merge"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert list(tmp_path.glob(".ablate/reports/*/index.html"))
    assert differences(here, tmp_path / ".ablate") == []
