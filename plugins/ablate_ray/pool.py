"""The actors of a run, and the tasks that they get; all in one thread, as coroutines."""

from __future__ import annotations

import asyncio
import collections
import time
from typing import TYPE_CHECKING

from ablate.interfaces.executor import Resources
from ablate_ray.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.interfaces.executor import Event, Task
    from ablate_ray.contents import Contents
    from ablate_ray.messages import Start
    from ablate_ray.nodes import Nodes

#: Seconds after which an actor without a task gives its cores back.
_IDLE = 60.0
#: Seconds without room after which a note is printed.
_PATIENCE = 30.0
#: Seconds before a new actor takes the place of one that was lost.
_PAUSE = 0.5
_GIB = 2**30


class Pool:
    """Starts actors as tasks need them, and hands tasks to them in the order of submission.

    Args:
        start: the purpose.
        nodes: the machines.
        contents: that tasks read.
        report: takes events to the driver.
    """

    def __init__(self, start: Start, nodes: Nodes, contents: Contents, report: Callable[[list[Event]], None]) -> None:
        self._start, self._nodes, self._contents, self._report = start, nodes, contents, report
        self._waiting: list[Task] = []
        self._slots: dict[Slot, asyncio.Task[None]] = {}
        self._idle: dict[Slot, asyncio.Future[None]] = {}
        self._stopping, self._leaving = False, False
        self._moved = time.monotonic()
        self.problem: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def submit(self, task: Task) -> None:
        """Add a task."""
        if not self._waiting:
            self._moved = time.monotonic()
        self._waiting.append(task)
        self.fill()

    def fill(self) -> None:
        """Hand tasks to idle actors, and start actors for the others as far as there is room."""
        missing: collections.Counter[Resources] = collections.Counter()
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            needs = self._needs(task)
            slot = next((slot for slot in self._idle if slot.needs == needs), None)
            if slot:
                slot.take(task)  # at once: it may be ended before its actor is asked
                self._idle.pop(slot).set_result(None)
            else:
                self._waiting.append(task)
                missing[needs] += 1
        missing.subtract(slot.needs for slot in self._slots if not slot.place)
        for needs, count in missing.items():
            for _ in range(count):
                self._start_slot(needs)

    def _needs(self, task: Task) -> Resources:
        """Return what an actor for a task takes from the cluster."""
        asked, options = task.resources, self._start.options
        return Resources(
            max(asked.cores, options.cores),
            options.gpus if asked.gpus else 0.0,
            max(asked.memory, int(options.memory * _GIB)),
        )

    def _start_slot(self, needs: Resources) -> None:
        """Start an actor if there is room; otherwise let an idle one go, whose tasks need something else."""
        on_gpu = bool(needs.gpus)
        alike = [slot for slot in self._slots if bool(slot.needs.gpus) == on_gpu]
        if len(alike) < self._nodes.room(on_gpu=on_gpu) and not self._leaving:
            slot = Slot(needs, self._start, self._report)
            if self._stopping:
                slot.stop()
            self._slots[slot] = asyncio.create_task(self._live(slot))
            return
        other = next((slot for slot in self._idle if slot in alike and slot.needs != needs), None)
        if other:
            self._idle.pop(other).set_result(None)

    async def _live(self, slot: Slot) -> None:
        """Let an actor live: it works on tasks until it is lost, or there are none for it."""
        from ray.exceptions import RayError

        lost = False
        try:
            await slot.enter(self._nodes)
            while not lost and await self._next(slot):
                self._moved = time.monotonic()
                lost = not await slot.work(self._contents)
        except RayError:
            lost = True
        except Exception as error:  # noqa: BLE001 - the run cannot continue, and its driver prints why
            if not self.problem.done():
                self.problem.set_exception(error)
        if lost:
            await asyncio.sleep(_PAUSE)
        await slot.leave(at_once=lost)
        del self._slots[slot]
        self.fill()

    async def _next(self, slot: Slot) -> bool:
        """Wait for the next task of an actor; return whether there is one, not if none comes for a while."""
        if self._leaving:
            return False
        future = asyncio.get_running_loop().create_future()
        self._idle[slot] = future
        self.fill()
        await asyncio.wait((future,), timeout=_IDLE)
        self._idle.pop(slot, None)
        return slot.task is not None

    def end(self, task: str) -> None:
        """End a task; one that waits is dropped."""
        self._waiting = [each for each in self._waiting if each.name != task]
        for slot in self._slots:
            if slot.task and slot.task.name == task:
                slot.end()

    def stop(self) -> None:
        """Ask all tasks to end after their step."""
        self._stopping = True
        for slot in self._slots:
            slot.stop()

    def notes(self) -> list[str]:
        """Return what a person who waits should know."""
        working = any(slot.task for slot in self._slots)
        if working or not self._waiting or time.monotonic() - self._moved < _PATIENCE:
            return []
        needs = self._needs(self._waiting[0])
        what = f"{needs.cores} core{'s' if needs.cores > 1 else ''}"
        if needs.gpus:
            what += f", {needs.gpus:g} GPU"
        if needs.memory:
            what += f", {needs.memory / _GIB:g} GiB"
        if not self._nodes.places:
            return [f"no machine of the Ray cluster has {what} for a task; the run waits for one"]
        return [f"the Ray cluster has had no room for a task ({what}) for {_PATIENCE:g} s; the run waits"]

    async def leave(self, seconds: float) -> None:
        """End all actors, after some seconds for tasks to end after their step."""
        self._leaving, self._waiting = True, []
        self.stop()
        for future in self._idle.values():
            future.set_result(None)
        entered = [living for slot, living in self._slots.items() if slot.place]
        if entered and seconds:
            await asyncio.wait(entered, timeout=seconds)
        left = list(self._slots)
        for living in self._slots.values():
            living.cancel()
        await asyncio.gather(*(slot.leave(at_once=True) for slot in left))
