"""The driver's side: a process of its own talks with Ray, so that nothing that Ray does can end the driver.

Ray's library ends the process that has loaded it when it loses its cluster, and it has threads and signal handlers of
its own. Here it costs one line: results that were recorded stay, and the same command continues.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing.connection
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from typing import IO, TYPE_CHECKING, Self

from ablate.errors import ExecutorError, shortened
from ablate.interfaces.executor import Event, Executor
from ablate.processes import named_work
from ablate_ray.connection import check_address
from ablate_ray.messages import Command, End, Failed, Leave, Places, Put, Start, Stop, Submit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path
    from types import TracebackType

    from ablate.interfaces.executor import Place, Setup, Task
    from ablate_ray.options import RayOptions

#: Seconds to connect to a cluster, or to start one, and to look at its machines.
_CONNECT = 180.0
#: Seconds for tasks to end after their step when the executor is left, and for Ray to end.
_GRACE, _END = 10.0, 15.0
#: Seconds for the process to end while it waits for a cluster, which nothing interrupts.
_END_OF_NONE = 3.0
#: Seconds between two looks whether it has ended.
_LOOK = 0.02
#: Characters of what Ray has printed, in a message.
_LONGEST = 300
_PROGRAM = "import sys; sys.path[:] = {path!r}; from ablate_ray.client import main; main({descriptor})"


class RayExecutor(Executor):
    """Workers of a Ray cluster.

    Args:
        options: of the executor.
        setup: the purpose.

    Raises:
        ExecutorError: an option has a value that cannot be used.
    """

    backlog = 2

    def __init__(self, options: RayOptions, setup: Setup) -> None:
        check_address(options.address)
        self.shares_home = options.shared_home
        self._where = f"the Ray cluster at '{options.address}'" if options.address else "Ray on this machine"
        self._start = Start(options, named_work(setup.work), str(setup.home), setup.device, setup.workers)
        self._places: Sequence[Place] | None = None
        self._early: list[Event] = []
        self._stopping, self._sent_stop = False, False

    def __enter__(self) -> Self:
        if importlib.util.find_spec("ray") is None:
            raise ExecutorError("--executor ray needs Ray: pip install 'ablate-music[ray]'")
        self._printed: IO[bytes] = tempfile.TemporaryFile()
        here, there = multiprocessing.connection.Pipe()
        self._client: Connection = here
        self._process = self._started(there)
        try:
            self._send(self._start)
            self._connect()
        except BaseException:
            self._end(0.0)
            raise
        return self

    def _started(self, connection: Connection) -> subprocess.Popen[bytes]:
        """Start the process of Ray, in a session of its own: signals of a terminal are for the driver alone."""
        descriptor = connection.fileno()
        with connection:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", _PROGRAM.format(path=sys.path, descriptor=descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
                pass_fds=[descriptor],
                start_new_session=True,
            )

    @property
    def _connecting(self) -> bool:
        return self._places is None and bool(self._start.options.address)

    def _connect(self) -> None:
        deadline = time.monotonic() + _CONNECT
        while self._places is None:
            if time.monotonic() > deadline:
                raise ExecutorError(f"{self._where} has not answered for {_CONNECT:g} s")
            if self._stopping:
                raise ExecutorError(f"stopped before {self._where} was ready")
            self._early += self._received(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        at_once = kind is not None and not issubclass(kind, Exception)  # Ctrl-C does not wait
        self._end(0.0 if at_once else _GRACE)

    def _end(self, seconds: float) -> None:
        """End the process of Ray, which ends the workers and a Ray that was started for this run."""
        self._send(Leave(seconds))
        deadline = time.monotonic() + seconds + (_END_OF_NONE if self._connecting else _END)
        with self._client, self._printed, contextlib.suppress(EOFError, OSError):
            while time.monotonic() < deadline:  # until it closes its end; what it still sends is of no use
                if self._client.poll(0.1):
                    self._client.recv_bytes()
        while time.monotonic() < deadline and not self._has_ended():
            time.sleep(_LOOK)
        # also what a Ray of this run leaves when its process was killed; before the number of the group is free again
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _has_ended(self) -> bool:
        """Return whether the process has ended; the system still keeps its number."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def places(self) -> Sequence[Place]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        return self._places or ()

    def put(self, digest: str, path: Path) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._send(Put(digest, str(path)))

    def submit(self, task: Task) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._send(Submit(task))

    def end(self, task: str) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._send(End(task))

    def stop(self) -> None:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        self._stopping = True

    def wait(self, seconds: float) -> list[Event]:
        """See :class:`~ablate.interfaces.executor.Executor`."""
        if self._stopping and not self._sent_stop:
            self._sent_stop = True
            self._send(Stop())
        early, self._early = self._early, []
        return early + self._received(0.0 if early else seconds)

    def _send(self, command: Command) -> None:
        with contextlib.suppress(OSError):  # it has ended: what it sent is received first, then its end
            self._client.send_bytes(pickle.dumps(command))

    def _received(self, seconds: float) -> list[Event]:
        """Take what the process of Ray has sent; wait up to some seconds for the first of it.

        Raises:
            ExecutorError: it has ended.
        """
        events: list[Event] = []
        try:
            while self._client.poll(0.0 if events else seconds):
                report: Places | Failed | list[Event] = pickle.loads(self._client.recv_bytes())  # noqa: S301 - our own process
                if isinstance(report, Failed):
                    raise ExecutorError(report.text)
                if isinstance(report, Places):
                    self._places = report.places
                    return events
                events += report
        except (EOFError, OSError) as error:
            if events:
                return events  # the end is noticed next time
            raise ExecutorError(self._how_it_ended()) from error
        return events

    def _how_it_ended(self) -> str:
        if self._places is not None:
            return f"{self._where} is gone; what is finished is kept, and the same command continues"
        self._printed.seek(0)
        lines = self._printed.read().decode(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f"{self._where} cannot be used: {shortened(last, _LONGEST) or 'its process has ended'}"
