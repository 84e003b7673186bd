"""Standard output gets results and nothing else: what plugins and their libraries print goes to standard error."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

_results: TextIO | None = None


def results() -> TextIO:
    """Return the stream for results: the standard output of the command, or what replaces it in Python."""
    return _results or sys.stdout


def reserve_stdout() -> None:
    """Keep standard output for results from now on, in this process and in those that it starts; call it once.

    The descriptor 1, which libraries and other processes write to, becomes standard error. :data:`sys.stdout` follows
    with :func:`divert_prints`; until then only click writes to it, its help.
    """
    global _results  # noqa: PLW0603 - a process has one standard output
    stream = sys.stdout
    if _results or not isinstance(stream, io.TextIOWrapper):
        return
    try:
        os.fstat(2)  # where it is closed, the copy of standard output would get its number
        copy = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
    except OSError:  # closed
        return
    by_line = stream.line_buffering
    sys.stdout = _results = type(stream)(copy, stream.encoding, stream.errors, line_buffering=by_line)


def divert_prints() -> None:
    """Let :func:`print` write to standard error from now on, if standard output is kept for results."""
    if _results is not None and sys.stdout is _results:
        # a new stream: the old one remembers whether it could seek in the file that is now another
        printed = open(1, "w", 1, _results.encoding, "replace", closefd=False)  # noqa: SIM115 - stays open
        sys.stdout = sys.__stdout__ = printed  # type: ignore[misc]
