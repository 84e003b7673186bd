"""Executors: one that keeps its contract, and many that break it."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any

from ablate.interfaces.executor import Begun, Died, Ended, Event, Noted, Signed, Task, Told
from ablate.study.run.executor.local.executor import LocalExecutor

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.interfaces.executor import Place, Setup


class Kept(LocalExecutor):
    """Two processes of this machine."""

    seconds = 60.0

    def __init__(self, setup: Setup) -> None:
        super().__init__(["cpu", "cpu"], setup)


class Broken(Kept):
    """Nobody waits long for what never comes."""

    seconds = 1.5


class Nowhere(Broken):
    def places(self) -> list[Place]:
        return []


class HidesTheHome(Broken):
    shares_home = False


class Doubles(Kept):
    """Reports every message twice."""

    def wait(self, seconds: float) -> list[Event]:
        return [each for event in super().wait(seconds) for each in [event] * (1 + isinstance(event, Told))]


class BeginsTwice(Kept):
    def wait(self, seconds: float) -> list[Event]:
        return [each for event in super().wait(seconds) for each in [event] * (1 + isinstance(event, Begun))]


class Blames(Kept):
    """Takes every death for the work of somebody else."""

    def wait(self, seconds: float) -> list[Event]:
        events = super().wait(seconds)
        return [dataclasses.replace(each, outside=True) if isinstance(each, Died) else each for each in events]


class Hopes(Kept):
    """Takes every death for an end."""

    def wait(self, seconds: float) -> list[Event]:
        return [Ended(each.task) if isinstance(each, Died) else each for each in super().wait(seconds)]


class NeverDrops(Broken):
    def end(self, task: str) -> None:
        if task not in {each.task.name for each in self._held._entries}:
            super().end(task)


class NeverStops(Broken):
    def stop(self) -> None:
        pass


class Silent(Broken):
    def wait(self, seconds: float) -> list[Event]:
        return [event for event in super().wait(seconds) if not isinstance(event, Signed)]


class Rambles(Kept):
    """Has something to say at each look, in two lines."""

    def wait(self, seconds: float) -> list[Event]:
        return [Noted("", "Two tasks\nwait for a place."), *super().wait(seconds)]


class KeepsOne(Kept):
    """Gives every task the content that was put first."""

    def put(self, digest: str, path: Path) -> None:
        super().put(digest, next(iter(self._paths), path))

    @property
    def _paths(self) -> list[Any]:
        return list(self._contents.values())


class Shares(Kept):
    def submit(self, task: Task) -> None:
        super().submit(dataclasses.replace(task, alone=False))


class Leaves(Broken):
    """Ends its workers long after it was left."""

    def __exit__(self, *_: object) -> None:
        threading.Timer(3.0, super().__exit__, (KeyboardInterrupt, None, None)).start()


KEEPS = {"ExecutorContract": Kept}
BREAKS = [
    ("ExecutorContract", "test_places", Nowhere, "there is no place where tasks can run"),
    ("ExecutorContract", "test_home", HidesTheHome, "shares_home is False, but a worker finds"),
    ("ExecutorContract", "test_messages", Doubles, "not those that were sent"),
    ("ExecutorContract", "test_many_tasks", BeginsTwice, "not every task was done once"),
    ("ExecutorContract", "test_an_exception", Blames, "counts as the work of somebody else"),
    ("ExecutorContract", "test_a_killed_worker", Hopes, "has ended as if it were done"),
    ("ExecutorContract", "test_end", Blames, "counts as the work of somebody else"),
    ("ExecutorContract", "test_end_before_the_beginning", NeverDrops, "'print' has two last events"),
    ("ExecutorContract", "test_end_at_once", NeverDrops, "nothing happened for 1.5 s"),
    ("ExecutorContract", "test_stop", NeverStops, "nothing happened for 1.5 s"),
    ("ExecutorContract", "test_signs", Silent, "nothing happened for 1.5 s"),
    ("ExecutorContract", "test_many_tasks", Rambles, "a note is not one line"),
    ("ExecutorContract", "test_contents", KeepsOne, "is not what was put"),
    ("ExecutorContract", "test_alone", Shares, "needs a process alone shares it"),
    ("ExecutorContract", "test_nothing_is_left", Leaves, "a worker still runs"),
]
