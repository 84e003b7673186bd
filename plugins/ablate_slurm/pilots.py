"""The pilots of a session: found, listened to, and judged by what SLURM says about their jobs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ablate_slurm.link import Link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.interfaces.executor import Event, Task
    from ablate_slurm.commands import JobState
    from ablate_slurm.fleet import Fleet
    from ablate_slurm.session import Session

_log = logging.getLogger(__name__)

#: Seconds after which a job without work is given back; and for the reason of a death.
_IDLE, _REASON = 60.0, 5.0
#: Seconds between two looks for new pilots.
_SCAN = 0.2


class Pilots:
    """The pilots of a session.

    Args:
        session: where they are.
        fleet: their jobs.
        patience: half of the seconds of silence after which a job is cancelled.

    Attributes:
        links: those that live, by the names of their folders.
        served: the jobs that have had a pilot.
        leaving: the jobs whose pilot takes no more tasks.
    """

    def __init__(self, session: Session, fleet: Fleet, patience: float) -> None:
        self._session, self._fleet, self._patience = session, fleet, patience
        self.links: dict[str, Link] = {}
        self.served, self.leaving = set[str](), set[str]()
        self._back: list[Task] = []
        self._seen, self._scanned, self._stopped = set[str](), 0.0, False

    def stop(self) -> None:
        """Ask all tasks to end after their step, also those to come."""
        if not self._stopped:
            self._stopped = True
            for link in self.links.values():
                link.stop()

    def working(self) -> bool:
        """Return whether one of them has a task."""
        return any(link.tasks for link in self.links.values())

    def tasks(self) -> int:
        """Return the number of tasks of those that do not leave."""
        return sum(len(link.tasks) for link in self.links.values() if not link.leaving)

    def events(self, ended: Mapping[str, JobState], *, idle: bool) -> Iterator[Event]:
        """Yield what has happened to tasks and jobs.

        Args:
            ended: the jobs that have ended.
            idle: whether no task waits, so that a job without one can be given back.
        """
        self._scan(at_once=bool(ended))
        for name, link in list(self.links.items()):
            yield from link.events(at_once=link.job in ended)
            self._back += link.take_back()
            yield from self._judge(link, ended.get(link.job), idle=idle)
            if link.over and not link.tasks:
                del self.links[name]

    def take_back(self) -> list[Task]:
        """Take the tasks back that pilots have not begun and will not begin."""
        back, self._back = self._back, []
        return back

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
            self.links[path.name] = link = Link(path)
            self.served.add(link.job)
            self.leaving.discard(link.job)  # it may be one that SLURM has started again
            self._fleet.failures.clear()
            if self._stopped:
                link.stop()

    def _judge(self, link: Link, ended: JobState | None, *, idle: bool) -> Iterator[Event]:
        """Yield the deaths of the tasks of a pilot that is gone, and give back one that has no work."""
        state, now = self._fleet.jobs.get(link.job), time.monotonic()
        if link.leaving or link.over:
            self.leaving.add(link.job)
        if ended:
            yield from link.bury(f"{link.why or 'its job has ended'}; {ended.about}")
        elif state and state.state == "PENDING" and link.since < self._fleet.looked_at:
            yield from link.bury(f"SLURM has put its job back into the queue; {state.about}")
            self.leaving.discard(link.job)  # it comes again
        elif link.over and link.tasks:
            self._fleet.hurry()  # to learn why
            if now - link.heard > _REASON:
                yield from link.bury(link.why or "SLURM has ended its job")
        elif state and state.state == "RUNNING" and link.silent > 2 * self._patience:
            _log.warning("job %s on %s is silent, so it is cancelled", link.job, link.node)
            link.silent = 0.0
            self._fleet.cancel(link.job)
        elif link.workers and not link.tasks and idle and now - link.used > _IDLE and not link.leaving:
            link.dismiss()
