"""Types of the tests that run commands."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of one command line: its exit code and its output."""

    code: int
    out: str
    err: str


#: Takes the words of a command line, runs it and returns its outcome.
Command = Callable[..., Outcome]
