"""The work that the command in a home does now, read from the file that it keeps up to date."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.study.run.live import LIVE, MOST_POINTS

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds without a heartbeat after which a command counts as gone: three heartbeats.
GONE_AFTER = 30.0


class LiveJob(NamedTuple):
    """A job that is worked on.

    Attributes:
        kind: of its stages.
        stages: the fingerprints of those that are not finished.
        at: the fingerprint of the one that has sent news last.
        since: when it started, in seconds since 1970.
        fraction: the finished part of this stage, 0 to 1.
    """

    kind: str
    stages: tuple[str, ...]
    at: str
    since: float
    fraction: float


class LiveTraining(NamedTuple):
    """A training that is worked on.

    Attributes:
        step: steps done.
        steps: of the whole training.
        loss: of the last step that was sent, in nats per token; None if it is no number.
        points: step and loss of the curve so far, at most :data:`MOST_POINTS`.
    """

    step: int
    steps: int
    loss: float | None
    points: tuple[tuple[int, float], ...]


class Live(NamedTuple):
    """The work that a command does.

    Attributes:
        study: the name of the study.
        pid: the process.
        host: its machine.
        since: when it began, in seconds since 1970.
        now: when this was written, likewise.
        jobs: those that have started.
        trainings: those that have sent a step, by fingerprint.
        reporting: whether the command writes the report of the study, and runs nothing any more.
    """

    study: str
    pid: int
    host: str
    since: float
    now: float
    jobs: tuple[LiveJob, ...]
    trainings: dict[str, LiveTraining]
    reporting: bool = False


def read_live(home: Path) -> Live | None:
    """Return what the command in a home works on; None if there is none, or its file is damaged."""
    try:
        return _parsed(json.loads((home / LIVE).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _parsed(data: dict[str, Any]) -> Live:
    jobs = tuple(
        LiveJob(str(job["kind"]), tuple(map(str, job["stages"])), str(job["at"]), float(job["since"]), _share(job))
        for job in data["jobs"]
    )
    trainings = {
        str(name): LiveTraining(
            int(facts["step"]),
            max(1, int(facts["steps"])),
            None if facts["loss"] is None else float(facts["loss"]),
            tuple((int(step), float(loss)) for step, loss in facts["points"][-MOST_POINTS:]),
        )
        for name, facts in data["trainings"].items()
    }
    place = str(data["study"]), int(data["pid"]), str(data["host"])
    return Live(*place, float(data["since"]), float(data["now"]), jobs, trainings, data.get("reporting") is True)


def _share(job: dict[str, Any]) -> float:
    return min(max(float(job["fraction"]), 0.0), 1.0)


class Pulse:
    """Finds out whether the command that wrote the file still runs, without its locks.

    A lock would have to be taken to be tried, and a command that starts at this moment would find it taken.
    """

    def __init__(self) -> None:
        self._last, self._changed = 0.0, float("-inf")

    def beats(self, live: Live | None) -> bool:
        """Return whether a command works: its process exists, and it has written its file not long ago."""
        if live is None:
            return False
        if live.now != self._last:
            # clocks of two machines may differ, so only the first time is compared with ours
            is_first = self._last == 0.0
            self._last = live.now
            self._changed = time.monotonic() - (max(0.0, time.time() - live.now) if is_first else 0.0)
        if live.host == socket.gethostname() and not _exists(live.pid):
            return False
        return time.monotonic() - self._changed < GONE_AFTER


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it belongs to somebody else
        return True
    return pid > 0
