"""Processes that tests fork instead of starting them are processes as others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support import forked

if TYPE_CHECKING:
    from pathlib import Path

HERE = __name__
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, no process is forked")


def test_a_command_has_streams_a_folder_and_an_exit_code_of_its_own(tmp_path: Path) -> None:
    for words, code in ((["--version"], 0), (["study", "show", "none"], 1)):
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": tmp_path}
        started = subprocess.run([sys.executable, "-P", "-m", "ablate", *words], check=False, **options)
        with forked.command(words, **options) as process:
            assert process.stdout
            assert process.stderr
            assert (process.stdout.read(), process.stderr.read()) == (started.stdout, started.stderr)
            assert process.wait() == started.returncode == code


def describe(number: int) -> None:
    """Print facts about this process, and wait for a signal."""
    facts = (number, os.getpid() == os.getsid(0), os.getcwd(), dict(os.environ), sys.stdin.read())  # noqa: PTH109
    os.write(1, repr(facts).encode())
    os.close(1)
    signal.pause()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_has_a_session_and_is_ended_by_signals(number: int, tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in forked.READ_AT_IMPORT if name in os.environ}
    pipe = subprocess.PIPE
    with forked.Forked(f"{HERE}:describe", 5, stdin=pipe, stdout=pipe, cwd=tmp_path, env=environment) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"words")
        process.stdin.close()
        assert process.stdout.read() == repr((5, True, str(tmp_path), environment, "words")).encode()
        assert process.poll() is None
        os.kill(process.pid, number)
        assert process.wait() == process.returncode == -number


def test_what_is_read_at_import_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="OMP_NUM_THREADS has no effect"):
        forked.command(["--version"], env={**os.environ, "OMP_NUM_THREADS": "3"})
