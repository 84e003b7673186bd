"""The standard streams of this process: what they cannot take is no reason to lose anything else.

A command whose reader has gone (``ablate ... | head``, a terminal that was closed) does its work all the same. So does
one whose standard output is full; it ends with one line on stderr and exit code 1.
"""

from __future__ import annotations

import io
import os
import re
import sys
from typing import Any, TextIO

from ablate.courtesy import CourteousStream
from ablate.printable import READABLE, printable, readable

_BREAKS = re.compile(r"[\r\n]+")


def prepare_streams() -> None:
    """Make the standard streams of this process able to take every text, and to be closed or full.

    Closed ones are opened on nothing: a database that took the number of a closed stream would get what programs and
    libraries print. What an encoding lacks is written in another way (:func:`ablate.printable.readable`).
    """
    for number, way in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, way)  # takes the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = io.StringIO()
    sys.stdout, sys.stderr = _prepared(sys.stdout, 1), _prepared(sys.stderr, 2)


def _prepared(stream: Any, number: int) -> Any:
    if stream is None:
        return CourteousStream(open(number, "wb", closefd=False), "utf-8", READABLE)
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    encoding, by_line, through = stream.encoding, stream.line_buffering, stream.write_through
    return CourteousStream(stream.detach(), encoding, READABLE, line_buffering=by_line, write_through=through)


def lost_output(stream: TextIO) -> OSError | None:
    """Return why a stream could not be written; None if all was written, or if its reader wanted no more."""
    return stream.problem if isinstance(stream, CourteousStream) and not stream.is_deserted else None


def write_data(stream: TextIO, data: bytes) -> None:
    """Write bytes to a stream; to one in memory their text in UTF-8."""
    if isinstance(stream, CourteousStream):
        stream.write_data(data)
    elif hasattr(stream, "buffer"):
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()
    else:
        stream.write(data.decode())


def is_utf_8(stream: TextIO) -> bool:
    """Check whether a stream takes every letter as UTF-8; a stream in memory does."""
    return stream.encoding is None or stream.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")


def visible(text: str, stream: TextIO) -> str:
    """Return a text as one line that a terminal may get and that the encoding of a stream can hold."""
    return readable(printable(_BREAKS.sub(" ", text)), stream.encoding)
