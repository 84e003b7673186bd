"""Streams that nobody may read any more: progress and messages are a courtesy, and the work continues without them."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any


class CourteousStream(io.TextIOWrapper):
    """A stream that forgets what cannot be written, after it has kept the first error.

    From then on its descriptor leads to nowhere, also for what libraries of C and other processes print.

    Attributes:
        problem: the first error of a write; None if all has been written.
        terminal: whether it led to a terminal at first.
    """

    problem: OSError | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.terminal = self.isatty()

    @property
    def is_deserted(self) -> bool:
        """True if its reader wanted no more: a pipe or a terminal was closed."""
        closed = self.terminal and self.problem is not None and self.problem.errno == errno.EIO
        return closed or isinstance(self.problem, BrokenPipeError)

    def write(self, text: str, /) -> int:
        """Write a text, or forget it if that is not possible."""
        try:
            return super().write(text)
        except OSError as error:
            self._lose(error)
            return len(text)

    def write_data(self, data: bytes) -> None:
        """Write bytes, or forget them if that is not possible."""
        try:
            super().flush()
            self.buffer.write(data)
            self.buffer.flush()
        except OSError as error:
            self._lose(error)

    def flush(self) -> None:
        """Write what has been kept back, or forget it if that is not possible."""
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.problem = self.problem or error
        with contextlib.suppress(OSError, ValueError):  # from here on, all goes nowhere
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


def make_courteous() -> None:
    """Let standard error of this process forget what cannot be written."""
    stream = sys.stderr
    if isinstance(stream, io.TextIOWrapper):
        sys.stderr = CourteousStream(stream.detach(), stream.encoding, "backslashreplace", line_buffering=True)
