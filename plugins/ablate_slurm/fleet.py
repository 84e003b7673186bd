"""The jobs of a driver: their number follows the work, and the end of each is noticed.

A thread calls the commands of SLURM one after another, because each may take a while, and minutes where the controller
is away: then it is tried again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from ablate.errors import ExecutorError
from ablate_slurm import commands
from ablate_slurm.commands import ENDED, AwayError, JobState
from ablate_slurm.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ablate_slurm.options import SlurmOptions

_log = logging.getLogger(__name__)

#: Seconds between two calls of squeue: a fifth of the time since something changed, within these limits.
_SOONEST, _LATEST, _PART = 1.0, 10.0, 1 / 5
#: Seconds after which jobs are asked for again, where SLURM did not answer or refused more of them; and for jobs that
#: were cancelled to go.
_AGAIN, _REFUSED, _GONE = 3.0, 60.0, 10.0
#: Seconds after which a job that waits and is not needed is given back, as one is that runs without work.
_SPARE = 60.0


class Fleet:
    """The jobs of a driver.

    Args:
        script: of the jobs.
        options: of the executor.
        name: of the jobs.
        gpus: of each job.

    Attributes:
        jobs: the last state of each job that has not ended.
        failures: those that have ended too early.
        given_up: the jobs that were cancelled while they waited.
        looked_at: when these states were asked for, on the clock of ``time.monotonic``.
    """

    def __init__(self, script: Path, options: SlurmOptions, name: str, gpus: int) -> None:
        self._script, self._options, self._name, self._gpus = script, options, name, gpus
        self.jobs: dict[str, JobState] = {}
        self.looked_at = 0.0
        self._ended = list[JobState]()
        self._looked = 0.0
        self.failures, self.given_up, self._needed = Failures(script), set[str](), time.monotonic()
        self._requested = 0
        self._is_looking, self._changed = False, time.monotonic()
        self._has_asked, self._not_before, self._unsure = False, 0.0, 0.0
        self._away = self._refused = ""
        self._requests: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (request := self._requests.get()) is not None and not self._closing.is_set():
            request()

    def keep(self, wanted: int, leaving: Iterable[str]) -> None:
        """Have a number of jobs, besides those that are leaving, which still count for the largest number at once."""
        alive = {job for job, state in self.jobs.items() if state.state != "COMPLETING"}
        missing = min(wanted - len(alive - set(leaving)), self._options.jobs - len(alive)) - self._requested
        # what seemed to fail may have been done: squeue tells
        not_before = max(self._not_before, self.failures.not_before)
        if missing > 0 and time.monotonic() >= not_before and self.looked_at >= self._unsure:
            jobs = 1 if self.failures.are_many else missing
            self._has_asked = True
            self._requested += jobs
            self._requests.put(lambda: self._submit(jobs))
        self._give_back(len(alive - set(leaving)) - wanted)

    def _give_back(self, spare: int) -> None:
        """Cancel jobs that wait and that nothing has needed for a while."""
        now = time.monotonic()
        if spare <= 0:
            self._needed = now
        elif now - self._needed > _SPARE:
            self._needed = now
            waiting = [job for job, state in self.jobs.items() if state.state == "PENDING"]
            for job in waiting[-spare:]:
                self.given_up.add(job)
                self.cancel(job, waiting=True)

    def _submit(self, jobs: int) -> None:
        """Submit jobs, in the thread."""
        try:
            number = commands.submit(self._script, self._options, self._name, jobs, self._gpus)
        except ExecutorError as error:
            refusal = error
            self._results.put(lambda: self._has_not_submitted(jobs, refusal))
        else:
            self._results.put(lambda: self._has_submitted(jobs, number))

    def _has_submitted(self, jobs: int, number: str) -> None:
        self._requested -= jobs
        self._away = self._refused = ""
        for index in range(jobs):
            job = f"{number}_{index}"
            self.jobs.setdefault(job, JobState(job, "PENDING"))
        self._changed = time.monotonic()

    def _has_not_submitted(self, jobs: int, error: ExecutorError) -> None:
        """Try again later, unless SLURM refuses the only jobs.

        Raises:
            ExecutorError: it does.
        """
        self._requested -= jobs
        if isinstance(error, AwayError):
            self._unsure = self._changed = time.monotonic()
            self._not_before = self._unsure + _AGAIN
            self._note_away(str(error))
        elif not self.jobs:
            raise error
        else:  # more than this user may have, say
            self._not_before = time.monotonic() + _REFUSED
            if not self._refused:
                _log.warning("%s; the run continues with the jobs that it has", error)
            self._refused = str(error)

    def hurry(self) -> None:
        """Look at the jobs soon: one of them is about to change."""
        self._changed = time.monotonic()

    def cancel(self, job: str, *, waiting: bool = False) -> None:
        """Cancel a job; only if it waits, where ``waiting``."""

        def call() -> None:
            with contextlib.suppress(ExecutorError):
                commands.cancel(job=job, waiting=waiting)

        self._requests.put(call)
        self.hurry()

    def look(self) -> None:
        """Ask for the states of the jobs, if it is time."""
        now = time.monotonic()
        pause = min(max((now - self._changed) * _PART, _SOONEST), _LATEST)
        if self._has_asked and not self._is_looking and now - self._looked >= pause:
            self._is_looking, self._looked = True, now
            self._requests.put(self._ask)

    def _ask(self) -> None:
        """Ask for the states, in the thread."""
        asked = time.monotonic()
        try:
            found = commands.states(self._name)
        except ExecutorError as error:
            text = str(error)
            self._results.put(lambda: self._has_looked(asked, None, text))
        else:
            self._results.put(lambda: self._has_looked(asked, found))

    def _has_looked(self, asked: float, found: dict[str, JobState] | None, away: str = "") -> None:
        self._is_looking = False
        self._note_away(away)
        if found is None:
            return
        self.looked_at = asked
        for job, state in found.items():
            if state.state not in ENDED:
                self.jobs.setdefault(job, state)  # also one whose submission seemed to fail
        for job, before in list(self.jobs.items()):
            state = found.get(job) or JobState(job, "ENDED", "it is no longer in the queue", before.node)
            if state.state != before.state:
                self._changed = time.monotonic()
            if job in found and state.state not in ENDED:
                self.jobs[job] = state
            else:
                del self.jobs[job]
                self._ended.append(state)

    def _note_away(self, away: str) -> None:
        if away and not self._away:
            _log.warning("SLURM does not answer (%s); the run continues, and asks again", away)
        self._away = away

    def take(self) -> list[JobState]:
        """Take what the commands have returned; return the jobs that have ended.

        Raises:
            ExecutorError: SLURM has refused jobs.
        """
        with contextlib.suppress(queue.Empty):
            while True:
                self._results.get_nowait()()
        ended, self._ended = self._ended, []
        return ended

    def waiting(self) -> str:
        """Return how many jobs wait and why, for people; empty if SLURM gives no reason."""
        waiting = [job for job in self.jobs.values() if job.state not in ("RUNNING", "COMPLETING")]
        reasons = ", ".join(sorted({job.reason for job in waiting if job.reason}))
        jobs = "1 job waits" if len(waiting) == 1 else f"{len(waiting)} jobs wait"
        return f"{jobs} in the queue of SLURM ({reasons})" if reasons else ""

    def close(self) -> None:
        """Cancel all jobs, and wait for a moment until they are gone."""
        self._closing.set()
        self._requests.put(None)
        try:
            self._thread.join()
        finally:
            commands.end_all({self._name}, _GONE)
