"""Tasks and their messages: jobs as bytes, and the function that workers of every executor call for them.

Both sides run the same code and trust each other, so jobs and messages are pickled.
"""

from __future__ import annotations

import dataclasses
import functools
import pickle
import time
from typing import TYPE_CHECKING

from ablate.engine.devices import one_thread
from ablate.engine.memory import release_memory
from ablate.errors import one_line
from ablate.study.work.dispatch import work as work_on
from ablate.study.work.doing import telling
from ablate.study.work.messages import Context, Job, JobStopped, News, StageFailure, StageResult

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.errors import HomeError
    from ablate.interfaces.executor import Channel
    from ablate.registry import Registry

#: Seconds between two messages about the progress of the same stage, at least; steps for observers are always sent.
_BETWEEN = 0.1


@dataclasses.dataclass(frozen=True)
class Shared:
    """What all jobs of a driver have in common; each worker loads the components of the registry again."""

    registry: Registry
    checkpoint_seconds: float
    fused: bool | None


class JobBegun:
    """The worker has received a job, and has loaded the components."""


@dataclasses.dataclass(frozen=True)
class JobEnded:
    """The worker has done a job, as far as it could; ``fatal`` if the disk is full."""

    fatal: HomeError | None = None


#: What a worker sends.
Message = News | StageResult | StageFailure | JobBegun | JobEnded


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """A message that cannot be read."""

    error: str


def pack(shared: bytes, job: Job) -> bytes:
    """Return the data of a task.

    Args:
        shared: a pickled :class:`Shared`: a worker reads it once.
        job: to work on.
    """
    return pickle.dumps((shared, job))


def read_message(data: bytes) -> Message | Unreadable:
    """Return a message of a worker."""
    try:
        message: Message = pickle.loads(data)  # noqa: S301 - see above
    except Exception as error:  # noqa: BLE001 - the message may hold anything of a component
        return Unreadable(f"{type(error).__name__}: {one_line(error)}")
    return message


def work(data: bytes, channel: Channel) -> None:
    """Do a job in a worker: this is the function of :class:`ablate.interfaces.executor.Setup`."""
    job: Job
    packed, job = pickle.loads(data)  # noqa: S301 - see above
    shared = _shared(packed)
    channel.send(pickle.dumps(JobBegun()))
    if channel.home is None:
        raise ValueError("the home cannot be seen from this worker")
    news = _News(channel)
    with one_thread(), telling(news.doing):
        ended = _do(job, shared, channel.home, news)
    channel.send(pickle.dumps(ended))
    release_memory(channel.device)  # the driver packs the next jobs by what is free


@functools.lru_cache(maxsize=1)
def _shared(packed: bytes) -> Shared:
    shared: Shared = pickle.loads(packed)  # noqa: S301 - see above
    return shared


def _do(job: Job, shared: Shared, home: Path, news: _News) -> JobEnded:
    """Do a job and send its results."""
    channel = news.channel
    context = Context(
        home,
        channel.device,
        shared.registry,
        news.send,
        channel.should_stop,
        shared.checkpoint_seconds,
        shared.fused,
    )
    try:
        for result in work_on(job, context):
            channel.send(_packed(result))
            news.moved()
    except JobStopped as stopped:
        return JobEnded(stopped.fatal)
    return JobEnded()


def _packed(result: StageResult | StageFailure) -> bytes:
    """Return a result as bytes; one with something that cannot be sent is a failure of its stage."""
    try:
        return pickle.dumps(result)
    except Exception as error:  # noqa: BLE001 - whatever a component has put into it
        text = f"the result cannot be passed on: {type(error).__name__}: {one_line(error)}"
        return pickle.dumps(StageFailure(result.stage, "StageError", text))


class _News:
    """Sends progress, but not so often that it would keep the work waiting."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._doing = ""
        self._sent: tuple[str, float] = ("", 0.0)

    def doing(self, component: str) -> None:
        """Show which component is at work."""
        self._doing = component
        self.moved()

    def moved(self) -> None:
        """Show that there is progress."""
        self.channel.sign(self._doing)

    def send(self, news: News) -> None:
        """Send progress, unless that of the same stage was sent just now and no observer needs it."""
        self.moved()
        fingerprint, at = self._sent
        now = time.monotonic()
        if news.logged or news.fingerprint != fingerprint or now - at >= _BETWEEN:
            self._sent = (news.fingerprint, now)
            self.channel.send(pickle.dumps(news))
