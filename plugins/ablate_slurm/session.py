"""The folder that a driver and its jobs share, for messages and contents; nobody else can read or write it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import pickle
import secrets
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import ExecutorError
from ablate_slurm.log import read_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.interfaces.executor import Channel

#: Seconds between two signs of life of the driver, and of a pilot.
BEAT = 2.0
#: The folder in a home: for sessions, and the number by which the jobs of this home are found.
IN_HOME, _NUMBER = "slurm", "number"
#: The names of the files of messages: to a pilot, and from it.
TO, FROM = "to", "from"
#: The name of the place of all tasks.
PLACE = "slurm"
_SETUP, _DRIVER, _CONTENTS, LOGS = "setup", "driver", "contents", "logs"


@dataclasses.dataclass(frozen=True)
class SharedSetup:
    """The setup that all jobs of a session have in common.

    Attributes:
        work: the function that workers call for each task.
        home: the driver's home, empty if nodes do not see it.
        device: a torch device; workers of GPUs have one each.
        workers: the number of workers of a job.
        patience: seconds without a sign of the driver after which a job ends.
    """

    work: Callable[[bytes, Channel], None]
    home: str
    device: str
    workers: int
    patience: float


class Session:
    """The driver's side of the folder, which goes with it.

    Args:
        parent: the folder that holds it.
        home: the driver's home.
        setup: for the jobs.

    Raises:
        ExecutorError: it cannot be made.
    """

    def __init__(self, parent: Path, home: Path, setup: SharedSetup) -> None:
        try:
            prefix = prefix_of(home)
            parent.mkdir(parents=True, exist_ok=True)
            for left in parent.glob(f"{prefix}*"):  # of a driver that was killed: a home has one at a time
                shutil.rmtree(left, ignore_errors=True)
            self.folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
            (self.folder / _CONTENTS).mkdir()
            (self.folder / LOGS).mkdir()
            _write(self.folder / _SETUP, pickle.dumps(setup))
            self._beat(0)
        except OSError as error:
            problem = f"cannot write to {parent} ({error.strerror or error})"
            raise ExecutorError(f"executor 'slurm' {problem}; choose another --set executor.slurm.folder") from error
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The name of the folder and of its jobs."""
        return self.folder.name

    def put(self, digest: str, path: Path) -> None:
        """Keep a content.

        Raises:
            ExecutorError: it cannot be written.
        """
        target = content_path(self.folder, digest)
        if target.exists():
            return
        part = target.with_suffix(".part")
        try:
            shutil.copyfile(path, part)
            part.rename(target)
        except OSError as error:
            raise ExecutorError(f"cannot write {path.name} to {target.parent} ({error.strerror})") from error

    def _live(self) -> None:
        count = 1
        while not self._ending.wait(BEAT):
            with contextlib.suppress(OSError):  # a file server that is away for a moment
                self._beat(count)
            count += 1

    def _beat(self, count: int) -> None:
        # the new name also lets this machine look anew for the folders of pilots, which lie beside it
        _write(self.folder / _DRIVER, str(count).encode())

    def pilots(self) -> Iterator[Path]:
        """Yield the folders of pilots; none while the file server is away."""
        with contextlib.suppress(OSError):
            yield from (path for path in self.folder.iterdir() if path.name[0].isdigit())

    def close(self) -> None:
        """Remove the folder; the jobs are gone."""
        self._ending.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)


def prefix_of(home: Path) -> str:
    """Return the beginning of the names of all folders and jobs of a home: the same one for ever, but not for a copy.

    Raises:
        OSError: it cannot be written.
    """
    path = home / IN_HOME / _NUMBER
    path.parent.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError, ValueError):
        number, *bound = path.read_text(encoding="ascii").split()
        if bound == _inodes(path):
            return f"ablate-{int(number, 16):08x}-"
    number = secrets.token_hex(4)
    part = path.with_name(f".{_NUMBER}")
    part.unlink(missing_ok=True)
    part.touch()
    part.write_text(" ".join([number, *_inodes(part)]), encoding="ascii")
    part.replace(path)
    return f"ablate-{number}-"


def _inodes(path: Path) -> list[str]:
    """Return what a file and its folder keep where the home is moved, and lose in a copy.

    The device is not among it: each machine has its own number for a network file system.
    """
    return [str(path.stat().st_ino), str(path.parent.stat().st_ino)]


def _write(path: Path, data: bytes) -> None:
    """Write a file that is seen whole or not at all."""
    part = path.with_name(f".{path.name}")
    part.write_bytes(data)
    os.replace(part, path)  # noqa: PTH105 - as Path.replace


def content_path(session: Path, digest: str) -> Path:
    """Return the path of a content."""
    return session / _CONTENTS / hashlib.sha256(digest.encode()).hexdigest()


def read_setup(session: Path) -> SharedSetup:
    """Return the setup of a session.

    Raises:
        OSError: it cannot be read, or belongs to another user.
    """
    setup: SharedSetup = pickle.loads(read_own(session / _SETUP))  # noqa: S301 - a file of this user
    return setup


def read_beat(session: Path) -> bytes:
    """Return something that changes while the driver lives.

    Raises:
        OSError: it cannot be read.
    """
    return (session / _DRIVER).read_bytes()
