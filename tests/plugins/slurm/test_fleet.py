"""The number of jobs, and those that fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ablate_slurm import ablate_executors
from ablate_slurm.commands import AwayError, JobState, words
from ablate_slurm.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEC = next(iter(ablate_executors()))


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("PATH", str(tmp_path))  # no command of SLURM is found
    made = Fleet(tmp_path / "job.sh", SPEC.parse({"jobs": 2}), "ablate-none-of-these", 0)
    yield made
    made.close()


def test_jobs_that_leave_are_replaced_within_the_largest_number(fleet: Fleet) -> None:
    fleet.jobs = {job: JobState(job, "RUNNING") for job in ("1_0", "1_1")}
    fleet.keep(2, {"1_0", "1_1"})
    assert fleet._requested == 0
    fleet.jobs["1_1"] = JobState("1_1", "COMPLETING")
    fleet.keep(2, {"1_0"})
    assert fleet._requested == 1


def test_jobs_that_slurm_may_have_taken_are_looked_for_before_others_are_asked_for(fleet: Fleet) -> None:
    fleet._has_not_submitted(0, AwayError("Socket timed out"))
    fleet._not_before = 0.0
    fleet.keep(2, ())
    assert fleet._requested == 0
    fleet._has_looked(time.monotonic(), {"1_0": JobState("1_0", "PENDING")})
    fleet.keep(2, ())
    assert fleet._requested == 1


def test_jobs_that_fail_end_a_run_in_which_nothing_else_works(fleet: Fleet) -> None:
    problems = [fleet.failures.note(JobState(f"1_{number}", "FAILED"), others=False) for number in range(3)]
    assert problems[:2] == ["", ""]
    assert problems[2].startswith(
        "3 jobs of SLURM have ended before they began to work; job 1_2: FAILED; the nodes need"
    )


def test_jobs_that_fail_beside_others_are_tried_again_more_and_more_seldom(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    pauses = []
    for number in range(12):
        fleet.failures.not_before = 0.0
        assert fleet.failures.note(JobState(f"1_{number}", "FAILED"), others=True) == ""
        pauses.append(round(fleet.failures.not_before - time.monotonic()) if fleet.failures.not_before else 0)
    assert pauses == [0, 0, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600]
    assert ["the run continues with the jobs that work" in record.message for record in caplog.records] == [True]
    fleet.failures.not_before = 0.0
    fleet.keep(2, ())
    assert fleet._requested == 1
    fleet.failures.clear()
    fleet.keep(2, ())
    assert fleet._requested == 2


def test_each_gpu_has_a_core(tmp_path: Path) -> None:
    assert "--cpus-per-task=4" in words(tmp_path / "job.sh", SPEC.parse({}), "name", 1, 4)
    assert "--cpus-per-task=8" in words(tmp_path / "job.sh", SPEC.parse({"cores": 8}), "name", 1, 4)


def test_jobs_that_wait_and_are_not_needed_are_given_back(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = []
    monkeypatch.setattr(fleet, "cancel", lambda job, waiting: cancelled.append((job, waiting)))
    fleet.jobs = {"1_0": JobState("1_0", "RUNNING"), "1_1": JobState("1_1", "PENDING")}
    fleet.keep(1, ())
    assert cancelled == []
    fleet._needed -= 61
    fleet.keep(2, ())
    fleet.keep(1, ())
    assert cancelled == []
    fleet._needed -= 61
    fleet.keep(1, ())
    assert cancelled == [("1_1", True)]
    assert fleet.given_up == {"1_1"}
