"""The worker's side: an actor of Ray that supervises one process, in which the work of its tasks is done.

The actor has loaded neither torch nor components, so nothing of them can end it: a process that crashes has a reason,
and the messages that it sent before are here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sys
import threading
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.interfaces.executor import Died, Ended, Event, Setup, Signed, Told
from ablate.processes import LOCK, process_folder
from ablate.workers import machine_workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.interfaces.executor import Task
    from ablate.processes import NamedWork

#: Seconds for which messages and signs are gathered, unless the task has ended; and bytes of messages.
_GATHER, _GATHER_SIGNS, _MOST = 0.2, 1.0, 2**22
#: Seconds between two looks whether the task is to end.
_LOOK = 0.1
#: Seconds between two looks whether Ray's process of this machine is there.
_LOOK_AT_PARENT = 1.0
#: The names of folders with contents begin so.
_FOLDER = "ablate-contents-"


class Slot:
    """One process for tasks, one after another.

    Args:
        work: the function that the process calls.
        home: the driver's.
        device: of the process.
        sees_home: whether the home is seen on this machine.
    """

    def __init__(self, work: NamedWork, home: str, device: str, *, sees_home: bool) -> None:
        # processes begin with the module that a program was started with, and Ray's program is none of theirs
        sys.modules["__main__"] = types.ModuleType("__main__")
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        setup = Setup(work, Path(home), device)
        self._workers = machine_workers(setup, [device], sees_home=sees_home)
        self._left = contextlib.ExitStack()
        self._folder = self._left.enter_context(process_folder(_FOLDER))
        self._to_end = ""

    def where(self) -> tuple[str, str]:
        """Return the id of the machine in Ray, and the name of its host."""
        import ray

        return ray.get_runtime_context().get_node_id(), socket.gethostname()

    def work(self, task: Task, contents: Mapping[str, Any]) -> Iterator[list[Event]]:
        """Do a task, and yield its events.

        Args:
            task: the task.
            contents: references to what it reads, by digest.
        """
        self._fetch(contents)
        if self._to_end == task.name:
            return
        self._workers.submit(task)
        gathered, since, ended = list[Event](), time.monotonic(), False
        while not ended:
            events = self._workers.wait(_LOOK)
            if self._to_end == task.name:
                self._workers.end(task.name)
            gathered += events
            ended = any(isinstance(event, Ended | Died) for event in events)
            longest = _GATHER_SIGNS if all(isinstance(event, Signed) for event in gathered) else _GATHER
            if ended or (gathered and (time.monotonic() - since > longest or _size(gathered) > _MOST)):
                yield _last_signs(gathered)
                gathered, since = [], time.monotonic()

    def _fetch(self, contents: Mapping[str, Any]) -> None:
        """Have the contents of a task as files, and no others."""
        import ray

        wanted = {hashlib.sha256(digest.encode()).hexdigest(): digest for digest in contents}  # no digest is a path
        for path in self._folder.iterdir():
            if path.name not in wanted and path.name != LOCK:
                path.unlink()
        for name, digest in wanted.items():
            path = self._folder / name
            if not path.exists():
                path.write_bytes(ray.get(contents[digest]))
            self._workers.put(digest, path)

    def end(self, task: str) -> None:
        """End a task, whose last event follows; called while it works."""
        self._to_end = task

    def stop(self) -> None:
        """Ask all tasks to end after their step."""
        self._workers.stop()

    def leave(self, *, at_once: bool) -> None:
        """End the process, and remove what is of no use any more."""
        self._workers.__exit__(KeyboardInterrupt if at_once else None, None, None)
        self._left.close()


def _end_with(parent: int) -> None:
    """End this process when Ray's process of this machine is gone: Ray does not where init adopts no orphans."""
    while os.getppid() == parent:
        time.sleep(_LOOK_AT_PARENT)
    os._exit(1)


def _size(events: list[Event]) -> int:
    return sum(len(event.message) for event in events if isinstance(event, Told))


def _last_signs(events: list[Event]) -> list[Event]:
    """Return the events, with the last sign alone of those in a row."""
    following = [*events[1:], None]
    return [
        event
        for event, after in zip(events, following, strict=True)
        if not (isinstance(event, Signed) and isinstance(after, Signed))
    ]
