"""Jobs in worker processes, some of which die, hang, or are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from support.rude import Rude, rude_plugin

from ablate.engine.devices import spread
from ablate.interfaces.executor import Noted, Setup
from ablate.registry import get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor import start
from ablate.study.run.executor.choose import local_dispatcher
from ablate.study.run.executor.dispatcher import Dispatcher
from ablate.study.run.executor.local.executor import LocalExecutor
from ablate.study.run.executor.protocol import Working
from ablate.study.run.executor.start import start_early
from ablate.study.run.executor.tasks import work
from ablate.study.run.listener import Listener
from ablate.study.run.runner import SharedContext, StudyRunner
from ablate.study.work.messages import Job, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.bench import Bench

    from ablate.interfaces.executor import Event
    from ablate.study.file.study_file import StudySpec
    from ablate.study.run.result import StudyResult
    from ablate.study.work.messages import StageFailure


@pytest.mark.parametrize(
    ("gpus", "device", "workers", "expected"),
    [
        (0, "cpu", 3, ["cpu"] * 3),
        (8, "cpu", 1, ["cpu"]),
        (1, "cuda", 4, ["cuda:0", "cpu", "cpu", "cpu"]),
        (1, "cuda", 1, ["cuda:0", "cpu"]),
        (4, "cuda", 6, ["cuda:0", "cuda:1", "cuda:2", "cuda:3", "cpu", "cpu"]),
        (4, "cuda", 2, ["cuda:0", "cuda:1", "cpu"]),  # fewer jobs than GPUs, or fewer asked for
        (4, "cuda:2", 3, ["cuda:2", "cpu", "cpu"]),
    ],
)
def test_workers_take_the_devices_there_are(
    gpus: int, device: str, workers: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert spread(device, workers) == expected


def test_a_pool_works_without_signal_masks(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has none."""
    resource_tracker.ensure_running()  # a process of Python's own, which needs the masks on this system
    monkeypatch.delattr(signal, "pthread_sigmask")
    stages = lay_out(load(), get_registry(), "cpu").stages().values()
    stage = next(stage for stage in stages if stage.kind == "load")
    outcomes = []
    with local_dispatcher(bench.home, ["cpu"], get_registry()) as executor:
        executor.submit(Job("load", (stage,)))
        while executor.busy:
            outcomes += executor.wait(lambda news: None)
    ((result,),) = (outcome.results for outcome in outcomes)
    assert isinstance(result, StageResult)
    assert (bench.home / stage.artifact).is_dir()


@pytest.fixture
def rude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rude]:
    yield from rude_plugin(tmp_path / "rude", monkeypatch)


def measured(load: Callable[..., StudySpec], *metrics: str, **options: Any) -> StudySpec:
    """Return a study of one run with these metrics between its own two."""
    own = {"metric": {"distance.pitch": {}, **dict.fromkeys(metrics, options), "distance.velocity": {}}}
    short = {"generation.tokens": 40, "training.steps": 2, "axes.sampler.temperature.tau": [1.0], "floors.draws": 0}
    return load({**short, **own}, replicates=1, name="tiny")


def run(bench: Bench, spec: StudySpec, **options: Any) -> StudyResult:
    return bench.run(spec, working=Working(isolated=True), **options)


def kept(bench: Bench) -> set[str]:
    return {number.measurement.metric for number in bench.numbers("tiny")}


def failures_of(bench: Bench, spec: StudySpec) -> dict[str, str]:
    """Run a study; return the error of each measurement that has failed, by metric; those of floors are alike."""
    errors = Errors()
    run(bench, spec, listener=errors)
    return errors.by_metric


def alive(pid: int) -> bool:
    """Return whether a process runs; one that was killed is gone after a moment, or waits for whoever started it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return False
        except OSError:
            return False
        time.sleep(0.02)
    return True


class Errors(Listener):
    """Notes failures."""

    def __init__(self) -> None:
        self.run: StudyRunner
        self.by_metric: dict[str, str] = {}

    def failed(self, failure: StageFailure) -> None:
        assert failure.error_class == "WorkerDied"
        if failure.stage.kind == "measure":
            self.by_metric[failure.stage.config["metric"]["name"]] = failure.error


def test_metrics_that_end_their_process_are_named_and_the_healthy_ones_are_kept(
    bench: Bench, load: Callable[..., StudySpec], rude: Rude, capfd: pytest.CaptureFixture[str]
) -> None:
    errors = failures_of(bench, measured(load, "rude.crash", "rude.hold", "rude.killed"))
    assert kept(bench) == {"distance.pitch", "distance.velocity"}
    assert set(bench.states("tiny").values()) == {"failed"}
    for metric, how in {
        "rude.crash": "its process died of SIGSEGV (a crash in compiled code)",
        "rude.hold": "ended its process with status 4",
        "rude.killed": "its process was killed (SIGKILL); the system may have run out of memory (try fewer --workers)",
    }.items():
        error = errors.pop(metric)
        assert error.startswith(f"metric '{metric}' of plugin 'rude': ")
        assert error.endswith(how)
    assert not errors
    assert len(rude.pids("crash")) == 3, "a floor, and two chances for the measurement"
    assert len(rude.pids("killed")) == 8, "a floor and the measurement, four chances each"
    for harm in ("crash", "hold", "killed"):
        assert os.getpid() not in rude.pids(harm)
    assert not [line for line in capfd.readouterr().out.splitlines() if line.endswith("by a metric")]


def test_a_worker_that_is_killed_from_outside_again_and_again_changes_nothing(
    bench: Bench, load: Callable[..., StudySpec], rude: Rude
) -> None:
    assert failures_of(bench, measured(load, "rude.unlucky")) == {}
    assert kept(bench) == {"distance.pitch", "rude.unlucky", "distance.velocity"}
    assert len(set(rude.pids("unlucky")[:4])) == 4, "three were killed"


def test_a_component_that_is_stuck_costs_its_own_stage(
    bench: Bench, load: Callable[..., StudySpec], rude: Rude
) -> None:
    spec, errors = measured(load, "rude.hang"), Errors()
    executor = local_dispatcher(bench.home, ["cpu"], get_registry())

    def be_impatient() -> None:
        """Only when the component is stuck: on a busy machine the others take their time."""
        for count in (1, 2):  # in a floor and in the measurement, once each, because the limit may be long
            while len(rude.pids("hang")) < count:
                time.sleep(0.02)
            executor._silence.limit = 0.5
            assert not alive(rude.pids("hang")[-1])
            executor._silence.limit = 60.0

    thread = threading.Thread(target=be_impatient, daemon=True)
    thread.start()
    with bench.store() as store, executor:
        layout = lay_out(spec, get_registry(), "cpu")
        StudyRunner(layout, store, bench.home, shared=SharedContext(executor), listener=errors).run()
    thread.join()
    assert kept(bench) == {"distance.pitch", "distance.velocity"}
    (error,) = errors.by_metric.values()
    assert error.startswith("metric 'rude.hang' of plugin 'rude': showed no progress for ")
    assert error.endswith(", so its process was ended (--stall-limit)")
    assert len(rude.pids("hang")) == 2
    for child in rude.pids("child of hang"):
        assert not alive(child), "what it has started goes with it"


def test_a_worker_that_dies_while_it_sends_breaks_its_own_channel_only(
    bench: Bench, load: Callable[..., StudySpec], rude: Rude
) -> None:
    started = time.monotonic()
    errors = failures_of(bench, measured(load, "rude.flood"))
    assert time.monotonic() - started < 40
    assert kept(bench) == {"distance.pitch", "distance.velocity"}
    assert list(errors) == ["rude.flood"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, no process starts the workers")
def test_workers_start_although_the_process_that_starts_them_was_killed(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    from multiprocessing import forkserver

    # one of this test, which imports little: all tests in this process share the usual one
    server = forkserver.ForkServer()
    monkeypatch.setattr(forkserver, "_forkserver", server)
    for name in ("ensure_running", "connect_to_new_process", "set_forkserver_preload"):
        monkeypatch.setattr(forkserver, name, getattr(server, name))
    monkeypatch.setattr(start, "_PRELOAD", [start._PROGRAM])
    start_early(1)
    pid = server._forkserver_pid
    os.kill(pid, signal.SIGKILL)
    stages = lay_out(load(), get_registry(), "cpu").stages().values()
    stage = next(stage for stage in stages if stage.kind == "load")
    with local_dispatcher(bench.home, ["cpu"], get_registry()) as pool:
        pool.submit(Job("load", (stage,)))
        outcomes: list[Any] = []
        while not outcomes:
            outcomes = pool.wait(lambda news: None)
    assert isinstance(outcomes[0].results[0], StageResult)
    assert server._forkserver_pid != pid
    server._stop()


_BLOCKED = """
import signal, sys
from multiprocessing import forkserver
from ablate.study.run.executor.start import STOPPING, start_early
start_early(2)
with open(f"/proc/{forkserver._forkserver._forkserver_pid}/status") as status:
    blocked = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk"))
sys.exit(not all(blocked & 1 << number - 1 for number in STOPPING))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, no process starts the workers")
def test_ctrl_c_does_not_interrupt_the_process_that_starts_workers() -> None:
    """Python's own helper, which is started with it, unblocks signals on the way."""
    done = subprocess.run([sys.executable, "-P", "-c", _BLOCKED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class Talks(LocalExecutor):
    """Repeats itself."""

    def wait(self, seconds: float) -> list[Event]:
        return [Noted("", "3 jobs wait in the queue: \x1b[1mResources"), *super().wait(seconds)]


def test_what_an_executor_has_to_say_is_shown_once(
    bench: Bench, load: Callable[..., StudySpec], caplog: pytest.LogCaptureFixture
) -> None:
    stages = lay_out(load(), get_registry(), "cpu").stages().values()
    executor = Talks(["cpu"], Setup(work, bench.home))
    with Dispatcher(executor, bench.home, get_registry()) as dispatcher:
        dispatcher.submit(Job("load", (next(stage for stage in stages if stage.kind == "load"),)))
        while dispatcher.busy:
            dispatcher.wait(lambda news: None)
    assert caplog.messages == ["executor 'local': 3 jobs wait in the queue: \\x1b[1mResources"]
