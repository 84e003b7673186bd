"""An executor that sees neither the home nor the environment of the driver: everything travels."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import signal
import stat
import sys
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest
from support import pipes
from support.bench import Bench
from support.pipes import PipesExecutor

import ablate
from ablate.errors import ExecutorError
from ablate.interfaces.executor import Setup
from ablate.registry import Registry, get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor import handing
from ablate.study.run.executor.choose import local_dispatcher
from ablate.study.run.executor.dispatcher import Dispatcher
from ablate.study.run.executor.local.executor import LocalExecutor
from ablate.study.run.executor.protocol import Working
from ablate.study.run.executor.tasks import work
from ablate.study.run.executor.transfer.versions import processor
from ablate.study.run.listener import Listener
from ablate.study.run.runner import SharedContext, StudyRunner
from ablate.testing import ExecutorContract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec
    from ablate.study.work.messages import News

PIPES = ablate.ExecutorSpec(name="pipes", summary="Programs that talk over pipes.", build=PipesExecutor)
SHORT = {"training.steps": 120, "generation.tokens": 40, "floors.draws": 1, "axes.sampler.temperature.tau": [1.0, 0.7]}
OFTEN = Working(checkpoint_seconds=0.02, isolated=True)


class TestPipes(ExecutorContract):
    spec = PIPES
    workers = 1


class Away:
    """Runs studies by the pipes of one executor."""

    def __init__(self, home: Path, *, registry: Registry | None = None) -> None:
        self.bench = Bench(home)
        setup = Setup(work, self.bench.home, "cpu", 1)
        self.pipes = PipesExecutor(None, setup)
        own = LocalExecutor(["cpu"], setup)
        self.executor = Dispatcher(
            self.pipes,
            self.bench.home,
            registry or get_registry(),
            OFTEN,
            about=PIPES,
            own=own,
        )

    def run(self, spec: StudySpec, listener: Listener | None = None, *, fused: bool = False) -> Any:
        return run_by(self.executor, self.bench, spec, listener, fused=fused)


def run_by(
    executor: Any, bench: Bench, spec: StudySpec, listener: Listener | None = None, *, fused: bool = False
) -> Any:
    layout, working = lay_out(spec, get_registry(), "cpu"), dataclasses.replace(OFTEN, fused=fused)
    shared = SharedContext(executor)
    with bench.store() as store, executor:
        return StudyRunner(layout, store, bench.home, shared=shared, listener=listener, working=working).run()


def results(bench: Bench) -> tuple[Any, dict[str, bytes]]:
    files = [path for path in (bench.home / "artifacts").rglob("*") if path.is_file()]
    return bench.numbers("tiny"), {str(path.relative_to(bench.home)): path.read_bytes() for path in files}


def left_over(home: Path) -> list[str]:
    """Return what belongs to no result."""
    checkpoints = [path.name for path in home.glob("checkpoints/*.safetensors")]
    return [*checkpoints, *(path.name for path in home.glob(".writing-*"))]


class Killer(Listener):
    """Kills the worker once, in the middle of the first training, and keeps the fractions of trainings."""

    def __init__(self, away: Away) -> None:
        self.away, self.killed, self.before, self.after = away, 0, list[float](), list[float]()

    def news(self, news: News) -> None:
        if news.kind != "train":
            return
        (self.after if self.killed else self.before).append(news.fraction)
        checkpoints = list(self.away.bench.home.glob("checkpoints/*.safetensors"))
        working = [each for each in self.away.pipes.workers if each.task]
        if not self.killed and news.fraction > 0.1 and checkpoints and working:
            self.killed = working[0].process.pid
            os.kill(self.killed, signal.SIGKILL)


@pytest.mark.parametrize("fused", [False, True])
def test_results_equal_those_of_this_machine_bit_for_bit(
    load: Callable[..., StudySpec], tmp_path: Path, *, fused: bool
) -> None:
    spec, here, away = (
        load({**SHORT, "training.steps": 250}, replicates=2, name="tiny"),  # long enough to be killed in the middle
        Bench(tmp_path / "here"),
        Away(tmp_path / "away"),
    )
    run_by(local_dispatcher(here.home, ["cpu"], get_registry(), OFTEN), here, spec, fused=fused)
    killer = Killer(away)
    done = away.run(spec, killer, fused=fused)
    assert not done.failures
    assert killer.killed, "no worker was killed in the middle of a training"
    assert min(killer.after) > 0, "the training has begun again"
    assert results(away.bench) == results(here)
    assert left_over(away.bench.home) == []


def test_another_cpu_is_told_once_and_its_home_is_private(
    load: Callable[..., StudySpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if processor().endswith("DEFAULT"):  # torch reads the variable once, here before it is set
        pytest.skip("this CPU has no instructions that torch can leave out")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    monkeypatch.setattr(pipes, "KEPT", ("PATH", "ATEN_CPU_CAPABILITY"))
    monkeypatch.setattr(pipes, "ANEW", True)
    away, homes = Away(tmp_path / "away"), []

    class Watch(Listener):
        def news(self, news: News) -> None:
            folders = [worker.folder for worker in away.pipes.workers]
            homes.extend(home for folder in folders for home in pathlib.Path(folder).glob("ablate-*"))
            assert all(stat.S_IMODE(home.stat().st_mode) == 0o700 for home in homes)

    assert not away.run(load(SHORT, replicates=1), Watch()).stopped
    assert homes
    told = [record.getMessage() for record in caplog.records if "another CPU" in record.getMessage()]
    assert len(told) == 1
    assert "DEFAULT) than this machine" in told[0]


def test_a_stopped_training_goes_on_from_its_last_step(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    long = {**SHORT, "training.steps": 250}  # it must not end before the news of its first steps
    spec, here, away = load(long, replicates=1, name="tiny"), Bench(tmp_path / "here"), Away(tmp_path / "away")
    run_by(local_dispatcher(here.home, ["cpu"], get_registry(), OFTEN), here, spec)

    class Stopper(Listener):
        def news(self, news: News) -> None:
            if news.kind == "train" and news.fraction > 0.05:
                away.executor.stop()

    stopped = away.run(spec, Stopper())
    assert stopped.checkpoints == 1
    again = Away(tmp_path / "away")
    fractions: list[float] = []

    class Reader(Listener):
        def news(self, news: News) -> None:
            fractions.extend([news.fraction] if news.kind == "train" else [])

    again.run(spec, Reader())
    assert min(fractions) > 0.05
    assert results(again.bench) == results(here)


def test_other_versions_are_refused_in_one_line(
    load: Callable[..., StudySpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = handing.needed_versions(get_registry())
    monkeypatch.setattr(handing, "needed_versions", lambda registry: {**needed, "torch": "1.0", "ablate-gone": "3"})
    away = Away(tmp_path / "away")
    with pytest.raises(ExecutorError) as refused:
        away.run(load(SHORT, replicates=1, name="tiny"))
    assert f"has torch {needed['torch']} and not 1.0, no ablate-gone (3 is needed); install there" in str(refused.value)


def test_a_damaged_input_is_named_and_not_sent(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    spec, away = load(SHORT, replicates=1, name="tiny"), Away(tmp_path / "away")

    class Damager(Listener):
        def done(self, result: Any) -> None:
            if result.stage.kind == "train":
                weights = away.bench.home / result.stage.artifact / "weights.safetensors"
                weights.write_bytes(weights.read_bytes()[:-1] + b"!")

    failed = away.run(spec, Damager())
    assert "weights.safetensors is not what was written: its digest differs" in str(failed.failures)


def refusal(away: Away, spec: StudySpec) -> str:
    """Run a study that no worker can do; return the message, after a look at what it has left."""
    with pytest.raises(ExecutorError) as refused:
        away.run(spec)
    assert set(away.bench.states("tiny").values()) <= {"pending", "running"}, "a wrong worker fails no run"
    return str(refused.value)


def test_a_worker_without_ablate_is_no_failed_stage(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    away = Away(tmp_path / "away")
    away.pipes.work = b"cablate_of_tomorrow\nwork\n."
    assert refusal(away, load(SHORT, replicates=1, name="tiny")) == (
        "executor 'pipes': a worker has ended before it could begin to work: raised ModuleNotFoundError: "
        "No module named 'ablate_of_tomorrow'"
    )


def test_a_worker_that_cannot_load_a_plugin_of_the_driver_is_refused(
    load: Callable[..., StudySpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path / "here"), *sys.path])
    (tmp_path / "here").mkdir()
    hook = "@ablate.hookimpl\ndef ablate_metrics():\n    return []\n"
    (tmp_path / "here/only_here.py").write_text(f"import os, ablate\nassert os.environ.get('USER_OF_TESTS')\n{hook}")
    monkeypatch.setenv("USER_OF_TESTS", "1")
    points = [*get_registry()._entry_points, EntryPoint("only-here", "only_here", "ablate")]
    away = Away(tmp_path / "away", registry=Registry(points))
    text = refusal(away, load(SHORT, replicates=1, name="tiny"))
    assert "cannot load plugin 'only-here': AssertionError" in text


@pytest.mark.parametrize(
    ("home", "problem"), [("", "it knows no path of it;"), ("other", "it does not find the file (No such file")]
)
def test_the_claim_to_share_the_home_is_checked(
    home: str, problem: str, load: Callable[..., StudySpec], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    bench = Bench(tmp_path / "away")
    setup = Setup(work, tmp_path / home, "cpu", 1)
    executor = LocalExecutor(["cpu"], setup) if home else PipesExecutor(None, setup)
    executor.shares_home = True
    away = Dispatcher(executor, bench.home, get_registry(), OFTEN, about=PIPES)
    with pytest.raises(ExecutorError, match="does not see this home, although its executor states it") as refused:
        run_by(away, bench, load(SHORT, replicates=1, name="tiny"))
    assert problem in str(refused.value)
    assert left_over(bench.home) == []
    assert list(tmp_path.glob("*/artifacts/*/*")) == [], "a worker has written into another folder"


def test_a_home_that_is_shared_is_used_in_place(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    bench = Bench(tmp_path / "away")
    executor = LocalExecutor(["cpu"], Setup(work, bench.home))
    seen: list[str] = []

    class Looks(Listener):
        def done(self, done: Any) -> None:
            seen.extend(left_over(bench.home))

    away = Dispatcher(executor, bench.home, get_registry(), OFTEN, about=PIPES)
    assert not run_by(away, bench, load(SHORT, replicates=1, name="tiny"), Looks()).failures
    assert len(set(seen)) == 1, "the file that workers look for"
    assert left_over(bench.home) == []
