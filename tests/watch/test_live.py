"""The file with what is worked on: written by a command, read by everybody else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from ablate.study.run import live as writer
from ablate.study.run.live import LIVE, MOST_POINTS, LiveNote
from ablate.study.stage import Stage
from ablate.study.work.messages import Job, LoggedStep, News, StageFailure, StageResult
from ablate.watch.live import GONE_AFTER, Live, Pulse, read_live

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = Stage("train", {"seed": 1}), Stage("train", {"seed": 2})


@pytest.fixture(autouse=True)
def _without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BETWEEN", 0.005)


def awaited(home: Path, number: int, attribute: str = "jobs") -> Live:
    """Wait until the file has this many jobs, or trainings."""
    while True:
        found = read_live(home)
        if found is not None and len(getattr(found, attribute)) == number:
            return found
        time.sleep(0.005)


def test_jobs_and_losses_are_in_the_file_while_they_run(tmp_path: Path) -> None:
    with LiveNote(tmp_path, "a study") as note:
        found = awaited(tmp_path, 0)
        assert (found.study, found.pid, found.host) == ("a study", os.getpid(), socket.gethostname())
        note.started(Job("train", (ONE, OTHER)))
        logged = (LoggedStep(ONE.fingerprint, 25, 100, 3.5, 1000, 1.0),)
        note.news(News(ONE.fingerprint, "train", 0.25, 3.5, 1e4, logged=logged))
        found = awaited(tmp_path, 1, "trainings")
        (job,) = found.jobs
        assert (job.kind, job.stages, job.fraction) == ("train", (ONE.fingerprint, OTHER.fingerprint), 0.25)
        assert found.trainings[ONE.fingerprint] == (25, 100, 3.5, ((25, 3.5),))
        note.done(StageResult(ONE, {}, 1.0))
        found = awaited(tmp_path, 0, "trainings")
        assert found.jobs[0].stages == (OTHER.fingerprint,)
        note.failed(StageFailure(OTHER, "TrainingDiverged", "loss is not a number"))
        awaited(tmp_path, 0)
    assert [*tmp_path.iterdir()] == []


def test_a_loss_that_is_no_number_has_no_point(tmp_path: Path) -> None:
    with LiveNote(tmp_path, "s") as note:
        logged = (LoggedStep(ONE.fingerprint, 1, 10, float("nan"), 1, 1.0),)
        note.news(News(ONE.fingerprint, "train", 0.1, logged=logged))
        assert awaited(tmp_path, 1, "trainings").trainings[ONE.fingerprint] == (1, 10, None, ())


def test_a_long_curve_stays_short_and_keeps_its_mean() -> None:
    curve = writer._Curve()
    for step in range(1, 10_001):
        curve.add(step, 10_000.0 - step)
    assert MOST_POINTS / 2 <= len(curve.points) < MOST_POINTS
    steps = [step for step, _ in curve.points]
    assert steps == sorted(steps)
    width = steps[1] - steps[0]
    assert all(loss == pytest.approx(10_000 - (step - (width - 1) / 2)) for step, loss in curve.points)


def test_a_home_that_was_removed_is_not_made_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with LiveNote(home, "s") as note:
        awaited(home, 0)
        (home / LIVE).unlink()
        home.rmdir()
        note.started(Job("train", (ONE,)))
        time.sleep(0.05)
        assert not home.exists()


JOB: dict[str, Any] = {"kind": "train", "stages": ["f"], "at": "f", "since": 1.0, "fraction": 0.5}
WHOLE: dict[str, Any] = {
    "study": "s",
    "pid": 1,
    "host": "h",
    "since": 1.0,
    "now": 2.0,
    "jobs": [JOB],
    "trainings": {"f": {"step": 1, "steps": 2, "loss": None, "points": [[1, 2.0]]}},
}


@pytest.mark.parametrize(
    "change",
    [
        {"jobs": 3},
        {"jobs": [[]]},
        {"jobs": [{**JOB, "stages": None}]},
        {"trainings": []},
        {"trainings": {"f": {}}},
        {"trainings": {"f": {"step": 1, "steps": 2, "loss": "x", "points": [[1]]}}},
        {"pid": "x"},
        {"now": None},
        {"since": [1]},
    ],
)
def test_a_file_that_somebody_has_changed_is_ignored(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / LIVE).write_text(json.dumps(WHOLE))
    assert read_live(tmp_path) is not None
    (tmp_path / LIVE).write_text(json.dumps({**WHOLE, **change}))
    assert read_live(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"study": 1}'])
def test_text_that_is_no_such_file_is_ignored(tmp_path: Path, text: str) -> None:
    assert read_live(tmp_path) is None
    (tmp_path / LIVE).write_text(text)
    assert read_live(tmp_path) is None


def test_a_command_that_was_killed_or_is_silent_counts_as_gone() -> None:
    now = time.time()
    mine = Live("s", os.getpid(), socket.gethostname(), now, now, (), {})
    assert Pulse().beats(mine)
    assert not Pulse().beats(None)
    assert not Pulse().beats(mine._replace(now=now - GONE_AFTER - 5)), "it was silent before"
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert not Pulse().beats(mine._replace(pid=process.pid))
    elsewhere = mine._replace(pid=process.pid, host="another machine", now=now - 1000)
    pulse = Pulse()
    assert not pulse.beats(elsewhere)
    assert pulse.beats(elsewhere._replace(now=now - 990)), "its clock differs, but it beats"
