"""Run commands in the process of a test."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ablate.study.run.executor.protocol import Working


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of one command line: its exit code and its output."""

    code: int
    out: str
    err: str


#: Takes the words of a command line, runs it and returns its outcome.
Command = Callable[..., Outcome]


#: Whether a study with one worker computes in a process of its own, as commands do; a test may set it.
ISOLATED = False


def run(words: Sequence[str]) -> int:
    """Run a command line as :func:`ablate.cli.run` does, and return its exit code.

    Nobody reads how long studies are expected to take, so the trial steps that say it take a hundredth of a second
    instead of half a second, in each run and plan. A study with one worker computes in this process, which takes a
    third less than one more process.
    """
    from ablate import cli
    from ablate.cli.study.running import run as running
    from ablate.study.plan import estimate
    from ablate.study.run.executor import protocol

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimate, "LONG_ENOUGH", 0.01)
        for module in () if ISOLATED else (running, protocol):  # those that commands take it from
            patch.setattr(module, "Working", _working_here)
        return cli.run(list(words))


def _working_here(*args: Any, **settings: Any) -> Working:
    return Working(*args, **(settings | {"isolated": False}))


def columns(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    return sum(unicodedata.category(c)[0] not in "MC" and 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
