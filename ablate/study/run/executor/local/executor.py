"""Worker processes of this machine, each with one thread and a device, which is how small models use a CPU best.

Beside GPUs, cores do the tasks that need none.

Every worker has a channel of its own, so that one that dies while it sends breaks nothing else.
"""

from __future__ import annotations

import os
import queue
import time
from typing import TYPE_CHECKING, Any, Self

from ablate.interfaces.executor import Begun, Died, Ended, Event, Executor, Place, Signed, Task, Told
from ablate.processes import NamedWork
from ablate.study.run.executor.local.held import Entry, Held
from ablate.study.run.executor.local.process import BEGUN, IDLE, MESSAGE, RAISED, Settings
from ablate.study.run.executor.local.worker import Heard, Worker
from ablate.study.run.executor.start import processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from ablate.interfaces.executor import Setup

#: Messages that wait for the driver; with more, workers wait.
_MOST_HEARD = 256
#: Seconds between two looks at workers that are to end.
_LOOK = 0.01
#: Seconds for workers to save their work when the driver ends with an error, and for idle ones to end.
_GRACE, _IDLE_GRACE = 10.0, 2.0


class LocalExecutor(Executor):
    """Worker processes, started when there is work for them.

    Args:
        devices: one for each worker.
        setup: what they work with.
        sees_home: whether the home of the setup is on this machine.
    """

    shares_home = True
    same_installation = True

    def __init__(self, devices: Sequence[str], setup: Setup, *, sees_home: bool = True) -> None:
        self.shares_home = self.shares_home and sees_home
        self._devices = list(devices)
        self.backlog = len(devices)  # each worker may end once while the driver is busy
        self._processes = processes(len(devices), setup.work.module if isinstance(setup.work, NamedWork) else "")
        # without a lock, which a worker that is killed at the wrong moment would hold forever
        self._stopping: Any = self._processes.RawValue("b", 0)
        self._settings = Settings(setup.work, setup.home if sees_home else None, dict(os.environ))
        self._contents: dict[str, str] = {}
        self._free, self._held = list(devices), Held(devices)
        self._idle, self._busy, self._leaving = list[Worker](), list[Worker](), list[Worker]()
        self._heard: queue.Queue[Heard] = queue.Queue(_MOST_HEARD)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.value = 1
        self._held.clear()
        for worker in (*self._busy, *self._idle):
            worker.dismiss()
        at_once = kind is not None and not issubclass(kind, Exception)  # Ctrl-C does not wait
        deadline = time.monotonic() + (0.0 if at_once else _GRACE if self._busy else _IDLE_GRACE)
        for worker in (*self._busy, *self._idle, *self._leaving):
            while time.monotonic() < deadline and not worker.has_ended():
                list(self._take(_LOOK))
            worker.join(deadline - time.monotonic())

    def places(self) -> list[Place]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        return [Place(device, device, self._devices.count(device)) for device in dict.fromkeys(self._devices)]

    def put(self, digest: str, path: Path) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`; the workers read the file itself."""
        self._contents[digest] = str(path)

    def submit(self, task: Task) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._held.add(task, {digest: self._contents[digest] for digest in task.inputs})

    def wait(self, seconds: float) -> list[Event]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._assign()
        events: list[Event] = list(self._signs())
        # those that have ended before their last messages are taken
        ended = [worker for worker in (*self._busy, *self._idle) if worker.has_ended()]
        events += self._take(0.0 if events else seconds)
        for worker in ended:
            events += self._bury(worker)
        return events

    def end(self, task: str) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        if not self._held.drop(task):
            for worker in self._busy:
                worker.end(task)
            self._held.drop(task)  # its worker may have died before it began

    def stop(self) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._stopping.value = 1

    def _assign(self) -> None:
        """Hand tasks to workers that have none, and to new ones."""
        while open_ := {*self._free, *(worker.device for worker in self._idle)}:
            entry = self._held.take(open_, alone=True)
            if entry is None:
                return
            worker = self._worker(self._held.suited(entry.task), new=entry.task.alone)
            self._busy.append(worker)
            worker.begin(entry)

    def _worker(self, devices: Sequence[str], *, new: bool) -> Worker:
        """Return a worker without work on one of the devices; a new one if asked to, or if there is no other."""
        idle = next((worker for worker in reversed(self._idle) if worker.device in devices), None)
        if idle and not new:
            self._idle.remove(idle)
            return idle
        if idle and not any(device in devices for device in self._free):
            self._idle.remove(idle)
            self._retire(idle)
        device = next(device for device in self._free if device in devices)
        self._free.remove(device)
        return Worker(self._processes, device, self._settings, self._stopping, self._heard, self._held)

    def _retire(self, worker: Worker) -> None:
        worker.dismiss()
        self._leaving.append(worker)
        self._free.append(worker.device)

    def _signs(self) -> Iterator[Event]:
        for worker in self._busy:
            doing = worker.sign()
            if worker.told and doing is not None:
                yield Signed(worker.told.task.name, doing)

    def _take(self, seconds: float) -> Iterator[Event]:
        """Take what was heard by now, or wait a moment for it."""
        try:
            heard = [self._heard.get(timeout=seconds) if seconds else self._heard.get_nowait()]
            heard += [self._heard.get_nowait() for _ in range(self._heard.qsize())]
        except queue.Empty:
            return
        for worker, entry, kind, message in heard:
            if worker not in self._busy:
                continue  # it was given up
            if kind == IDLE:
                self._release(worker, after=entry.task)
            else:
                yield self._event(worker, entry, kind, message)

    def _event(self, worker: Worker, entry: Entry, kind: bytes, message: bytes) -> Event:
        name = entry.task.name
        if kind == MESSAGE:
            return Told(name, message)
        worker.told = entry if kind == BEGUN else None
        if kind == BEGUN:
            return Begun(name, worker.device)
        return Died(name, f"raised {message.decode()}") if kind == RAISED else Ended(name)

    def _release(self, worker: Worker, after: Task) -> None:
        """Take a worker back that has no task any more."""
        self._busy.remove(worker)
        if worker.was_ended or after.alone:
            self._retire(worker)
        else:
            self._idle.append(worker)

    def _bury(self, worker: Worker) -> Iterator[Event]:
        """Give the slot of a worker that has ended to another one, and yield the ends of its tasks."""
        doing, how, task = worker.sign(), worker.how_it_ended(), worker.give_up()
        last = list(self._take(0.0))  # its thread may have heard of an end since
        yield from last
        for workers in (self._busy, self._idle):
            if worker in workers:
                workers.remove(worker)
                self._free.append(worker.device)
        if task is None or any(isinstance(event, Ended | Died) and event.task == task.name for event in last):
            return
        if doing is not None:
            yield Signed(task.name, doing)
        yield Died(task.name, how, outside=worker.was_killed)
