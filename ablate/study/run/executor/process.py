"""The worker's side: do one job after another, and send what is finished through a channel of its own.

A worker that is killed while it sends breaks its own channel and nothing else: no lock and no queue is shared.
"""

from __future__ import annotations

import ctypes
import dataclasses
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import torch

from ablate.courtesy import make_courteous
from ablate.engine.memory import release_memory
from ablate.errors import one_line
from ablate.study.run.executor.start import leave_signals_to_driver
from ablate.study.work.dispatch import work
from ablate.study.work.doing import tell_doing
from ablate.study.work.messages import Context, JobStopped, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection
    from pathlib import Path

    from ablate.errors import HomeError
    from ablate.registry import Registry
    from ablate.study.run.executor.shared import Signs
    from ablate.study.work.messages import Job, News

#: Seconds between two messages about the progress of the same stage, at least; steps for observers are always sent.
_BETWEEN = 0.1
#: A number of Linux' prctl.
_PARENT_DEATH_SIGNAL = 1


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings that all workers share; each worker loads the components of the registry again.

    The environment is that of the driver: a worker would have that of the process that it is forked from, which is as
    old as the first pool.
    """

    home: Path
    registry: Registry
    checkpoint_seconds: float
    fused: bool | None
    environment: Mapping[str, str]


class JobBegun:
    """The worker has received a job."""


@dataclasses.dataclass(frozen=True)
class JobEnded:
    """The worker has done a job, as far as it could; ``fatal`` if the disk is full."""

    fatal: HomeError | None = None


def main(connection: Connection, device: str, settings: Settings, stopping: Any, signs: Signs) -> None:
    """Work until the channel is closed."""
    _set_up(settings)
    news = _News(connection, signs)
    context = Context(
        settings.home,
        device,
        settings.registry,
        news.send,
        lambda: bool(stopping.value),
        settings.checkpoint_seconds,
        settings.fused,
    )
    tell_doing(signs.doing)
    while True:
        try:
            job: Job = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(JobBegun())
        connection.send(_do(job, context, connection, signs))
        release_memory(device)  # the driver packs the next jobs by what is free


def _do(job: Job, context: Context, connection: Connection, signs: Signs) -> JobEnded:
    """Do a job and send its results."""
    try:
        for result in work(job, context):
            connection.send_bytes(_packed(result))
            signs.moved()
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

    def __init__(self, connection: Connection, signs: Signs) -> None:
        self._connection, self._signs = connection, signs
        self._sent: tuple[str, float] = ("", 0.0)

    def send(self, news: News) -> None:
        """Send progress, unless that of the same stage was sent just now and no observer needs it."""
        self._signs.moved()
        fingerprint, at = self._sent
        now = time.monotonic()
        if news.logged or news.fingerprint != fingerprint or now - at >= _BETWEEN:
            self._sent = (news.fingerprint, now)
            self._connection.send(news)


def _set_up(settings: Settings) -> None:
    """Set up this process, once."""
    os.environ.clear()
    os.environ.update(settings.environment)
    leave_signals_to_driver()
    torch.set_num_threads(1)
    _print_to_stderr()
    if sys.platform == "linux":  # also where a component never lets a thread of Python run
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=_die_with_driver, daemon=True).start()


def _print_to_stderr() -> None:
    """Send what components print to standard error, because standard output belongs to the results of the command."""
    make_courteous()
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def _die_with_driver() -> None:
    """End this worker when its driver is gone, for example killed."""
    driver = multiprocessing.parent_process()
    if driver:
        driver.join()
        os._exit(1)
