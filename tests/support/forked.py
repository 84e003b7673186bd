"""Real processes that import nothing: forked from the process that the workers of studies are forked from.

A command that is started anew imports torch, and once more for its workers: four seconds of a core. Forked, it has a
process ID, a session, an environment, a folder and streams of its own, and signals reach it as they reach any command;
only the imports are done. Its own workers are forked from a process of its own, which it forks instead of starting it.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from multiprocessing import util
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ablate.study.run.executor import start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

#: What a command imports before its first stage, besides what its workers do.
PRELOADED = ("ablate.cli.study.planning.request", "ablate.store.store", "ablate.study.run.runner", __name__)
#: Read while modules are imported, so a forked process has those of this one.
READ_AT_IMPORT = ("ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "PYTHONPATH", "PYTHONHASHSEED")
_spawn: Callable[[Any, Any, Any], int] = util.spawnv_passfds


class Forked:
    """A process that calls a function of a module, with the methods of :class:`subprocess.Popen` that tests use.

    Args:
        function: ``module:function``.
        args: what it is called with.
        stdin, stdout, stderr: a file, ``subprocess.PIPE`` or ``subprocess.DEVNULL``; none: that of this process.
        cwd: its folder; none: that of this process.
        env: its environment; none: that of this process.

    Raises:
        ValueError: a variable of ``env`` that is read at import differs from that of this process.
    """

    def __init__(
        self,
        function: str,
        *args: Any,
        stdin: IO[Any] | int | None = None,
        stdout: IO[Any] | int | None = None,
        stderr: IO[Any] | int | None = None,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        environment = dict(os.environ if env is None else env)
        for name in READ_AT_IMPORT:
            if environment.get(name) != os.environ.get(name):
                raise ValueError(f"{name} has no effect on a process that is forked; start one")
        self.stdin = self.stdout = self.stderr = None
        ends: list[int] = []
        self.stdin, its_input = _stream(stdin, 0, ends)
        self.stdout, its_output = _stream(stdout, 1, ends)
        self.stderr, its_errors = _stream(stderr, 2, ends)
        streams = [Connection(os.dup(end)) for end in (its_input, its_output, its_errors)]
        setting = (streams, str(cwd or Path.cwd()), environment)
        context: Any = start.processes(2)
        self._process = context.Process(target=_run, args=(function, args, setting), daemon=True)
        with start.signals_blocked():
            self._process.start()
        for stream in streams:
            stream.close()
        for end in ends:
            os.close(end)
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Return its exit code, the negative number of the signal that ended it, or none while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return :attr:`returncode`."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended after ``timeout`` seconds.
        """
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self.returncode

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()
        self.wait()


#: A process that a test has started.
Process = Forked | subprocess.Popen[bytes]


def command(words: Sequence[str | Path], **options: Any) -> Process:
    """Start ``python -m ablate`` with these words; the options are those of :class:`Forked`."""
    if sys.platform != "linux":  # nothing is forked there
        program = [sys.executable, "-P", "-m", "ablate", *words]
        return subprocess.Popen(program, start_new_session=True, **options)
    return Forked(f"{__name__}:run_command", [str(word) for word in words], **options)


def run_command(words: list[str]) -> None:
    """Run a command line as ``python -m ablate`` does; nobody reads how long its study is expected to take."""
    from ablate.study.plan import estimate

    estimate.LONG_ENOUGH = 0.01
    sys.argv = ["ablate", *words]
    runpy.run_module("ablate", run_name="__main__", alter_sys=True)


def preload() -> None:
    """Let the process that workers and commands are forked from import what commands need; it is not running yet."""
    start._PRELOAD.extend(name for name in PRELOADED if name not in start._PRELOAD)
    util.spawnv_passfds = _spawn_with_path  # type: ignore[assignment]


def _stream(given: IO[Any] | int | None, number: int, ends: list[int]) -> tuple[IO[bytes] | None, int]:
    """Return this side of a stream, if it is a pipe, and the descriptor of the other side; note what to close."""
    if given is None:
        return None, number
    if given == subprocess.DEVNULL:
        ends.append(os.open(os.devnull, os.O_RDWR))
        return None, ends[-1]
    if given != subprocess.PIPE:
        return None, given if isinstance(given, int) else given.fileno()
    read, write = os.pipe()
    mine, its = (write, read) if number == 0 else (read, write)
    ends.append(its)
    return os.fdopen(mine, "wb" if number == 0 else "rb"), its


def _run(function: str, args: tuple[Any, ...], setting: tuple[list[Connection], str, dict[str, str]]) -> None:
    """Become a process as one that is started: in the child."""
    streams, folder, environment = setting
    os.setsid()
    for number in start.STOPPING:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    # those of the process that it is forked from remember what kind of files they had
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - stays open
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", 1, errors="backslashreplace", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    multiprocessing.current_process()._config["daemon"] = False  # it may have workers
    util.spawnv_passfds = _fork_server  # type: ignore[assignment]
    module, _, name = function.partition(":")
    call: Callable[..., object] = getattr(__import__(module, fromlist=[name]), name)
    call(*args)


def _is_server(args: Sequence[Any]) -> bool:
    return "multiprocessing.forkserver" in os.fsdecode(args[-1])


def _spawn_with_path(path: Any, args: Sequence[Any], descriptors: Sequence[int]) -> int:
    """Start a process of multiprocessing's own; Python 3.11 does not give a fork server this process's module path."""
    if not _is_server(args):
        return _spawn(path, args, descriptors)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        return _spawn(path, args, descriptors)
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _fork_server(path: Any, args: Sequence[Any], descriptors: Sequence[int]) -> int:
    """Fork the process that workers are forked from, instead of starting one that imports everything again."""
    if not _is_server(args):
        return _spawn(path, args, descriptors)
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in start.STOPPING:
            signal.signal(number, signal.SIG_DFL)
        kept = sorted({0, 1, 2, *descriptors})
        for last, following in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
            os.closerange(last + 1, following)
        exec(os.fsdecode(args[-1]), {})
    finally:
        os._exit(0)
