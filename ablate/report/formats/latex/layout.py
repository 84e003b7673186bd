"""Columns and rows as parts that fit a width, and floats that fit a page."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import UsageError
from ablate.report.formats.latex.widths import guarded, stacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.report.formats.latex.names import Label
    from ablate.report.formats.latex.widths import Tex

#: Half the space between two columns, in pt; the table sets it.
SEPARATION = 4.0
#: Height of a line of ``\\small``, in pt.
LINE = 11.0
#: Height of a rule with the space around it, in pt.
_RULE = 4.5
#: Height between two parts, in pt.
_GAP = 12.0
#: The greatest share of the width that names take before they are broken into lines.
_NAMES = 0.45
#: The greatest error of an estimated width, in pt.
_ROUNDING = 1.0
#: The difference between the widths of names that are tried, in pt.
_STEP = 10.0
#: The narrowest column of names, in pt.
_NARROWEST = 40.0


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A table of any width.

    Attributes:
        names: of the rows; those from ``floors`` on are floors.
        heads: of the columns.
        cells: by row and column.
        floors: number of the first floor; the number of rows without any.
    """

    names: Sequence[Label]
    heads: Sequence[Label]
    cells: Sequence[Sequence[Tex]]
    floors: int


class Column(NamedTuple):
    """A column: the lines of its head, and its width in pt."""

    head: list[Tex]
    width: float


class Part(NamedTuple):
    """A part of a table: numbers of its columns and rows, and its width and height in pt."""

    columns: range
    rows: range
    width: float
    height: float


class Layout(NamedTuple):
    """Names and columns, each with its lines, and the parts in each float."""

    names: list[list[Tex]]
    columns: list[Column]
    floats: list[list[Part]]


def arrange(sheet: Sheet, most: float, rooms: tuple[float, float]) -> Layout:
    """Divide a table into parts below each other that fit a width, and these into floats that fit a page.

    Args:
        sheet: the table.
        most: the greatest width of a part, in pt.
        rooms: the height that the parts of the first float can have, and those of every other one, in pt.

    Raises:
        UsageError: a single column does not fit beside the names.
    """
    room = most - _ROUNDING
    beside = room - 2 * SEPARATION - _least(sheet)
    columns = [_column(sheet, index, beside) for index in range(len(sheet.heads))]
    if _name_width(sheet, columns, room) < _least(sheet):
        raise _too_narrow(sheet, columns, most)
    names, groups = _names_and_groups(sheet, columns, room)
    width = _widest(names)
    parts = [
        part
        for chosen in groups
        for part in _in_rows(
            sheet, names, [columns[index] for index in chosen], chosen, width, rooms[chosen.start > 0 :]
        )
    ]
    return Layout(names, columns, list(_floats(parts, rooms)))


def _column(sheet: Sheet, index: int, most: float) -> Column:
    """Break the head of a column into lines as wide as its values, or as its longest word where that fits."""
    label, values = sheet.heads[index], max(row[index].width for row in sheet.cells)
    head = label.lines(max(values, min(label.least, most)))
    return Column(head, max(values, *(line.width for line in head)))


def _names_and_groups(sheet: Sheet, columns: Sequence[Column], room: float) -> tuple[list[list[Tex]], list[range]]:
    """Break names into lines, and columns into groups; names are broken further where this needs fewer groups."""
    width = _name_width(sheet, columns, room)
    longest = max(label.least for label in sheet.names)
    candidates = [width]
    while candidates[-1] - _STEP > max(longest, _least(sheet)):
        candidates.append(candidates[-1] - _STEP)
    if longest < candidates[-1]:
        candidates.append(max(longest, _least(sheet)))
    tried = []
    for candidate in candidates:
        names = [label.lines(candidate) for label in sheet.names]
        tried.append((names, _groups([column.width + 2 * SEPARATION for column in columns], room - _widest(names))))
    return min(tried, key=lambda one: len(one[1]))


def _widest(names: Sequence[list[Tex]]) -> float:
    return max(line.width for lines in names for line in lines)


def _name_width(sheet: Sheet, columns: Sequence[Column], room: float) -> float:
    """Return the width of the names: their own, or less if they would take too much of the room."""
    beside = room - max(column.width for column in columns) - 2 * SEPARATION
    return min(max(label.natural for label in sheet.names), beside, max(_NAMES * room, _least(sheet)))


def _least(sheet: Sheet) -> float:
    """Return the least width of the names: LaTeX as it is cannot be broken into lines."""
    unbroken = max((label.natural for label in sheet.names if label.is_tex), default=0.0)
    return max(unbroken, min(_NARROWEST, max(label.natural for label in sheet.names)))


def _too_narrow(sheet: Sheet, columns: Sequence[Column], most: float) -> UsageError:
    widest = max(range(len(columns)), key=lambda index: columns[index].width)
    needed = columns[widest].width + 2 * SEPARATION + _least(sheet) + _ROUNDING
    return UsageError(
        f"width: {most:g} pt is too narrow for the column '{sheet.heads[widest].text}', which needs "
        f"{math.ceil(needed)} pt with the names beside it; use a larger width, shorter labels or no intervals"
    )


def _groups(widths: Sequence[float], room: float) -> list[range]:
    """Divide columns into the fewest groups that fit, of equal size if these fit too."""
    starts, filled = [0], 0.0
    for index, width in enumerate(widths):
        if filled and filled + width > room:
            starts.append(index)
            filled = 0.0
        filled += width
    count, number = len(widths), len(starts)
    even = [math.ceil(place * count / number) for place in range(number)]
    for candidate in (even, starts):
        groups = [range(a, b) for a, b in zip(candidate, [*candidate[1:], count], strict=True)]
        if all(sum(widths[index] for index in group) <= room for group in groups):
            return groups
    return [range(index, index + 1) for index in range(count)]


def _in_rows(
    sheet: Sheet,
    names: Sequence[list[Tex]],
    columns: Sequence[Column],
    chosen: range,
    width: float,
    rooms: Sequence[float],
) -> Iterator[Part]:
    """Divide the rows of a group of columns into parts that fit the heights of floats, the last of which repeats."""
    total = width + sum(column.width + 2 * SEPARATION for column in columns)
    head = max(len(column.head) for column in columns) * LINE + 3 * _RULE + _GAP
    start, height, room = 0, head, rooms[0]
    for index, lines in enumerate(names):
        own = len(lines) * LINE + _RULE * (index == sheet.floors)
        if index > start and height + own > room:
            yield Part(chosen, range(start, index), total, height)
            start, height, room = index, head, rooms[-1]
        height += own
    yield Part(chosen, range(start, len(names)), total, height)


def _floats(parts: Sequence[Part], rooms: tuple[float, float]) -> Iterator[list[Part]]:
    current: list[Part] = []
    room = rooms[0]
    for part in parts:
        if current and sum(each.height for each in current) + part.height > room:
            yield current
            current, room = [], rooms[1]
        current.append(part)
    yield current


def tabular(layout: Layout, part: Part, cells: Sequence[Sequence[Tex]], floors: int) -> list[str]:
    """Return the lines of the LaTeX of a part."""
    heads = [stacked(layout.columns[index].head, align="r", position="b") for index in part.columns]
    lines = [
        rf"\begin{{tabular}}{{@{{}}l{'r' * len(part.columns)}@{{}}}}",
        r"\toprule",
        rf"{' & '.join(['', *(head.tex for head in heads)])} \\",
        r"\midrule",
    ]
    for index in part.rows:
        if index == floors and index > part.rows.start:
            lines.append(r"\midrule")
        name = stacked(layout.names[index], align="l", position="t")
        lines.append(rf"{' & '.join([guarded(name.tex), *(cells[index][column].tex for column in part.columns)])} \\")
    return [*lines, r"\bottomrule", r"\end{tabular}"]
