"""Types of the tests that run commands."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of one command line: its exit code and its output."""

    code: int
    out: str
    err: str


#: Takes the words of a command line, runs it and returns its outcome.
Command = Callable[..., Outcome]


def columns(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    return sum(unicodedata.category(c)[0] not in "MC" and 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
