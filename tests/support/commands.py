"""Run commands in the process of a test."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of one command line: its exit code and its output."""

    code: int
    out: str
    err: str


#: Takes the words of a command line, runs it and returns its outcome.
Command = Callable[..., Outcome]


def run(words: Sequence[str]) -> int:
    """Run a command line as :func:`ablate.cli.run` does, and return its exit code.

    Nobody reads how long studies are expected to take, so the trial steps that say it take a hundredth of a second
    instead of half a second, in each run and plan.
    """
    from ablate import cli
    from ablate.study.plan import estimate

    before, estimate.LONG_ENOUGH = estimate.LONG_ENOUGH, 0.01
    try:
        return cli.run(list(words))
    finally:
        estimate.LONG_ENOUGH = before


def columns(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    return sum(unicodedata.category(c)[0] not in "MC" and 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
