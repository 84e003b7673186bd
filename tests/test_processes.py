"""Help for executors that supervise processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ablate.processes import descendants, own_end


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (3, "ended its process with status 3"),
        (-signal.SIGTERM, "its process died of SIGTERM"),
        (-signal.SIGSEGV, "its process died of SIGSEGV (a crash in compiled code)"),
        (-100, "its process died of signal 100"),
    ],
)
def test_an_end_is_told_by_its_code(code: int, text: str) -> None:
    assert own_end(code) == text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_processes_of_processes_are_found() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        sleep = int(shell.stdout.readline())
        assert descendants(shell.pid) == [sleep]
        assert shell.pid in descendants(os.getpid())
        os.kill(sleep, signal.SIGKILL)
