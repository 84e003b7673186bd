"""What needs no cluster: addresses, places, contents in words, and a Ray that is not installed."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

import ablate_ray
from ablate.errors import ExecutorError
from ablate.interfaces.executor import Event, Place, Setup, Task
from ablate.processes import named_work
from ablate.testing.executor_work import perform
from ablate_ray.contents import Contents
from ablate_ray.messages import Start
from ablate_ray.nodes import Nodes
from ablate_ray.options import RayOptions
from ablate_ray.pool import Pool
from ablate_ray.slot import Slot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ablate.interfaces import Executor

(RAY,) = ablate_ray.ablate_executors()


def built(home: Path, **options: object) -> Executor:
    made: Executor = RAY.build(RAY.parse(options), Setup(perform, home))
    return made


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("ray://head:10001", "Ray's client ('ray://head:10001') brings no results back as they come; run the command"),
        ("head", "'head' is no address; give \"auto\", or HOST:PORT of the head"),
        ("head:6379/x", "'head:6379/x' is no address"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line(tmp_path: Path, address: str, problem: str) -> None:
    with pytest.raises(ExecutorError) as refused:
        built(tmp_path, address=address)
    assert str(refused.value).startswith(f"executor.ray.address: {problem}")
    assert "\n" not in str(refused.value)


def test_ray_that_is_not_installed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExecutorError, match=r"needs Ray: pip install 'ablate-music\[ray\]'"), built(tmp_path):
        pass


@pytest.mark.parametrize("address", ["auto", ""])
def test_an_address_where_nothing_listens_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        head = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", head)  # of a cluster that is gone
    where = re.escape(f"'auto' ({head})" if address else f"'{head}'")
    with (
        pytest.raises(ExecutorError, match=f"no Ray cluster answers at {where}: .*refused"),
        built(tmp_path, address=address or head),
    ):
        pass


def test_a_run_can_be_stopped_while_it_connects(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with socket.socket() as silent:  # it accepts connections, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        executor = built(tmp_path, address=f"127.0.0.1:{silent.getsockname()[1]}")
        threading.Timer(0.5, executor.stop).start()
        with pytest.raises(ExecutorError, match=r"stopped before the Ray cluster at .* was ready"), executor:
            pass


def node(name: str, host: str, *, alive: bool = True, **resources: float) -> dict[str, Any]:
    return {"NodeID": name, "NodeManagerHostname": host, "Alive": alive, "Resources": resources}


def looked(
    monkeypatch: pytest.MonkeyPatch, nodes: list[dict[str, Any]], device: str = "cpu", **options: Any
) -> list[Place]:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    found = Nodes(Start(RayOptions(**options), named_work(perform), "home", device, 2))
    assert asyncio.run(found.look()) is bool(found.places)
    assert not asyncio.run(found.look())
    return found.places


NODES = [
    node("aaaaaaa1", "big", CPU=8.0, GPU=2.0, memory=64.0 * 2**30),
    node("bbbbbbb2", "big", CPU=3.0, memory=5.0 * 2**30),
    node("ccccccc3", "gone", alive=False, CPU=99.0),
    node("ddddddd4", "without-cores"),
]


def test_machines_have_a_place_each_whose_names_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, NODES) == [Place("big", slots=8), Place("big-bbbbbb", slots=3)]
    assert looked(monkeypatch, NODES, cores=2) == [Place("big", slots=4), Place("big-bbbbbb", slots=1)]
    assert looked(monkeypatch, NODES, memory=2.0) == [Place("big", slots=8), Place("big-bbbbbb", slots=2)]
    assert looked(monkeypatch, NODES, cores=9) == []


def test_gpus_and_the_cores_beside_them_are_two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = Place("big-bbbbbb cpu", slots=3)
    assert looked(monkeypatch, NODES, "cuda") == [Place("big gpu", "cuda:0", 2), Place("big cpu", slots=6), cores]
    halves = looked(monkeypatch, NODES, "cuda", gpus=0.5)
    assert halves == [Place("big gpu", "cuda:0", 4), Place("big cpu", slots=4), cores]


def test_a_number_of_tasks_limits_the_places_or_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, NODES, tasks=8) == [Place("big", slots=8)]
    assert looked(monkeypatch, NODES, tasks=9) == [Place("big", slots=8), Place("big-bbbbbb", slots=1)]
    assert looked(monkeypatch, NODES[2:], tasks=5) == [Place("machines to come", slots=5)]


def test_gpus_are_among_a_number_of_tasks_and_leave_one_for_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [node("aaaaaaa1", "cores", CPU=16.0), node("bbbbbbb2", "gpus", CPU=8.0, GPU=4.0)]
    gpus = Place("gpus gpu", "cuda:0", 4)
    assert looked(monkeypatch, nodes, "cuda", tasks=8) == [gpus, Place("cores cpu", slots=4)]
    assert looked(monkeypatch, nodes, "cuda", tasks=4) == [Place("gpus gpu", "cuda:0", 3), Place("cores cpu", slots=1)]
    assert looked(monkeypatch, nodes, "cuda", tasks=1) == [Place("gpus gpu", "cuda:0", 1)]
    waits = Place("machines to come", "cuda:0", 1)
    assert looked(monkeypatch, nodes[:1], "cuda", tasks=8) == [Place("cores cpu", slots=7), waits]
    assert looked(monkeypatch, nodes[:1], "cuda", tasks=1) == [waits]


class Actor:
    """Keeps the names of the tasks that it begins, none of which ends."""

    def __init__(self) -> None:
        self.begun = list[str]()
        self.end = self.work = self

    def options(self, **_: object) -> Actor:
        return self

    async def remote(self, task: Task, _: object = None) -> AsyncIterator[list[Event]]:
        self.begun.append(task.name)
        await asyncio.Event().wait()
        yield []


def test_a_task_that_an_actor_has_just_got_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    actor, events = Actor(), list[Event]()
    start = Start(RayOptions(tasks=1), named_work(perform), "home", "cpu", 1)

    async def enter(slot: Slot, _: Nodes) -> None:
        slot.place, slot._actor = "here", actor

    async def run() -> None:
        pool = Pool(start, Nodes(start), Contents(), events.extend)
        for name in ("while it starts", "while it is idle", "not at all"):
            pool.submit(Task(name, b""))
            if name != "not at all":
                pool.end(name)
            await asyncio.sleep(0.01)

    monkeypatch.setattr(Slot, "enter", enter)
    asyncio.run(run())
    assert actor.begun == ["not at all"]
    assert not events
