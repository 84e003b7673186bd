"""Placeholders: ``{lr}`` in a command, an environment variable or an input stands for a value.

    ["python", "train.py", "--lr", "{lr}", "--out", "{out}"]
    ["python", "train.py", "lr={lr}", "out={out}"]

``{{lr}}`` is the text ``{lr}``. Other braces stay as they are, so JSON in an argument needs no special care.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = r"[A-Za-z_][\w.-]*"
_PATTERN = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")

#: Placeholders that decide the result of a run, besides the parameters.
OF_RUN = ("seed", "replicate", "variant")
#: Placeholders for places and resources, which are filled in when the program starts.
OF_START = ("out", "checkpoint", "threads", "python")
#: ``device`` is ``cuda`` with GPUs and otherwise ``cpu``.
RESERVED = (*OF_RUN, "device", *OF_START)


def names_in(text: str) -> Iterator[str]:
    """Yield the name of each placeholder in a text."""
    return (match[2] for match in _PATTERN.finditer(text) if match[2])


def filled(text: str, values: Mapping[str, Any], *, last: bool = True) -> str:
    """Return the text with the placeholders of these values filled in; others stay.

    Args:
        text: with placeholders.
        values: by name; see :func:`text_of`.
        last: whether nothing is filled in afterwards, so that ``{{name}}`` becomes ``{name}``.
    """

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return f"{{{match[1]}}}" if last else match[0]
        return text_of(values[match[2]]) if match[2] in values else match[0]

    return _PATTERN.sub(value, text)


def text_of(value: Any) -> str:
    """Return a value as a program reads it: ``true``, ``0.001``, ``[1,2]``; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_value(value: Any) -> bool:
    """Check whether a parameter can have this value: text, a number, true or false, or a list of these."""
    if isinstance(value, list):
        return all(is_value(item) and not isinstance(item, list) for item in value)
    return isinstance(value, str | int | float)
