"""Tasks and their messages: jobs as bytes, and the function that workers of every executor call for them.

Both sides run the same code and trust each other, so jobs and messages are pickled.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pickle
import time
from typing import TYPE_CHECKING

from ablate.engine.devices import one_thread
from ablate.engine.memory import release_memory
from ablate.errors import AblateError, ExecutorError, named_line, one_line
from ablate.study.run.executor.transfer.away import FilePart, Inputs, Logged, Returns, fetched_home
from ablate.study.run.executor.transfer.seen import Proof, unseen
from ablate.study.run.executor.transfer.versions import difference, not_loaded, processor
from ablate.study.work.dispatch import work as work_on
from ablate.study.work.doing import telling
from ablate.study.work.messages import Context, Job, JobStopped, News, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate.interfaces.executor import Channel
    from ablate.registry import Registry

#: Seconds between two messages about the progress of the same stage, at least; steps for observers are always sent.
_BETWEEN = 0.1


@dataclasses.dataclass(frozen=True)
class Shared:
    """The common part of all jobs of a driver; each worker loads the components of the registry again.

    Attributes:
        registry: the components.
        checkpoint_seconds: the time between two checkpoints of a training.
        loaded: the names of the plugins that a worker must be able to load.
        proof: shows whether a worker sees the driver's home; None where nobody can doubt it.
    """

    registry: Registry
    checkpoint_seconds: float
    loaded: tuple[str, ...] = ()
    proof: Proof | None = None


@dataclasses.dataclass(frozen=True)
class JobBegun:
    """The worker has received a job, and has loaded the components; ``processor`` is the CPU that it has."""

    processor: str = ""


@dataclasses.dataclass(frozen=True)
class JobEnded:
    """The worker has done a job, as far as it could; ``fatal`` is what ends the run, a full disk say."""

    fatal: AblateError | None = None


#: What a worker sends.
Message = News | StageResult | StageFailure | JobBegun | JobEnded | FilePart | Logged


def pack(versions: Mapping[str, str], shared: bytes, job: Job, inputs: Inputs | None) -> bytes:
    """Return the data of a task.

    Args:
        versions: that the worker must have; empty if nobody has to compare them.
        shared: a pickled :class:`Shared`: a worker reads it once.
        job: to work on; with no stages, the worker only checks its surroundings.
        inputs: what the worker has to fetch; None if it works in the driver's home.
    """
    # the versions alone can be read by any version
    return pickle.dumps((dict(versions), shared, pickle.dumps((job, inputs))))


def work(data: bytes, channel: Channel) -> None:
    """Do a job in a worker: this is the function of :class:`ablate.interfaces.executor.Setup`."""
    versions, packed, packed_job = pickle.loads(data)  # noqa: S301 - see above
    differs = difference(versions)
    if differs:
        _refuse(differs, channel)
        return
    try:
        shared = _shared(packed)
    except AblateError as error:  # a plugin that must not fail
        _refuse(one_line(error), channel)
        return
    job: Job
    inputs: Inputs | None
    job, inputs = pickle.loads(packed_job)  # noqa: S301 - see above
    problem = not_loaded(shared.registry, shared.loaded) or ("" if inputs else unseen(channel.home, shared.proof))
    if problem or not job.stages:
        _refuse(problem, channel)
        return
    home = fetched_home(inputs, channel) if inputs else channel.home
    assert home  # noqa: S101 - else it is not seen
    channel.send(pickle.dumps(JobBegun(processor())))
    returns = Returns(job, home, lambda message: channel.send(pickle.dumps(message))) if inputs else None
    news = _News(channel, returns)
    with one_thread(), telling(news.doing), returns.logs() if returns else contextlib.nullcontext():
        ended = _do(job, shared, home, news)
    channel.send(pickle.dumps(ended))
    release_memory(channel.device)  # the driver packs the next jobs by what is free


def _refuse(problem: str, channel: Channel) -> None:
    """End a task before its work, and the run with it if there is a problem."""
    channel.send(pickle.dumps(JobEnded(ExecutorError(problem) if problem else None)))


@functools.lru_cache(maxsize=1)
def _shared(packed: bytes) -> Shared:
    shared: Shared = pickle.loads(packed)  # noqa: S301 - see above
    return shared


def _do(job: Job, shared: Shared, home: Path, news: _News) -> JobEnded:
    """Do a job and send its results."""
    channel = news.channel
    device, seconds = channel.device, shared.checkpoint_seconds
    context = Context(home, device, shared.registry, news.send, channel.should_stop, seconds)
    try:
        for result in work_on(job, context):
            if news.returns and isinstance(result, StageResult):
                news.returns.files(result)
            channel.send(_packed(result))
            news.moved()
    except JobStopped as stopped:
        if news.returns:
            news.returns.checkpoints(at_once=True)
        return JobEnded(stopped.fatal)
    return JobEnded()


def _packed(result: StageResult | StageFailure) -> bytes:
    """Return a result as bytes; one with something that cannot be sent is a failure of its stage."""
    try:
        return pickle.dumps(result)
    except Exception as error:  # noqa: BLE001 - whatever a component has put into it
        text = f"the result cannot be passed on: {named_line(error)}"
        return pickle.dumps(StageFailure(result.stage, "StageError", text))


class _News:
    """Sends progress, but not so often that it would keep the work waiting."""

    def __init__(self, channel: Channel, returns: Returns | None) -> None:
        self.channel, self.returns = channel, returns
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
        if self.returns:
            self.returns.checkpoints()
        fingerprint, at = self._sent
        now = time.monotonic()
        if news.logged or news.fingerprint != fingerprint or now - at >= _BETWEEN:
            self._sent = (news.fingerprint, now)
            self.channel.send(pickle.dumps(news))
