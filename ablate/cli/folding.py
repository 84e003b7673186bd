"""The width of lines in a terminal: of texts in any script, and of sentences and cells that are folded to fit."""

from __future__ import annotations

import os
import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING

from ablate.stdout import results

if TYPE_CHECKING:
    from typing import TextIO

#: No name is shortened, and no column folded, to fewer characters than this.
NARROWEST = 8
#: The width of a terminal that does not report its own.
_TERMINAL = 80
#: The categories of characters that take no column.
_NARROW = ("Mn", "Me", "Cf")
#: Spaces, words, and wide characters, between which a line may end.
_WIDE = "\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\U0001f300-\U0001faff"
_WORDS = re.compile(rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+")


#: Spaces at which no sentence is folded, in "95 %", "p = 0.03" and "1.2 ± 0.3", and what stands for them meanwhile.
_TIES, _TIED = re.compile(r"(?<=\d) (?=%|±)|(?<=\bp) (?=[=<])|(?<=[=<±]) (?=[\d+\u2212-])"), "\0"


def terminal_width() -> int | None:
    """Return the width of lines on standard output: that of the terminal, or ``COLUMNS`` of the environment.

    Without either it is None, because folded cells are no use to grep.
    """
    asked, stream = os.environ.get("COLUMNS", "").strip(), results()
    if asked.isdecimal() and (columns := int(asked[:9])):
        return columns
    try:
        return (os.get_terminal_size(stream.fileno()).columns or _TERMINAL) if stream.isatty() else None
    except (AttributeError, OSError, ValueError):  # closed, or no file
        return None


def rewritable_width(stream: TextIO) -> int | None:
    """Return the width of lines that a terminal can write again; None is that of the terminal when they are written.

    ``COLUMNS`` counts only as far as the terminal is wide.
    """
    asked = os.environ.get("COLUMNS", "").strip()
    if not asked.isdecimal():
        return None
    try:
        there = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):  # no terminal, or one that is closed
        there = 0
    return min((width for width in (int(asked[:9]), there) if width), default=None)


def shortened(name: str, width: int | None) -> str:
    """Return a name with its middle left out if it is wider than ``width``; a few characters always stay."""
    if width is None or text_width(name) <= max(width, NARROWEST):
        return name
    kept = max(width, NARROWEST) - 1
    return f"{_beginning(name, (kept + 1) // 2)}…{_beginning(name[::-1], kept // 2)[::-1]}"


def _beginning(text: str, width: int) -> str:
    """Return the longest beginning of at most ``width`` columns."""
    return next(text[:end] for end in range(min(len(text), width), -1, -1) if text_width(text[:end]) <= width)


def fold_sentence(text: str, start: str = "", *, width: int | None) -> str:
    """Return a sentence in lines of at most ``width`` characters, broken between words; None folds nothing.

    Args:
        text: the sentence.
        start: begins the first line; the others are indented as far.
        width: see :func:`terminal_width`.
    """
    if width is None:
        return start + text
    indent = " " * len(start)
    if _is_odd(text):
        return "\n".join(f"{indent if n else start}{line}" for n, line in enumerate(_wrap(text, width - len(start))))
    lines = textwrap.wrap(
        _TIES.sub(_TIED, text),
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return "\n".join(lines).replace(_TIED, " ")


def text_width(text: str) -> int:
    """Return how many terminal columns a text takes: wide characters take two, combining and joining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.category(c) in _NARROW else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def fold(text: str, width: int) -> list[str]:
    """Return a text in lines of at most ``width`` columns, broken between words where these are not longer."""
    if text_width(text) <= width:
        return [text]
    return _wrap(text, width) if _is_odd(text) else textwrap.wrap(text, width) or [""]


def longest_word(text: str) -> int:
    """Return the columns of the longest part of a text in which :func:`fold` breaks no line if it has room."""
    words = _WORDS.findall(text) if _is_odd(text) else text.split()
    return max((text_width(word.strip()) for word in words), default=0)


def _is_odd(text: str) -> bool:
    """Check whether a text has characters that take two columns of a terminal, or none."""
    return text_width(text) != len(text)


def _wrap(text: str, width: int) -> list[str]:
    """Return a text in lines of at most ``width`` columns, broken between words or wide characters."""
    lines, line, width = [], "", max(width, 1)
    for word in _WORDS.findall(text):
        if text_width((line + word).rstrip()) <= width:
            line += word
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = word.strip()
        while text_width(line) > width:
            cut = next(end for end in range(len(line), 0, -1) if text_width(line[:end]) <= width or end == 1)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()]
