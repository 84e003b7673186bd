"""A file of the home with the work that a command does now: the database has only what is finished.

The driver changes a few numbers in memory. A thread writes them, once a second at most and never flushed to the disk,
so that no stage waits for it. Whoever reads the file takes no lock and opens nothing else.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from ablate.files import write_whole
from ablate.study.run.listener import Listener

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.study.work.messages import Job, LoggedStep, News, StageFailure, StageResult

#: The name of the file in a home.
LIVE = "run.progress.json"
#: Seconds between two writes: while there is something new, and without anything new.
BETWEEN, HEARTBEAT = 1.0, 10.0
#: The most points of the curve of a training; neighbours are merged from there on.
MOST_POINTS = 128


class _Curve:
    """The losses of a running training as few points: steps done, and the mean loss of the steps seen since the last.

    Attributes:
        points: step and loss (nats per token) of each.
    """

    def __init__(self) -> None:
        self.points: list[tuple[int, float]] = []
        self._each, self._seen = 1, list[float]()

    def add(self, step: int, loss: float) -> None:
        """Add a step."""
        self._seen.append(loss)
        if len(self._seen) < self._each:
            return
        self.points.append((step, _mean(self._seen)))
        self._seen = []
        if len(self.points) >= MOST_POINTS:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [(step, _mean([one, other])) for (_, one), (step, other) in pairs]
            self._each *= 2


def _mean(losses: list[float]) -> float:
    return sum(losses) / len(losses)


class LiveNote(Listener):
    """Keeps the file up to date while a command runs a study or writes its report, and removes it at the end.

    Args:
        home: the folder; the command holds its lock.
        study: the name of the study.
        reporting: whether the command writes the report of the study, and runs nothing any more.
    """

    def __init__(self, home: Path, study: str, *, reporting: bool = False) -> None:
        self._path = home / LIVE
        self._head: dict[str, Any] = {"study": study, "pid": os.getpid(), "host": socket.gethostname()}
        self._head |= {"reporting": reporting, "since": time.time()}
        self._jobs: dict[str, dict[str, Any]] = {}
        self._trainings: dict[str, dict[str, Any]] = {}
        self._curves: dict[str, _Curve] = {}
        self._lock, self._changed, self._ended = threading.Lock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write_often, name="ablate live note", daemon=True)

    def __enter__(self) -> Self:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._changed.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def started(self, job: Job) -> None:
        """See :class:`Listener`."""
        names = [stage.fingerprint for stage in job.stages]
        with self._lock:
            about = {"kind": job.kind, "stages": names, "at": names[0], "since": time.time(), "fraction": 0.0}
            for name in names:
                self._jobs[name] = about
        self._changed.set()

    def news(self, news: News) -> None:
        """See :class:`Listener`."""
        with self._lock:
            job = self._jobs.get(news.fingerprint)
            if job:
                job.update(at=news.fingerprint, fraction=news.fraction)
            for logged in news.logged:
                self._log(logged)
        self._changed.set()

    def _log(self, logged: LoggedStep) -> None:
        name = logged.fingerprint
        self._trainings[name] = {"step": logged.step, "steps": logged.steps, "loss": _finite(logged.loss)}
        if math.isfinite(logged.loss):
            self._curves.setdefault(name, _Curve()).add(logged.step, logged.loss)

    def done(self, done: StageResult) -> None:
        """See :class:`Listener`."""
        self._end(done.stage.fingerprint)

    def failed(self, failure: StageFailure) -> None:
        """See :class:`Listener`."""
        self._end(failure.stage.fingerprint)

    def _end(self, fingerprint: str) -> None:
        with self._lock:
            job = self._jobs.pop(fingerprint, None)
            if job:
                job["stages"].remove(fingerprint)
            self._trainings.pop(fingerprint, None)
            self._curves.pop(fingerprint, None)
        self._changed.set()

    def _write_often(self) -> None:
        while not self._ended.is_set():
            self._changed.wait(HEARTBEAT)
            self._changed.clear()
            self._write()
            self._ended.wait(BETWEEN)

    def _write(self) -> None:
        with self._lock:
            jobs = [
                {**job, "stages": [*job["stages"]]} for job in {id(job): job for job in self._jobs.values()}.values()
            ]
            curves = {name: [*curve.points] for name, curve in self._curves.items()}
            trainings = {name: {**facts, "points": curves.get(name, [])} for name, facts in self._trainings.items()}
        text = json.dumps({**self._head, "now": time.time(), "jobs": jobs, "trainings": trainings})
        with contextlib.suppress(OSError):  # nobody needs it to run a study
            if self._path.parent.is_dir():  # a home that somebody has removed is not made again
                write_whole(self._path, text.encode(), flush=False)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
