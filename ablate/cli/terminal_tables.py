"""Tables for a terminal, as plain lines.

They are not rich's: importing rich and drawing one of its tables takes as long as the rest of ``ablate plugin list``.
"""

from __future__ import annotations

import itertools
import os
import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING

from ablate.cli.streams import visible
from ablate.stdout import results

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Spaces between two columns, the preferred number first.
_GAPS = (3, 2, 1)
#: The width of a terminal that does not report its own.
_TERMINAL = 80
#: No name is shortened, and no column folded, to fewer characters than this.
_NARROWEST = 8
#: The categories of characters that take no column.
_NARROW = ("Mn", "Me", "Cf")
#: Spaces, words, and wide characters, between which a line may end.
_WIDE = "\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\U0001f300-\U0001faff"
_WORDS = re.compile(rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+")


def render_tables(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, parts: int, right: int = 0, width: int | None = None
) -> str:
    """Return a table as text, divided into several below each other if its lines would be too long.

    Each of them begins with the same columns, and the last ``parts`` columns are divided among them: as many in each
    as fit without folding their cells. The other arguments are those of :func:`render_table`.
    """
    cells = [[_one_line(cell) for cell in row] for row in (headers, *rows)]
    first = len(headers) - parts
    needed = _whole(cells, parts)
    tables: list[list[int]] = [[]]
    for column in range(first, len(headers)):
        columns = [*range(first), *tables[-1], column]
        if width is not None and tables[-1] and sum(needed[i] + _GAPS[-1] for i in columns) - _GAPS[-1] >= width:
            tables.append([])
        tables[-1].append(column)
    return "\n\n".join(
        render_table(
            [cells[0][i] for i in (*range(first), *table)],
            [[row[i] for i in (*range(first), *table)] for row in cells[1:]],
            right=min(right, len(table)) if parts else right,
            width=width,
        )
        for table in tables
    )


def render_table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: int = 0, width: int | None = None
) -> str:
    """Return a table as text.

    Args:
        headers: of the columns.
        rows: cells, as text; None is an empty cell.
        right: number of columns at the end that are aligned to the right.
        width: characters in a line; cells are folded to fit. None folds nothing.
    """
    cells = [[_one_line(cell) for cell in row] for row in (headers, *rows)]
    widths, gap = [max(map(_width, column)) for column in zip(*cells, strict=True)], _GAPS[0]
    if width is not None:
        widths, gap = _fit(cells, widths, width, right)
    header, *body = (_lines(row, widths, gap, right) for row in cells)
    rule = " " + "─" * (sum(widths) + gap * (len(widths) - 1))
    return "\n".join([*header, rule, *(line for lines in body for line in lines)])


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


def shortened(name: str, width: int | None) -> str:
    """Return a name with its middle left out if it is wider than ``width``; a few characters always stay."""
    if width is None or _width(name) <= max(width, _NARROWEST):
        return name
    kept = max(width, _NARROWEST) - 1
    return f"{_beginning(name, (kept + 1) // 2)}…{_beginning(name[::-1], kept // 2)[::-1]}"


def _beginning(text: str, width: int) -> str:
    """Return the longest beginning of at most ``width`` columns."""
    return next(text[:end] for end in range(min(len(text), width), -1, -1) if _width(text[:end]) <= width)


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
    return textwrap.fill(
        text, width, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def _lines(row: Sequence[str], widths: Sequence[int], gap: int, right: int) -> list[str]:
    """Return the lines of one row, its cells folded and padded."""
    columns = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    left = len(widths) - right
    lines = []
    for parts in itertools.zip_longest(*columns, fillvalue=""):
        padded = [_pad(part, widths[i], right=i >= left) for i, part in enumerate(parts)]
        lines.append(" " + (" " * gap).join(padded).rstrip())
    return lines


def _one_line(cell: object) -> str:
    return "" if cell is None else visible(str(cell), results())


def _width(text: str) -> int:
    """Return how many terminal columns a text takes: wide characters take two, combining and joining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.category(c) in _NARROW else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _whole(cells: Sequence[Sequence[str]], last: int) -> list[int]:
    """Return the least widths of columns without a broken word, and in the last columns without a folded cell."""
    columns = list(zip(*cells, strict=True))
    words = [_longest_word(column) for column in columns]
    needed = [
        max(least, _NARROWEST, *(map(_width, column[1:]) if index >= len(columns) - last else ()))
        for index, (least, column) in enumerate(zip(words, columns, strict=True))
    ]
    return [min(least, max(map(_width, column))) for least, column in zip(needed, columns, strict=True)]


def _fit(cells: Sequence[Sequence[str]], widths: list[int], width: int, right: int) -> tuple[list[int], int]:
    """Return widths of columns, and a gap between them, that fit into ``width`` characters if any do.

    Cells of the ``right`` last columns are folded only where smaller gaps are not enough, words are broken after
    that, and those of the headers last.
    """
    words = [_longest_word(column) for column in zip(*cells, strict=True)]
    headers = [_longest_word([header]) for header in cells[0]]
    layouts = [(minimum, gap) for minimum in (_whole(cells, right), words, headers, [0] * len(words)) for gap in _GAPS]
    for minimum, gap in layouts:
        room = width - 1 - gap * (len(widths) - 1)
        fitted = _narrow(widths, [max(least, _NARROWEST) for least in minimum], room)
        if sum(fitted) <= room:
            break
    return fitted, gap


def _longest_word(texts: Iterable[str]) -> int:
    return max(_width(word) for text in texts for word in text.split() or [""])


def _narrow(widths: list[int], narrowest: list[int], room: int) -> list[int]:
    """Narrow the widest columns until all fit into ``room`` characters, or none can be narrowed further."""
    widths = list(widths)
    while sum(widths) > room:
        wide = [i for i, width in enumerate(widths) if width > narrowest[i]]
        if not wide:
            break
        widest = max(widths[i] for i in wide)
        columns = [i for i in wide if widths[i] == widest]
        below = max([widths[i] for i in wide if widths[i] < widest] + [narrowest[i] for i in columns])
        cut = min(widest - below, max(1, (sum(widths) - room) // len(columns)))
        for i in columns:
            widths[i] -= cut
    return widths


def _fold(text: str, width: int) -> list[str]:
    if _width(text) <= width:
        return [text]
    return _wrap(text, width) if _is_odd(text) else textwrap.wrap(text, width) or [""]


def _is_odd(text: str) -> bool:
    """Check whether a text has characters that take two columns of a terminal, or none."""
    return _width(text) != len(text)


def _wrap(text: str, width: int) -> list[str]:
    """Return a text in lines of at most ``width`` columns, broken between words or wide characters."""
    lines, line = [], ""
    for word in _WORDS.findall(text):
        if _width((line + word).rstrip()) <= width:
            line += word
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = word.strip()
        while _width(line) > width:
            cut = next(end for end in range(len(line), 0, -1) if _width(line[:end]) <= width or end == 1)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()]
