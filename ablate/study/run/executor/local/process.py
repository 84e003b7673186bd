"""The worker's side: do one task after another, and send the results through a channel of its own.

A worker that is killed while it sends breaks its own channel and nothing else: no lock and no queue is shared.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.courtesy import make_courteous
from ablate.errors import named_line
from ablate.study.run.executor.start import leave_signals_to_driver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

    from ablate.interfaces.executor import Channel
    from ablate.study.run.executor.local.shared import Signs

#: A number of Linux' prctl.
_PARENT_DEATH_SIGNAL = 1
#: The first byte of what a worker sends: a message of the task, its end, or its end by an exception. Its thread in the
#: driver adds that a task begins, and that the worker has none.
MESSAGE, END, RAISED, BEGUN, IDLE = b"m", b"e", b"r", b"b", b"i"


class Settings(NamedTuple):
    """The settings that all workers share.

    The environment is that of the driver: a worker would have that of the process that it is forked from, which is as
    old as the first executor.
    """

    work: Callable[[bytes, Channel], None]
    home: Path | None
    environment: Mapping[str, str]


def main(connection: Connection, device: str, settings: Settings, stopping: Any, signs: Signs) -> None:
    """Work until the channel is closed."""
    _set_up(settings.environment)
    while True:
        try:
            number, data, contents = pickle.loads(connection.recv_bytes())  # noqa: S301 - the driver has packed it
        except (EOFError, OSError):
            return
        signs.begin(number)
        channel: Channel = _Pipe(connection, device, settings.home, stopping, signs, contents)
        try:
            settings.work(data, channel)
        except Exception as error:  # noqa: BLE001 - the driver decides what an exception of the work means
            end = RAISED + named_line(error).encode(errors="replace")
        else:
            end = END
        with contextlib.suppress(OSError):  # the driver is gone, and nobody is interested in a traceback
            connection.send_bytes(end)


class _Pipe:
    """The channel of a task."""

    def __init__(
        self,
        connection: Connection,
        device: str,
        home: Path | None,
        stopping: Any,
        signs: Signs,
        contents: Mapping[str, str],
    ) -> None:
        self.device = device
        self.home = home
        self._connection, self._stopping, self._signs, self._contents = connection, stopping, signs, contents

    def send(self, message: bytes) -> None:
        """Send a message."""
        self._connection.send_bytes(MESSAGE + message)

    def sign(self, doing: str) -> None:
        """Show progress."""
        self._signs.show(doing)

    def fetch(self, digest: str) -> bytes:
        """Return a content."""
        return Path(self._contents[digest]).read_bytes()

    def should_stop(self) -> bool:
        """Return whether the driver wants the task to end."""
        return bool(self._stopping.value)


def _set_up(environment: Mapping[str, str]) -> None:
    """Set up this process, once."""
    os.environ.clear()
    os.environ.update(environment)
    leave_signals_to_driver()
    if torch := sys.modules.get("torch"):  # other work than that of a study may need none
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
