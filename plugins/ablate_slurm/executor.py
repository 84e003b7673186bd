"""The driver's side: hands tasks to the pilots of the jobs, and takes what comes of them."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ablate.errors import ExecutorError
from ablate.interfaces.executor import Begun, Event, Executor, Noted, Place, Task
from ablate_slurm import commands
from ablate_slurm.fleet import Fleet, end_all
from ablate_slurm.link import Link
from ablate_slurm.session import IN_HOME, Session, SharedSetup, prefix_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from ablate.interfaces.executor import Setup
    from ablate_slurm.commands import JobState
    from ablate_slurm.options import SlurmOptions

_log = logging.getLogger(__name__)

_PLACE = "slurm"
#: Seconds: for tasks to save their work when the driver ends with an error; after which a job without work is given
#: back; for the reason of a death; for the jobs of a driver that was killed.
_GRACE, _IDLE, _REASON, _LEFT = 10.0, 60.0, 5.0, 60.0
#: Seconds after which jobs that wait are worth a line.
_PATIENCE = 10.0
#: The most tasks that wait here, so that workers have the next one before the driver has recorded a result.
_BACKLOG = 16
#: Seconds between two looks for new pilots, and for messages at the soonest.
_SCAN, _LOOK = 0.2, 0.02


class SlurmExecutor(Executor):
    """Jobs of a SLURM cluster.

    Args:
        options: a person's choice.
        setup: what workers do.
    """

    def __init__(self, options: SlurmOptions, setup: Setup) -> None:
        self._options, self._setup = options, setup
        self.shares_home = not options.folder
        on_gpu = setup.device.startswith("cuda")
        self._gpus = options.gpus or int(on_gpu)
        self._device = "cuda:0" if on_gpu else "cpu"
        self._per_job = self._gpus or options.cores
        self.backlog = min(options.jobs * self._per_job, _BACKLOG)
        self._links: dict[str, Link] = {}
        self._waiting: list[Task] = []
        self._stopping, self._has_stopped = False, False
        self._scanned, self._since, self._noted = 0.0, time.monotonic(), ""
        self._seen, self._served, self._leaving = set[str](), set[str](), set[str]()

    def __enter__(self) -> Self:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        if self._options.gpus and self._device == "cpu":
            raise ExecutorError("the study computes on the CPU, so its jobs need no GPU; leave out executor.slurm.gpus")
        commands.require()
        home = self._setup.home
        folder = Path(self._options.folder).expanduser().resolve() if self._options.folder else home / IN_HOME
        _end_jobs_left(prefix_of(home))
        shared = SharedSetup(
            self._setup.work,
            str(home) if self.shares_home else "",
            self._device,
            self._per_job,
            self._options.patience,
        )
        self._session = Session(folder, home, shared)
        try:
            script = self._session.folder / "job.sh"
            script.write_text(self._script(), encoding="utf-8")
            commands.submit(script, self._options, self._session.name, 1, self._gpus, test=True)
        except BaseException:
            self._session.close()
            raise
        self._fleet = Fleet(script, self._options, self._session.name, self._gpus)
        return self

    def _script(self) -> str:
        python = self._options.python or sys.executable
        return commands.script(python, self._session.folder, self._options, os.environ.get("PYTHONPATH", ""))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._waiting = []
        at_once = kind is not None and not issubclass(kind, Exception)  # Ctrl-C does not wait
        self.stop()
        deadline = time.monotonic() + (0.0 if at_once else _GRACE)
        while any(link.tasks for link in self._links.values()) and time.monotonic() < deadline:
            self._pass_stop()
            list(self._hear())
            time.sleep(_LOOK)
        for link in self._links.values():
            _try(link.dismiss)
        self._fleet.close()
        self._session.close()

    def places(self) -> list[Place]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        return [Place(_PLACE, self._device, self._options.jobs * self._per_job)]

    def put(self, digest: str, path: Path) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._session.put(digest, path)

    def submit(self, task: Task) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._waiting.append(task)

    def end(self, task: str) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._waiting = [each for each in self._waiting if each.name != task]
        for link in self._links.values():
            if task in link.tasks:
                _try(functools.partial(link.end, task))

    def stop(self) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._stopping = True

    def wait(self, seconds: float) -> list[Event]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        deadline = time.monotonic() + seconds
        while True:
            events = [*self._hear(), *self._assign()]
            left = deadline - time.monotonic()
            if events or left <= 0:
                return events
            time.sleep(min(left, _LOOK))

    def _hear(self) -> Iterator[Event]:
        """Yield what has happened to tasks and jobs."""
        ended = {state.job: state for state in self._fleet.take()}
        self._fleet.look()
        self._pass_stop()
        self._scan(at_once=bool(ended))
        for name, link in list(self._links.items()):
            yield from link.events(at_once=link.job in ended)
            yield from self._judge(link, ended.get(link.job))
            if link.over and not link.tasks:
                del self._links[name]
        for state in ended.values():
            if state.job not in self._served:
                self._fleet.has_failed(state)
        yield from self._waits()

    def _waits(self) -> Iterator[Event]:
        """Yield why nothing runs, once for each reason, if that lasts."""
        now = time.monotonic()
        if self._links or not self._waiting:
            self._since = now
        elif now - self._since > _PATIENCE:
            text = self._fleet.waiting()
            if text not in ("", self._noted):
                self._noted = text
                yield Noted("", text)

    def _pass_stop(self) -> None:
        if self._stopping and not self._has_stopped:
            self._has_stopped = True
            for link in self._links.values():
                _try(link.stop)

    def _scan(self, *, at_once: bool) -> None:
        """Look for new pilots."""
        now = time.monotonic()
        if now - self._scanned < _SCAN and not at_once:
            return
        self._scanned = now
        for path in self._session.pilots():
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            self._links[path.name] = link = Link(path)
            self._served.add(link.job)
            self._leaving.discard(link.job)  # it may be one that SLURM has started again
            self._fleet.said_hello()
            if self._has_stopped:
                _try(link.stop)

    def _judge(self, link: Link, ended: JobState | None) -> Iterator[Event]:
        """Yield the deaths of the tasks of a pilot that is gone, and give back one that has no work."""
        state, now = self._fleet.jobs.get(link.job), time.monotonic()
        if ended:
            yield from link.bury(f"its job has ended; {ended.about}")
        elif state and state.state == "PENDING" and link.since < self._fleet.looked_at:
            yield from link.bury(f"SLURM has put its job back into the queue; {state.about}")
        elif link.over and link.tasks:
            self._fleet.hurry()  # to learn why
            if now - link.heard > _REASON:
                yield from link.bury("SLURM has ended its job")
        elif state and state.state == "RUNNING" and now - link.heard > 2 * self._options.patience:
            _log.warning("job %s on %s is silent, so it is cancelled", link.job, link.node)
            link.heard = now
            self._fleet.cancel(link.job)
        elif link.workers and not link.tasks and not self._waiting and now - link.used > _IDLE and not link.leaving:
            _try(link.dismiss)
        if link.leaving or link.over:
            self._leaving.add(link.job)

    def _assign(self) -> Iterator[Event]:
        """Hand tasks to pilots, and ask for jobs where tasks are left."""
        for link in self._links.values():
            while self._waiting and link.free > 0:
                task = self._waiting.pop(0)
                link.begin(task)
                yield Begun(task.name, _PLACE)
        tasks = len(self._waiting) + sum(len(link.tasks) for link in self._links.values() if not link.leaving)
        self._fleet.keep(math.ceil(tasks / self._per_job), self._leaving)


def _try(tell: Callable[[], None]) -> None:
    """Tell a pilot something that no longer matters if its folder is gone."""
    with contextlib.suppress(OSError):
        tell()


def _end_jobs_left(prefix: str) -> None:
    """Cancel the jobs of a driver of this home that was killed, and wait until they have gone.

    Raises:
        ExecutorError: they stay.
    """
    names = commands.left(prefix)
    if not names:
        return
    _log.warning("jobs of a command that was killed are cancelled")
    if not end_all(names, _LEFT):
        raise ExecutorError(f"jobs of a command that was killed do not end: {', '.join(sorted(names))}; scancel them")
