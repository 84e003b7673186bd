"""The worker's side: does one task after another, and sends what comes of them to its pilot."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.courtesy import make_courteous
from ablate.errors import named_line
from ablate_slurm.log import read_own
from ablate_slurm.node.signs import Signs
from ablate_slurm.session import content_path, read_setup

if TYPE_CHECKING:
    from ablate_slurm.session import SharedSetup

#: The first byte of what a worker sends: a message of the task, its end, or its end by an exception.
MESSAGE, END, RAISED = b"m", b"e", b"r"
#: SLURM sends them to all processes of a job; the pilot decides what they mean.
LEFT_TO_PILOT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
#: A number of Linux' prctl.
_PARENT_DEATH_SIGNAL = 1


class TaskChannel:
    """The channel of a task.

    Args:
        connection: to the pilot.
        signs: the memory that is shared with it.
        setup: of the session.
        session: the folder that is shared with the driver.
    """

    def __init__(self, connection: Connection, signs: Signs, setup: SharedSetup, session: Path) -> None:
        self.device, self.home = setup.device, Path(setup.home) if setup.home else None
        self._connection, self._signs, self._session = connection, signs, session

    def send(self, message: bytes) -> None:
        """Send a message."""
        self._connection.send_bytes(MESSAGE + message)

    def sign(self, doing: str) -> None:
        """Show progress."""
        self._signs.show(doing)

    def fetch(self, digest: str) -> bytes:
        """Return a content."""
        return read_own(content_path(self._session, digest))

    def should_stop(self) -> bool:
        """Return whether the task should end."""
        return self._signs.stopping


def main() -> None:
    """Work until the pilot is gone: SESSION, and the descriptors of the channel and of the shared memory."""
    session = Path(sys.argv[1])
    descriptors = [int(each) for each in sys.argv[2:4]]
    for each in descriptors:
        os.set_inheritable(each, False)  # what components start must not hold them open
    _set_up()
    connection, signs = Connection(descriptors[0]), Signs(descriptors[1])
    setup = read_setup(session)
    channel = TaskChannel(connection, signs, setup, session)
    while True:
        try:
            data = connection.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            setup.work(data, channel)
        except Exception as error:  # noqa: BLE001 - the driver decides what an exception of the work means
            connection.send_bytes(RAISED + named_line(error).encode(errors="replace"))
        else:
            connection.send_bytes(END)


def _set_up() -> None:
    make_courteous()
    worker = os.getpid()

    def handle(number: int, _: object) -> None:
        if os.getpid() != worker:  # forked by a component, which has these signals as usual
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in LEFT_TO_PILOT:
        signal.signal(number, handle)
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
