"""A second executor: programs that see neither the home nor the environment of the driver, and talk over pipes."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pickle
import queue
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from ablate.interfaces.executor import Begun, Died, Ended, Event, Executor, Place, Signed, Told
from support import forked

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from ablate.interfaces.executor import Setup, Task

_START = (
    "import pickle, sys; sys.path[:] = pickle.loads(bytes.fromhex(sys.argv[1])); import support.pipes as p; p.serve()"
)


#: The variables of the driver's environment that workers get.
KEPT = ("PATH",)
#: Whether workers are programs that import everything themselves. Forked, they take a tenth of the time.
ANEW = sys.platform != "linux"


def _write(file: IO[bytes], message: object) -> None:
    data = pickle.dumps(message)
    file.write(struct.pack("<Q", len(data)) + data)
    file.flush()


def _read(file: IO[bytes]) -> Any:
    head = file.read(8)
    if len(head) < 8:
        raise EOFError
    (size,) = struct.unpack("<Q", head)
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)


class _Channel:
    """The worker's side; a thread reads what the driver sends while the task works."""

    device = "cpu"
    home = None

    def __init__(self) -> None:
        self.out, self.tasks, self.contents = os.fdopen(os.dup(1), "wb"), queue.Queue(), queue.Queue()
        self.stopping, self.signed = False, ("", 0.0)
        os.dup2(2, 1)  # what tasks print is no message
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                kind, *message = _read(sys.stdin.buffer)
                if kind == "stop":
                    self.stopping = True
                else:
                    (self.tasks if kind == "task" else self.contents).put(message)
        except EOFError:
            os._exit(0)

    def send(self, message: bytes) -> None:
        _write(self.out, ("told", message))

    def sign(self, doing: str) -> None:
        before, at = self.signed
        if doing != before or time.monotonic() - at > 0.05:
            self.signed = doing, time.monotonic()
            _write(self.out, ("signed", doing))

    def fetch(self, digest: str) -> bytes:
        _write(self.out, ("fetch", digest))
        (data,) = self.contents.get()
        return data

    def should_stop(self) -> bool:
        return self.stopping


def serve() -> None:
    """Do tasks until nobody sends any."""
    channel = _Channel()
    while True:
        work, data = channel.tasks.get()
        try:
            pickle.loads(work)(data, channel)
            end = ("ended",)
        except Exception as error:  # noqa: BLE001 - the driver decides what it means
            end = ("raised", f"raised {type(error).__name__}: {error}")
        _write(channel.out, end)


def _start(environment: dict[str, str], folder: str) -> forked.Process:
    streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": folder}
    if not ANEW:
        environment |= {name: os.environ[name] for name in forked.READ_AT_IMPORT if name in os.environ}
        return forked.Forked(f"{__name__}:serve", env=environment, **streams)
    path = pickle.dumps([str(pathlib.Path(each).resolve()) for each in sys.path]).hex()
    return subprocess.Popen([sys.executable, "-I", "-c", _START, path], env=environment, **streams)


class _Worker:
    def __init__(self, heard: queue.Queue[tuple[_Worker, Any]]) -> None:
        self.folder = tempfile.mkdtemp(prefix="pipes-")
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment |= {"TMPDIR": self.folder, "HOME": self.folder}
        self.process = _start(environment, self.folder)
        self.task: Task | None = None
        self.was_ended = False
        self.heard = heard
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                self.heard.put((self, _read(self.process.stdout)))
        except (EOFError, OSError, ValueError):
            self.heard.put((self, ("gone",)))

    def tell(self, *message: object) -> None:
        with contextlib.suppress(OSError):  # it has died, and its end is heard
            _write(self.process.stdin, message)

    def kill(self) -> None:
        self.was_ended = True
        self.process.kill()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class PipesExecutor(Executor):
    """Programs that see nothing of the driver."""

    def __init__(self, options: Any, setup: Setup) -> None:
        self.work, self.slots = pickle.dumps(setup.work), setup.workers
        self.waiting: list[Task] = []
        self.workers: list[_Worker] = []
        self.contents: dict[str, Path] = {}
        self.heard: queue.Queue[tuple[_Worker, Any]] = queue.Queue()
        self.stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.close()

    def places(self) -> list[Place]:
        return [Place("pipes", slots=self.slots)]

    def put(self, digest: str, path: Path) -> None:
        self.contents.setdefault(digest, path)

    def submit(self, task: Task) -> None:
        self.waiting.append(task)

    def end(self, task: str) -> None:
        self.waiting = [each for each in self.waiting if each.name != task]
        for worker in self.workers:
            if worker.task and worker.task.name == task:
                worker.kill()

    def stop(self) -> None:
        self.stopping = True
        for worker in self.workers:
            worker.tell("stop")

    def wait(self, seconds: float) -> list[Event]:
        events = list(self._assign())
        heard: list[Any] = []
        with contextlib.suppress(queue.Empty):
            heard.append(self.heard.get(timeout=0.001 if events else seconds))
            while True:
                heard.append(self.heard.get_nowait())
        return events + [event for each in heard for event in self._event(*each)]

    def _assign(self) -> Any:
        while self.waiting:
            idle = [worker for worker in self.workers if worker.task is None]
            if len(self.workers) - len(idle) >= self.slots:
                return
            task = self.waiting.pop(0)
            if task.alone or not idle:
                for worker in idle if len(self.workers) >= self.slots else ():
                    self._drop(worker)
                idle = [_Worker(self.heard)]
                self.workers += idle
            idle[0].task = task
            if self.stopping:
                idle[0].tell("stop")
            idle[0].tell("task", self.work, task.data)
            yield Begun(task.name, "pipes")

    def _drop(self, worker: _Worker) -> None:
        self.workers.remove(worker)
        worker.task = None
        worker.close()

    def _event(self, worker: _Worker, message: Any) -> Any:
        kind, *rest = message
        task = worker.task
        if task is None:
            if kind == "gone" and worker in self.workers:
                self._drop(worker)
            return
        if kind == "told":
            yield Told(task.name, rest[0])
        elif kind == "signed":
            yield Signed(task.name, rest[0])
        elif kind == "fetch":
            worker.tell("content", self.contents[rest[0]].read_bytes())
        elif kind == "gone":
            status = worker.process.wait()
            self._drop(worker)
            yield Died(task.name, f"ended with status {status}", outside=status < 0 and not worker.was_ended)
        else:
            worker.task = None
            if task.alone:
                self._drop(worker)
            yield Ended(task.name) if kind == "ended" else Died(task.name, rest[0])
