"""Find values that no key of a study can have, whatever its type, and files that contain too many."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any

from ablate.errors import LONGEST_NAME, MOST_PROBLEMS, shortened
from ablate.options import abridged
from ablate.printable import has_bytes, printable
from ablate.study.file.paths import join
from ablate.study.file.text.toml import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.file.paths import Problem

#: The largest whole number: that of TOML, of databases and of random generators.
LARGEST_WHOLE = 2**63 - 1
#: The most keys and items of lists in a study file: 10 times a study of 1,000 named variants.
MOST_VALUES = 50_000
# line breaks and tabs are text; the other control characters are commands to a terminal
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def value_problems(raw: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of the values in a study file, the first ones if there are many.

    Keys are checked where they are known, values here only for what none may be: a date, a number that is infinite or
    no number, a whole number that needs more than 64 bits, text with control characters, or a list inside a list inside
    a list, and so on.
    """
    problems: list[Problem] = []
    for count, (key, text) in enumerate(_walk(raw), 1):
        if count > MOST_VALUES:
            return [("", f"has more than {MOST_VALUES:,} keys and items of lists; a study of that size needs a search")]
        if text and len(problems) < MOST_PROBLEMS:
            problems.append((key, text))
    return problems


def _walk(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield every value's key with its problem, which is empty for most; without recursion."""
    waiting: list[tuple[str, Any, int]] = [(printable(key), value, 1) for key, value in reversed(list(raw.items()))]
    while waiting:
        key, value, depth = waiting.pop()
        yield key, value_problem(value) if depth <= DEEPEST else f"is nested more than {DEEPEST} deep"
        if depth > DEEPEST:
            continue
        if isinstance(value, dict):
            waiting += [(join(key, printable(name)), item, depth + 1) for name, item in reversed(list(value.items()))]
        elif isinstance(value, list):
            waiting += [(f"{key}[{index}]", item, depth + 1) for index, item in reversed(list(enumerate(value)))]


def value_problem(value: Any) -> str:
    """Return why a value that is no list and no table can be in no study file; empty where it can."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int) and not -LARGEST_WHOLE <= value <= LARGEST_WHOLE:
        number = f"one of {value.bit_length():,} bits" if value.bit_length() > 400 else abridged(value)
        limit = "up to 2^63 - 1" if value > 0 else "from -(2^63 - 1)"
        return f"must be a whole number {limit}, not {number}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, not {value}"
    if isinstance(value, dt.date | dt.time):
        return f'must be text, a number, or true or false, not a date or time; write text in quotes: "{value}"'
    if isinstance(value, str):
        return _text_problem(value)
    return ""


def _text_problem(value: str) -> str:
    if has_bytes(value):
        shown = shortened(printable(value), LONGEST_NAME)
        return f"'{shown}' is not valid UTF-8; rename the file or folder, because names are stored as text"
    found = _CONTROL.search(value)
    if not found:
        return ""
    return f"the text {printable(abridged(value))} has the character {printable(found[0])}; leave it out"
