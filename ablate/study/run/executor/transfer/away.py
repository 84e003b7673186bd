"""Work in a home of the worker's own, where that of the driver cannot be seen: files travel by their digests.

The worker fetches the files that its job reads, checks them, and sends back what it has written: the files of results
before the result, and checkpoints as soon as they are there, so that another worker can continue.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import logging
import multiprocessing.util
import os
import shutil
import time
from typing import TYPE_CHECKING

from ablate.digests import digest as digest_of
from ablate.errors import StageError
from ablate.inside import inside
from ablate.kinds import TRAIN
from ablate.processes import process_folder
from ablate.study.stage import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ablate.interfaces.executor import Channel
    from ablate.study.work.messages import Job, StageResult

#: The bytes of a file that are sent as one message, at most.
_PART = 2**22
#: The names of the folders of workers begin so; each holds a locked file while its process runs.
_FOLDER = "ablate-worker-"
#: Seconds between two looks for a new checkpoint.
_LOOK = 0.05


@dataclasses.dataclass(frozen=True)
class FilePart:
    """A part of a file that a stage has written, in order.

    Attributes:
        fingerprint: of the stage.
        name: of the file in the folder of the stage; empty for the checkpoint of a training.
        data: the bytes.
        last: whether it is the last part of the file.
    """

    fingerprint: str
    name: str
    data: bytes
    last: bool


@dataclasses.dataclass(frozen=True)
class Logged:
    """A line of the worker's log."""

    level: int
    text: str


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The inputs of a job.

    Attributes:
        files: the digests of files by name, by the folder of their stage relative to the home.
        checkpoints: the digests of the checkpoints to continue from, by the fingerprint of the training.
    """

    files: Mapping[str, Mapping[str, str]]
    checkpoints: Mapping[str, str]

    def digests(self) -> tuple[str, ...]:
        """Return the digest of everything, each once."""
        files = [digest for each in self.files.values() for digest in each.values()]
        return tuple(dict.fromkeys([*files, *self.checkpoints.values()]))


def fetched_home(inputs: Inputs, channel: Channel) -> Path:
    """Return the home of this worker, with what a job reads and nothing else.

    Raises:
        StageError: a content is not what was put.
    """
    home = _own_home()
    for folder in home.glob("artifacts/*/*/*"):
        if folder.relative_to(home).as_posix() not in inputs.files:
            shutil.rmtree(folder)
    for name in ("checkpoints", "logs"):
        shutil.rmtree(home / name, ignore_errors=True)
    for artifact, files in inputs.files.items():
        for name, digest in files.items():
            _fetch(inside(home, f"{artifact}/{name}"), digest, channel)
    for fingerprint, digest in inputs.checkpoints.items():
        _fetch(home / checkpoint_path(fingerprint), digest, channel)
    return home


def _fetch(path: Path, digest: str, channel: Channel) -> None:
    if path.is_file() and digest_of(path) == digest:
        return
    data = channel.fetch(digest)
    if f"{len(data)}:{hashlib.sha256(data).hexdigest()}" != digest:
        raise StageError(f"{path.name} was changed on its way to the worker")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@functools.cache
def _own_home() -> Path:
    """Make the home of this process, which goes with it; those of killed processes are removed first."""
    stack = contextlib.ExitStack()
    home = stack.enter_context(process_folder(_FOLDER)).resolve()
    multiprocessing.util.Finalize(None, _leave, (stack, os.getpid()), exitpriority=0)
    return home


def _leave(stack: contextlib.ExitStack, process: int) -> None:
    if os.getpid() == process:  # and not a process that a component has forked
        stack.close()


class Returns:
    """Sends back what a job has written.

    Args:
        job: that is worked on.
        home: of the worker.
        send: sends a message to the driver.
    """

    def __init__(self, job: Job, home: Path, send: Callable[[object], None]) -> None:
        self._home, self._send, self._looked = home, send, 0.0
        trainings = [stage.fingerprint for stage in job.stages if stage.kind == TRAIN]
        self._checkpoints = {fingerprint: home / checkpoint_path(fingerprint) for fingerprint in trainings}
        self._sent = {fingerprint: _state(path) for fingerprint, path in self._checkpoints.items()}

    def files(self, result: StageResult) -> None:
        """Send the files of a result."""
        for name in result.files:
            self._file(result.stage.fingerprint, name, self._home / result.stage.artifact / name)

    def checkpoints(self, *, at_once: bool = False) -> None:
        """Send the checkpoints that are new, if the last look was not just now."""
        now = time.monotonic()
        if now - self._looked < _LOOK and not at_once:
            return
        self._looked = now
        for fingerprint, path in self._checkpoints.items():
            state = _state(path)
            if state not in (None, self._sent[fingerprint]):
                self._sent[fingerprint] = state
                self._file(fingerprint, "", path)

    def _file(self, fingerprint: str, name: str, path: Path) -> None:
        with path.open("rb") as file:
            data = file.read(_PART)
            while True:
                more = file.read(_PART)
                self._send(FilePart(fingerprint, name, data, last=not more))
                if not more:
                    return
                data = more

    @contextlib.contextmanager
    def logs(self) -> Iterator[None]:
        """Send the log of ablate, which nobody would see here, inside the block."""
        logger, handler = logging.getLogger("ablate"), _Sender(self._send)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)


class _Sender(logging.Handler):
    """Sends lines of a log to the driver."""

    def __init__(self, send: Callable[[object], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        self._send(Logged(record.levelno, record.getMessage()))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns
