"""The tasks that wait for a worker of this machine.

The threads of workers take their next task from here as soon as one has ended, while the driver may be busy.
"""

from __future__ import annotations

import collections
import itertools
import pickle
import threading
from typing import TYPE_CHECKING, NamedTuple

from ablate.study.run.executor.places import suited

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ablate.interfaces.executor import Task


class Entry(NamedTuple):
    """A task with a number that no other one has, from 1 on, and the paths of its contents by digest."""

    number: int
    task: Task
    contents: Mapping[str, str]

    def packed(self) -> bytes:
        """Return what the worker gets."""
        return pickle.dumps((self.number, self.task.data, self.contents))


class Held:
    """Tasks in their order; several threads use it.

    Args:
        devices: of the workers.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._entries: collections.deque[Entry] = collections.deque()
        self._numbers = itertools.count(1)
        self._with_gpu, self._without = suited(devices, 1.0), suited(devices, 0.0)

    def suited(self, task: Task) -> list[str]:
        """Return the devices of workers that can do a task."""
        return self._with_gpu if task.resources.gpus else self._without

    def add(self, task: Task, contents: Mapping[str, str]) -> None:
        """Add a task behind all others."""
        with self._lock:
            self._entries.append(Entry(next(self._numbers), task, contents))

    def put_back(self, entry: Entry) -> None:
        """Put a task that was taken and did not begin before all others."""
        with self._lock:
            self._entries.appendleft(entry)

    def take(self, devices: Collection[str], *, alone: bool) -> Entry | None:
        """Remove the first task that one of these devices can do, and return it.

        Args:
            devices: of workers.
            alone: whether it may need a process to itself; if it may not, and the first one does, none is taken.
        """
        with self._lock:
            for entry in self._entries:
                if any(device in devices for device in self.suited(entry.task)):
                    if entry.task.alone and not alone:
                        return None
                    self._entries.remove(entry)
                    return entry
        return None

    def drop(self, name: str) -> bool:
        """Remove a task; return whether it was here."""
        with self._lock:
            found = next((entry for entry in self._entries if entry.task.name == name), None)
            if found:
                self._entries.remove(found)
        return found is not None

    def clear(self) -> None:
        """Remove all tasks."""
        with self._lock:
            self._entries.clear()
