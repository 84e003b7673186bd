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
from ablate.study.run.executor.local.process import END, RAISED, Settings
from ablate.study.run.executor.local.worker import Heard, Worker
from ablate.study.run.executor.places import suited
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
        self._processes = processes(len(devices))
        # without a lock, which a worker that is killed at the wrong moment would hold forever
        self._stopping: Any = self._processes.RawValue("b", 0)
        self._settings = Settings(setup.work, setup.home if sees_home else None, dict(os.environ))
        self._contents: dict[str, str] = {}
        self._free, self._tasks = list(devices), list[Task]()
        self._idle, self._busy, self._leaving = list[Worker](), list[Worker](), list[Worker]()
        self._heard: queue.Queue[Heard] = queue.Queue(_MOST_HEARD)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.value = 1
        self._tasks = []
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
        self._tasks.append(task)

    def wait(self, seconds: float) -> list[Event]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        events = [*self._assign(), *self._signs()]
        # those that have ended before their last messages are taken
        ended = [worker for worker in (*self._busy, *self._idle) if worker.has_ended()]
        events += self._take(0.0 if events else seconds)
        for worker in ended:
            events += self._bury(worker)
        return events

    def end(self, task: str) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._tasks = [each for each in self._tasks if each.name != task]
        for worker in self._busy:
            if worker.task and worker.task.name == task:
                worker.kill()

    def stop(self) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._stopping.value = 1

    def _assign(self) -> Iterator[Event]:
        waiting, self._tasks = self._tasks, []
        for task in waiting:
            worker = self._worker(suited(self._devices, task.resources.gpus), new=task.alone)
            if worker is None:
                self._tasks.append(task)
                continue
            worker.begin(task, {digest: self._contents[digest] for digest in task.inputs})
            self._busy.append(worker)
            yield Begun(task.name, worker.device)

    def _worker(self, devices: Sequence[str], *, new: bool) -> Worker | None:
        """Return a worker without work on one of the devices; a new one if asked to, or if there is no other."""
        idle = [worker for worker in self._idle if worker.device in devices]
        if idle and not new:
            self._idle.remove(idle[-1])
            return idle[-1]
        if idle and not any(device in devices for device in self._free):
            self._idle.remove(idle[-1])
            self._retire(idle[-1])
        device = next((device for device in self._free if device in devices), None)
        if device is None:
            return None
        self._free.remove(device)
        return Worker(self._processes, device, self._settings, self._stopping, self._heard)

    def _retire(self, worker: Worker) -> None:
        worker.dismiss()
        self._leaving.append(worker)
        self._free.append(worker.device)

    def _signs(self) -> Iterator[Event]:
        for worker in self._busy:
            doing = worker.sign()
            if worker.task and doing is not None:
                yield Signed(worker.task.name, doing)

    def _take(self, seconds: float) -> Iterator[Event]:
        """Take what was heard by now, or wait a moment for it."""
        try:
            heard = [self._heard.get(timeout=seconds) if seconds else self._heard.get_nowait()]
            heard += [self._heard.get_nowait() for _ in range(self._heard.qsize())]
        except queue.Empty:
            return
        for worker, kind, message in heard:
            task = worker.task
            if task is None:
                continue
            if kind in (END, RAISED):
                self._release(worker)
                yield Ended(task.name) if kind == END else Died(task.name, f"raised {message.decode()}")
            else:
                yield Told(task.name, message)

    def _release(self, worker: Worker) -> None:
        """Take a worker that has done its task back."""
        task, worker.task = worker.task, None
        self._busy.remove(worker)
        if worker.was_ended or (task and task.alone):
            self._retire(worker)
        else:
            self._idle.append(worker)

    def _bury(self, worker: Worker) -> Iterator[Event]:
        """Give the slot of a worker that has ended to another one, and yield the end of its task."""
        for workers in (self._busy, self._idle):
            if worker in workers:
                workers.remove(worker)
                self._free.append(worker.device)
        task, doing, how, worker.task = worker.task, worker.sign(), worker.how_it_ended(), None
        if task and doing is not None:
            yield Signed(task.name, doing)
        if task:
            yield Died(task.name, how, outside=worker.was_killed)
