"""One GPU beside a pool of cores: which place each stage gets. The GPU is a name here, and tasks only report it."""

from __future__ import annotations

import json
import time
import types
from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import ExecutorError
from ablate.interfaces.executor import Begun, Ended, Place, Resources, Setup, Task, Told
from ablate.registry import get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor.dispatcher import Dispatcher
from ablate.study.run.executor.local.executor import LocalExecutor
from ablate.study.run.executor.places import slots_for, suited
from ablate.study.run.executor.tasks import work
from ablate.study.run.scheduler import Scheduler
from ablate.study.stage import runs_network
from ablate.study.work.messages import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.interfaces.executor import Channel
    from ablate.study.file.study_file import StudySpec
    from ablate.study.stage import Stage

BOTH = ["cuda:0", "cpu", "cpu"]


def report(data: bytes, channel: Channel) -> None:
    """Send the device and the time at the beginning, and the time at the end."""
    begun = time.monotonic()
    time.sleep(float(data))
    channel.send(json.dumps([channel.device, begun, time.monotonic()]).encode())


@pytest.mark.parametrize(
    ("devices", "gpus", "expected"),
    [
        (BOTH, 1.0, ["cuda:0"]),
        (BOTH, 0.5, ["cuda:0"]),
        (BOTH, 0.0, ["cpu"]),
        (["cuda:0", "cuda:1"], 0.0, ["cuda:0", "cuda:1"]),  # nothing else is there
        (["cpu"], 1.0, []),
        ([], 0.0, []),
    ],
)
def test_a_task_gets_a_gpu_if_it_needs_one_and_a_core_if_it_does_not(
    devices: list[str], gpus: float, expected: list[str]
) -> None:
    assert suited(devices, gpus) == expected


def test_slots_are_those_of_suitable_places() -> None:
    places = [Place("a", "cuda:0"), Place("b", "cuda:1", 2), Place("c", slots=14)]
    assert (slots_for(places, 1.0), slots_for(places, 0.0)) == (3, 14)
    assert slots_for(places[:2], 0.0) == 3
    assert slots_for([], 1.0) == 1, "a cluster that has no place yet"


def test_cores_work_beside_a_gpu_at_the_same_time(tmp_path: Path) -> None:
    needs = {"train-1": 1.0, "train-2": 1.0, "measure-1": 0.0, "measure-2": 0.0, "measure-3": 0.0}
    events: list[Any] = []
    with LocalExecutor(BOTH, Setup(report, tmp_path, "cuda", 3)) as executor:
        for name, gpus in needs.items():
            executor.submit(Task(name, b"0.4", Resources(gpus=gpus)))
        deadline = time.monotonic() + 60
        while sum(isinstance(event, Ended) for event in events) < len(needs) and time.monotonic() < deadline:
            events += executor.wait(0.1)
    told = {event.task: json.loads(event.message) for event in events if isinstance(event, Told)}
    assert {name: device for name, (device, *_) in told.items()} == {
        name: "cuda:0" if gpus else "cpu" for name, gpus in needs.items()
    }
    assert {event.task: event.place for event in events if isinstance(event, Begun)} == {
        name: device for name, (device, *_) in told.items()
    }
    (_, first, end), (_, second, _) = told["train-1"], told["train-2"]
    assert second >= end, "a GPU has one task at a time"
    assert told["measure-1"][1] < end, "what needs no GPU waited for one"
    assert told["measure-2"][1] < end
    assert first < second


class Elsewhere(LocalExecutor):
    """Keeps what it is given and does nothing."""

    def __init__(self, places: list[Place], home: Path) -> None:
        super().__init__(["cpu"], Setup(work, home))
        self.there, self.tasks, self.backlog = places, list[Task](), 0

    def places(self) -> list[Place]:
        return self.there

    def submit(self, task: Task) -> None:
        self.tasks.append(task)


def stages_of(load: Callable[..., StudySpec]) -> dict[str, Stage]:
    """Return a stage of each kind, and the measurement of a model as ``score``."""
    spec = load({"metric": {"distance.pitch": {}, "likelihood.nll": {}}}, replicates=1)
    stages = list(lay_out(spec, get_registry(), "cuda").stages().values())
    return {
        **{s.kind: s for s in stages if s.metric != "likelihood.nll"},
        "score": next(stage for stage in stages if stage.metric == "likelihood.nll"),
    }


def test_only_what_runs_a_network_needs_a_gpu(load: Callable[..., StudySpec], bench: Bench) -> None:
    stages = stages_of(load)
    assert {name for name, stage in stages.items() if runs_network(stage)} == {"train", "generate", "score"}
    executor = Elsewhere([Place("gpu", "cuda:0"), Place("cores", slots=2)], bench.home)
    with Dispatcher(executor, bench.home, get_registry(), device="cuda") as dispatcher:
        assert dispatcher.slots == 1, "trainings are fused for the GPUs, not for the cores"
        for name in ("train", "generate", "measure", "floor", "score"):
            dispatcher.submit(Job(stages[name].kind, (stages[name],)))
        dispatcher.wait(lambda news: None)
    submitted = [(task.name.partition("-")[0], task.resources.gpus) for task in executor.tasks]
    assert submitted == [("train", 1.0), ("measure", 0.0), ("floor", 0.0)], "a full GPU must not keep cores waiting"


def test_a_cpu_study_asks_for_no_gpu(load: Callable[..., StudySpec], bench: Bench) -> None:
    stages = stages_of(load)
    executor = Elsewhere([Place("cores", slots=3)], bench.home)
    with Dispatcher(executor, bench.home, get_registry()) as dispatcher:
        assert dispatcher.slots == 3
        dispatcher.submit(Job("train", (stages["train"],)))
        dispatcher.wait(lambda news: None)
    assert [task.resources.gpus for task in executor.tasks] == [0.0]


def test_places_without_a_gpu_end_the_run_in_one_line(load: Callable[..., StudySpec], bench: Bench) -> None:
    executor = Elsewhere([], bench.home)
    train = stages_of(load)["train"]
    with Dispatcher(executor, bench.home, get_registry(), device="cuda") as dispatcher:
        dispatcher.submit(Job("train", (train,)))
        assert dispatcher.wait(lambda news: None) == [], "a cluster may have none yet"
        assert len(executor.tasks) == 1
        executor.there = [Place("node1"), Place("node2")]
        with pytest.raises(ExecutorError) as refused:
            dispatcher.wait(lambda news: None)
    assert str(refused.value).endswith(" has no place with a GPU, but node1, node2; use --device cpu")


def test_measurements_with_a_network_are_jobs_of_their_own(load: Callable[..., StudySpec]) -> None:
    """Otherwise a GPU would measure music, or a core run a network."""
    stages = stages_of(load)

    both = [stages["measure"], stages["score"]]
    plan: Any = types.SimpleNamespace(missing={stage.fingerprint: stage for stage in both})
    status: Any = types.SimpleNamespace(finished=[], failures={}, is_missing=lambda stage: False)
    packing: Any = None
    jobs = Scheduler(plan, status, packing).jobs()
    assert [job.stages for job in jobs] == [(stage,) for stage in both]
