"""The driver's side: hands tasks to the pilots of the jobs, and takes what comes of them."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ablate.errors import ExecutorError
from ablate.interfaces.executor import Event, Executor, Noted, Place, Task
from ablate_slurm import commands
from ablate_slurm.fleet import Fleet
from ablate_slurm.pilots import Pilots
from ablate_slurm.script import job_script
from ablate_slurm.session import IN_HOME, PLACE, Session, SharedSetup, prefix_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from ablate.interfaces.executor import Setup
    from ablate_slurm.options import SlurmOptions

_log = logging.getLogger(__name__)

#: Seconds for tasks to save their work when the driver ends with an error, and for the jobs of one that was killed.
_GRACE, _LEFT = 10.0, 60.0
#: Seconds after which jobs that wait are worth a line.
_PATIENCE = 10.0
#: The most tasks that wait here, so that workers have the next one before the driver has recorded a result.
_BACKLOG = 16
#: Seconds between two looks for messages at the soonest.
_LOOK = 0.02


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
        self._waiting: list[Task] = []
        self._stopping, self._fault = False, ""
        self._since, self._noted = time.monotonic(), ""

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
        self._pilots = Pilots(self._session, self._fleet, self._options.patience)
        return self

    def _script(self) -> str:
        python = self._options.python or sys.executable
        return job_script(python, self._session.folder, self._options, os.environ.get("PYTHONPATH", ""))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._waiting = []
        at_once = kind is not None and not issubclass(kind, Exception)  # Ctrl-C does not wait
        try:
            self._let_tasks_end(0.0 if at_once else _GRACE)
        finally:  # whatever happens, no job stays
            try:
                self._fleet.close()
            finally:
                self._session.close()

    def _let_tasks_end(self, seconds: float) -> None:
        """Wait for some seconds until all tasks have ended after their step, then let the pilots go."""
        self.stop()
        deadline = time.monotonic() + seconds
        while self._pilots.working() and time.monotonic() < deadline:
            with contextlib.suppress(ExecutorError, OSError):  # the command ends anyway
                list(self._hear())
            time.sleep(_LOOK)
        for link in self._pilots.links.values():
            link.dismiss()

    def places(self) -> list[Place]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        return [Place(PLACE, self._device, self._options.jobs * self._per_job)]

    def put(self, digest: str, path: Path) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._session.put(digest, path)

    def submit(self, task: Task) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._waiting.append(task)

    def end(self, task: str) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._waiting = [each for each in self._waiting if each.name != task]
        for link in self._pilots.links.values():
            if task in link.tasks:
                link.end(task)

    def stop(self) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._stopping = True

    def wait(self, seconds: float) -> list[Event]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        deadline = time.monotonic() + seconds
        while True:
            events = list(self._hear())
            self._assign()
            left = deadline - time.monotonic()
            if events or left <= 0:
                return events
            time.sleep(min(left, _LOOK))

    def _hear(self) -> Iterator[Event]:
        """Yield what has happened to tasks and jobs.

        Raises:
            ExecutorError: SLURM refuses the only jobs, or they end too early; what was heard before has been yielded.
        """
        if self._fault:
            raise ExecutorError(self._fault)
        ended = {state.job: state for state in self._fleet.take()}
        self._fleet.look()
        if self._stopping:
            self._pilots.stop()
        yield from self._pilots.events(ended, idle=not self._waiting)
        self._waiting[:0] = self._pilots.take_back()
        for state in ended.values():
            if state.job not in self._pilots.served | self._fleet.given_up:
                self._fault = self._fleet.failures.note(state, others=bool(self._pilots.links)) or self._fault
        yield from self._waits()

    def _waits(self) -> Iterator[Event]:
        """Yield why nothing runs, once for each reason, if that lasts."""
        now = time.monotonic()
        if self._pilots.links or not self._waiting:
            self._since = now
        elif now - self._since > _PATIENCE:
            text = self._fleet.waiting()
            if text not in ("", self._noted):
                self._noted = text
                yield Noted("", text)

    def _assign(self) -> None:
        """Hand tasks to pilots, and ask for jobs where tasks are left."""
        for link in self._pilots.links.values():
            while self._waiting and link.free > 0:
                link.begin(self._waiting.pop(0))
        tasks = len(self._waiting) + self._pilots.tasks()
        self._fleet.keep(math.ceil(tasks / self._per_job), self._pilots.leaving)


def _end_jobs_left(prefix: str) -> None:
    """Cancel the jobs of a driver of this home that was killed, and wait until they have gone.

    Raises:
        ExecutorError: they stay.
    """
    names = commands.left(prefix)
    if not names:
        return
    _log.warning("jobs of a command that was killed are cancelled")
    if not commands.end_all(names, _LEFT):
        raise ExecutorError(f"jobs of a command that was killed do not end: {', '.join(sorted(names))}; scancel them")
