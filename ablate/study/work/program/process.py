"""Run a program under a supervisor, which ends it whatever happens to this process; see :mod:`.supervisor`."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import ProgramFailed
from ablate.study.work.messages import JobStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Seconds that a program has to save its work when it is asked to end.
GRACE = 10.0
_PAUSE = 0.02


@dataclasses.dataclass(frozen=True)
class Ending:
    """The end of a program.

    Attributes:
        code: its exit status; negative for the signal that killed it.
        seconds: how long it ran.
        timed_out: whether it was ended at its time limit.
    """

    code: int
    seconds: float
    timed_out: bool = False


def run_process(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    lock: Path,
    limit: float,
    should_stop: Callable[[], bool],
) -> Ending:
    """Run a program to its end, or end it at its limit.

    Args:
        command: the program and its arguments.
        folder: that it works in.
        environment: all its variables.
        log: the file that its standard output and error are appended to.
        lock: a file that is locked while the program or anything that it has started runs.
        limit: seconds; 0 for none.
        should_stop: whether the driver wants to stop.

    Raises:
        JobStopped: ``should_stop`` became true; the program was asked to end, and killed if it did not.
        ProgramFailed: it cannot be started.
    """
    request = {"command": list(command), "folder": str(folder), "lock": str(lock), "grace": GRACE}
    words = [sys.executable, "-I", "-S", str(Path(__file__).with_name("supervisor.py")), json.dumps(request)]
    started = time.monotonic()
    with log.open("ab") as file:
        supervisor = subprocess.Popen(  # noqa: S603 - our own
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, env=environment, start_new_session=True
        )
    with supervisor:
        stopped = timed_out = False
        while _runs(supervisor):
            stopped = stopped or should_stop()
            late = bool(limit) and time.monotonic() - started > limit
            if (stopped or late) and not timed_out:
                timed_out = True
                _ask_to_end(supervisor)
        seconds = time.monotonic() - started
        report = _report(supervisor)
    lock.unlink(missing_ok=True)  # nothing runs any more, so nobody holds it
    if stopped:
        raise JobStopped
    if "error" in report:
        raise ProgramFailed(f"cannot start {command[0]}: {report['error']}")
    return Ending(report["code"], seconds, timed_out)


def _runs(supervisor: subprocess.Popen[bytes]) -> bool:
    """Wait a moment; return whether the program still runs."""
    try:
        supervisor.wait(_PAUSE)
    except subprocess.TimeoutExpired:
        return True
    return False


def _ask_to_end(supervisor: subprocess.Popen[bytes]) -> None:
    if supervisor.stdin:
        try:
            os.write(supervisor.stdin.fileno(), b"t")
        except BrokenPipeError:  # it has ended by itself just now
            return


def _report(supervisor: subprocess.Popen[bytes]) -> dict[str, Any]:
    text = supervisor.stdout.read() if supervisor.stdout else b""
    try:
        report: dict[str, Any] = json.loads(text)
    except ValueError:
        raise ProgramFailed(
            "the process that watches over the program has died; the system may have run out of memory"
        ) from None
    return report
