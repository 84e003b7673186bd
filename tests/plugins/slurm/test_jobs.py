"""Jobs that are refused, wait, end too early, are put back into the queue, or lose their driver."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.slurm_runs import until, workers

from ablate.errors import ExecutorError
from ablate.interfaces.executor import Died, Ended, Noted, Setup, Task, Told
from ablate.testing.executor_work import perform
from ablate_slurm import ablate_executors, commands, executor, fleet

if TYPE_CHECKING:
    from pathlib import Path

    from support.slurm import Cluster

pytestmark = pytest.mark.usefixtures("cluster")

SPEC = next(iter(ablate_executors()))


def build(home: Path, **options: Any) -> Any:
    return SPEC.build(SPEC.parse({"jobs": 1, **options}), Setup(perform, home, "cpu", 1))


def task(name: str) -> Task:
    return Task(name, json.dumps([name]).encode())


def events(entered: Any, kind: type[Any]) -> list[Any]:
    """Wait for an event of a type, and return all that have come until then."""
    found: list[Any] = []

    def come() -> bool:
        found.extend(entered.wait(0.1))
        return any(isinstance(event, kind) for event in found)

    until(come)
    return [event for event in found if isinstance(event, kind)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"partition": "mian"},
            "SLURM refuses the jobs: invalid partition specified: mian; .* --set executor.slurm.KEY",
        ),
        ({"memory": "900G"}, "Requested node configuration is not available; you asked for memory=900G, cores=1; the"),
        ({"sbatch": ("--colour=red",)}, "unrecognized option '--colour=red'"),
        ({"gpus": 1}, "the study computes on the CPU"),
        ({"folder": "/proc/nowhere"}, r"cannot write to /proc/nowhere \(No such file or directory\); choose another"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_starts(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ExecutorError, match=message) as refused, build(tmp_path, **options):
        pass
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.glob("slurm/ablate-*"))


def test_a_machine_without_slurm_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path))
        with pytest.raises(
            ExecutorError, match="this machine has no sbatch or squeue or scancel; run ablate on a login"
        ):
            build(tmp_path).__enter__()


def test_a_machine_that_reaches_no_cluster_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "squeue"  # the real one needs half a minute where no name server answers
    program.write_text("#!/bin/sh\necho 'squeue: fatal: Could not establish a configuration source' >&2; exit 1\n")
    program.chmod(0o755)
    with monkeypatch.context() as without:
        without.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        with pytest.raises(ExecutorError, match=r"this machine reaches no SLURM cluster .*SLURM_CONF"):
            build(tmp_path).__enter__()


def test_a_python_that_is_not_there_ends_the_run_with_what_the_job_printed(tmp_path: Path) -> None:
    with build(tmp_path, python="/no/python") as entered:
        entered.submit(task("print"))
        with pytest.raises(ExecutorError) as refused:
            events(entered, Died)
    assert "3 jobs of SLURM have ended before they began to work; job " in str(refused.value)
    assert "/no/python: No such file or directory; the nodes need this folder" in str(refused.value)


def test_a_home_that_nodes_do_not_see_ends_the_run(cluster: Cluster) -> None:
    with build(cluster.hidden) as entered:
        entered.submit(task("print"))
        with pytest.raises(ExecutorError, match=f"the nodes need this folder, {cluster.hidden}/slurm"):
            events(entered, Died)


def test_jobs_that_wait_are_told_of_with_the_reason(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_PATIENCE", 0.1)
    script = tmp_path / "busy.sh"
    script.write_text("#!/bin/sh\nexec sleep 100\n")
    busy = cluster.ask("sbatch", "--parsable", "--exclusive", f"--output={tmp_path}/busy", str(script)).strip()
    until(lambda: any("RUNNING" in line for line in cluster.jobs()))
    with build(tmp_path) as entered:
        entered.submit(task("print"))
        (noted,) = events(entered, Noted)
        assert noted.text in {f"1 job waits in the queue of SLURM ({each})" for each in ("Resources", "Priority")}
        cluster.ask("scancel", busy)
        events(entered, Told)


def test_jobs_that_are_refused_later_are_asked_for_again(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fleet, "_REFUSED", 0.2)
    with build(tmp_path, jobs=2) as entered:
        entered.submit(task("hang"))
        events(entered, Told)
        cluster.ask("scontrol", "update", "PartitionName=main", "State=INACTIVE")
        entered.submit(task("print"))
        until(lambda: entered.wait(0.1) or "the run continues with the jobs that it has" in caplog.text)
        cluster.ask("scontrol", "update", "PartitionName=main", "State=UP")
        assert [event.task for event in events(entered, Told)] == ["print"]
    (line,) = [record.message for record in caplog.records]
    assert "Required partition not available" in line


def test_a_job_that_is_put_back_into_the_queue_has_lost_its_tasks(cluster: Cluster, tmp_path: Path) -> None:
    with build(tmp_path) as entered:
        entered.submit(task("hang"))
        events(entered, Told)
        # SIGTERM, and SIGKILL five seconds later
        cluster.ask("scontrol", "requeue", cluster.jobs()[0].split()[0])
        (died,) = events(entered, Died)
    assert died.outside
    assert "SLURM has put its job back into the queue" in died.how


def test_jobs_that_fail_beside_one_that_works_do_not_end_its_work(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    only_the_first = f"mkdir {tmp_path}/first || {{ sleep 2; exit 3; }}"
    with build(tmp_path, jobs=4, before=(only_the_first,)) as entered:
        for number in range(4):
            entered.submit(Task(f"t-{number}", json.dumps(["wait"]).encode()))
        until(lambda: (entered.wait(0.1), "the run continues with the jobs that work" in caplog.text)[1])
        for number in range(1, 4):
            entered.end(f"t-{number}")
        entered.stop()
        assert [event.task for event in events(entered, Ended)] == ["t-0"]


def test_no_job_stays_where_an_error_is_followed_by_another_one(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(executor, "_GRACE", 0.1)
    with build(tmp_path) as entered:
        entered.submit(task("hang"))
        events(entered, Told)
        monkeypatch.setattr(entered, "_hear", broken)
    assert cluster.jobs() == []
    assert not list(tmp_path.glob("slurm/ablate-*"))


def test_jobs_of_other_users_are_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    script = tmp_path / "held.sh"
    script.write_text("#!/bin/sh\n")
    words = ["--hold", "--job-name=ablate-same", "--output=/dev/null", str(script)]
    mine, other = (cluster.ask("sbatch", "--parsable", *more, *words).strip() for more in ([], ["--uid=65534"]))
    assert list(commands.states("ablate-same")) == [mine]
    commands.cancel("ablate-same", waiting=True)
    commands.cancel(job=other)
    until(lambda: len(cluster.jobs()) < 2)
    assert [line.split()[0] for line in cluster.jobs()] == [other]
    cluster.ask("scancel", other)
    until(lambda: not cluster.jobs())


def killed_driver(home: Path, patience: int) -> None:
    """Kill a driver whose worker has a task."""
    text = (
        "import json, pathlib, sys; from ablate.interfaces.executor import Setup, Task\n"
        "from ablate.testing.executor_work import perform; from ablate_slurm import ablate_executors\n"
        "spec = next(iter(ablate_executors())); options = spec.parse({'jobs': 1, 'patience': int(sys.argv[2])})\n"
        "entered = spec.build(options, Setup(perform, pathlib.Path(sys.argv[1]), 'cpu', 1)).__enter__()\n"
        "entered.submit(Task('hang', json.dumps(['hang']).encode()))\n"
        "while True: entered.wait(1)\n"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", text, str(home), str(patience)]) as driver:
        until(lambda: workers(home), driver)
        os.kill(driver.pid, signal.SIGKILL)


def test_a_driver_that_is_killed_leaves_no_job(cluster: Cluster, tmp_path: Path) -> None:
    killed_driver(tmp_path, 5)
    until(lambda: not cluster.jobs(), seconds=60)
    assert workers(tmp_path) == workers(tmp_path, "pilot") == []
    (left,) = tmp_path.glob("slurm/ablate-*")
    with build(tmp_path) as entered:
        assert not left.exists()
        entered.submit(task("print"))
        assert isinstance(events(entered, Told)[0], Told)


def test_jobs_of_a_driver_that_was_killed_are_cancelled(cluster: Cluster, tmp_path: Path) -> None:
    killed_driver(tmp_path, 600)
    (left,) = tmp_path.glob("slurm/ablate-*")
    assert left.name in cluster.jobs()[0]
    with build(tmp_path):
        assert cluster.jobs() == []
        assert not left.exists()
