"""Tables of text, as plain lines.

Not rich's: loading it and drawing a table takes as long as all the rest of ``ablate plugin list``.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "   "
#: No column is folded to fewer characters than this.
_NARROWEST = 8


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, right: int = 0, width: int | None = None) -> str:
    """A table; the last ``right`` columns are aligned to the right.

    Args:
        headers: of the columns.
        rows: cells, as text; None is an empty one.
        right: how many columns at the end are aligned to the right.
        width: characters in a line; cells are folded to fit. None folds nothing.
    """
    cells = [list(headers), *([_one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        widths = _narrowed(widths, width - 1 - len(_GAP) * (len(widths) - 1))
    left = len(widths) - right
    lines: list[str] = []
    for number, row in enumerate(cells):
        folded = [_folded(cell, size) for cell, size in zip(row, widths, strict=True)]
        for i in range(max(map(len, folded))):
            parts = [part[i] if i < len(part) else "" for part in folded]
            padded = [_padded(part, widths[place], right=place >= left) for place, part in enumerate(parts)]
            lines.append(" " + _GAP.join(padded).rstrip())
        if number == 0:
            lines.append(" " + "─" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    return "\n".join(lines)


def terminal_width() -> int | None:
    """Of standard output; None for a pipe, which has none, and where folded cells are no use to grep."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _one_line(cell: object) -> str:
    return "" if cell is None else " ".join(str(cell).splitlines())


def _width(text: str) -> int:
    """Columns of a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _narrowed(widths: list[int], room: int) -> list[int]:
    """The widest columns made narrower until all fit into ``room`` characters, or none can be any more."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widest = max(widths)
        places = [i for i, width in enumerate(widths) if width == widest]
        below = max([width for width in widths if width < widest] + [_NARROWEST])
        cut = min(widest - below, max(1, (sum(widths) - room) // len(places)))
        for place in places:
            widths[place] -= cut
    return widths


def _folded(text: str, width: int) -> list[str]:
    if _width(text) <= width:
        return [text]
    # wide characters take two columns, so that many fewer may stand in a line
    share = len(text) / _width(text)
    return textwrap.wrap(text, max(1, int(width * share))) or [""]
