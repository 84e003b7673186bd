from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from ablate.courtesy import CourteousStream, make_courteous

if TYPE_CHECKING:
    import pytest


def test_what_nobody_reads_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what was kept back until then, and what other processes write to the same descriptor."""
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.FileIO(writing, "wb"), "ascii"))
    make_courteous()
    sys.stderr.write("ready ♭\n")
    assert os.read(reading, 100) == b"ready \\u266d\n"
    os.close(reading)
    sys.stderr.write("gone\n")
    stream = sys.stderr
    assert isinstance(stream, CourteousStream)
    assert isinstance(stream.problem, BrokenPipeError)
    assert stream.is_deserted
    stream.write("still gone\n")
    stream.flush()
    assert os.write(writing, b"to nowhere") == 10
    stream.close()


def test_a_terminal_that_was_closed_is_no_problem() -> None:
    """Linux reports an error of the device, which for a file is one."""
    ours, theirs = os.openpty()
    stream = CourteousStream(io.FileIO(theirs, "wb"), "utf-8", write_through=True)
    stream.write("read\n")
    os.close(ours)
    stream.write("not read\n")
    assert isinstance(stream.problem, OSError)
    assert stream.is_deserted
    stream.close()
