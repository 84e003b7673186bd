"""Run a program, and end it with everything that it has started as soon as the process that asked for it is gone.

A process of its own, which imports only the standard library: ``python -I -S supervisor.py REQUEST``. Its
standard input is a pipe from the worker. ``t`` on it ends the program, with a moment to save its work; the end of the
pipe means that the worker is dead, killed perhaps, and ends the program at once. How the program ended is written to
standard output as JSON.

The program is the leader of a session and so of a process group. On Linux its orphans become children of this process,
also those that have left the group, and the program is killed if this process is.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

#: Numbers of Linux' prctl.
_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36
#: Seconds between two looks at the program; of its duration only this much is lost.
_PAUSE = 0.02


def main() -> None:
    """Run the program that the request on the command line describes."""
    request = json.loads(sys.argv[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the worker decides, and closes the pipe
    _prctl(_CHILD_SUBREAPER, 1)
    with _locked(request["lock"]):
        report = _run(request)
    sys.stdout.write(json.dumps(report))


def _run(request: dict[str, object]) -> dict[str, object]:
    parent = os.getpid()

    def before() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the signal was asked for
            os._exit(1)

    log = os.dup(2)
    try:
        process = subprocess.Popen(  # noqa: S603 - it is what the study asks for
            request["command"],  # type: ignore[call-overload]
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=request["folder"],
            start_new_session=True,
            preexec_fn=before,  # noqa: PLW1509 - this process has one thread
        )
    except OSError as error:
        return {"error": f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")}
    code = _watch(process, float(request["grace"]))  # type: ignore[arg-type]
    return {"code": code}


def _watch(process: subprocess.Popen[bytes], grace: float) -> int:
    """Wait for the program, and end it if the pipe asks for it; return its status, negative for a signal."""
    deadline, pipe = 0.0, [0]
    while process.poll() is None:
        readable, _, _ = select.select(pipe, [], [], _PAUSE)
        word = os.read(0, 1) if readable else None
        if word == b"" or (deadline and time.monotonic() > deadline):
            break
        if word == b"t" and not deadline:
            deadline = time.monotonic() + grace
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    _kill_all(process)
    return process.wait()


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the program's group, and of what has left it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.wait()
    while True:
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)  # orphans of orphans come up as their parents end
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:  # not Linux
        return []


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


@contextlib.contextmanager
def _locked(path: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - typing would be one more import
    """Hold a lock: an earlier program of the same run, whose worker was killed, has then ended."""
    import fcntl

    with Path(path).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
