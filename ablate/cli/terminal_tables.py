"""Tables for a terminal, as plain lines.

They are not rich's: importing rich and drawing one of its tables takes as long as the rest of ``ablate plugin list``.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ablate.cli.folding import NARROWEST, fold, fold_sentence, longest_word, text_width
from ablate.cli.streams import visible
from ablate.stdout import results

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Spaces between two columns, the preferred number first.
_GAPS = (3, 2, 1)
#: A column of sentences that has less room than this is below the rows, with this before each line.
_PROSE, _INDENT = 36, " " * 4
#: Tables of more columns than this are lists of cells where words would be broken otherwise.
_FEW = 2


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
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: int = 0,
    width: int | None = None,
    prose: int | None = None,
    path: int | None = None,
) -> str:
    """Return a table as text.

    Where columns are so narrow that words would be broken, each row becomes a list of its cells, one below another.

    Args:
        headers: of the columns.
        rows: cells, as text; None is an empty cell.
        right: number of columns at the end that are aligned to the right.
        width: characters in a line; cells are folded to fit. None folds nothing.
        prose: index of a column of sentences; in a narrow terminal, each of them is below its row.
        path: index of a column of paths, which are never folded: nobody could copy them. Where it does not fit, each
            of them is below its row, in one line. Not with ``prose``.
    """
    cells = [[_one_line(cell) for cell in row] for row in (headers, *rows)]
    widths, gap = [max(map(text_width, column)) for column in zip(*cells, strict=True)], _GAPS[0]
    if width is not None:
        natural, (widths, gap) = widths, _fit(cells, widths, width, right)
        if prose is not None and widths[prose] < min(natural[prose], _PROSE):
            return _below(cells, prose, right, width)
        if path is not None and widths[path] < natural[path]:
            return _below(cells, path, right, width, folded=False)
        room = width - 1 - max(map(text_width, cells[0])) - _GAPS[0]
        if len(headers) > _FEW and len(cells) > 1 and room >= NARROWEST and _breaks_words(cells, widths):
            return _stacked(cells, room)
    header, *body = (_lines(row, widths, gap, right) for row in cells)
    return "\n".join([*header, _rule(widths, gap), *(line for lines in body for line in lines)])


def _below(cells: Sequence[Sequence[str]], lower: int, right: int, width: int, *, folded: bool = True) -> str:
    """Return a table in which the cells of the column ``lower`` are below their rows, folded or in one line each."""
    rest = [[cell for column, cell in enumerate(row) if column != lower] for row in cells]
    widths, gap = _fit(rest, [max(map(text_width, column)) for column in zip(*rest, strict=True)], width, right)
    blocks = [
        [
            *_lines(row, widths, gap, right),
            *([fold_sentence(whole[lower], _INDENT, width=width if folded else None)] if whole[lower] else []),
        ]
        for row, whole in zip(rest, cells, strict=True)
    ]
    return "\n".join([*blocks[0], _rule(widths, gap), *(line for block in blocks[1:] for line in block)])


def _breaks_words(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> bool:
    """Check whether columns of these widths are too narrow for a word in one of their cells."""
    columns = zip(*cells, strict=True)
    return any(_longest_word(column) > width for column, width in zip(columns, widths, strict=True))


def _stacked(cells: Sequence[Sequence[str]], room: int) -> str:
    """Return rows as lists of their cells, each next to its header, with lines between the rows; empty cells have none.

    Args:
        cells: the headers, then the rows.
        room: columns for a cell.
    """
    headers, *rows = cells
    widths, gap = [max(map(text_width, headers)), room], _GAPS[0]
    blocks = [
        [line for pair in zip(headers, row, strict=True) if pair[1] for line in _lines(pair, widths, gap, 0)]
        for row in rows
    ]
    rule = f"\n{_rule(widths, gap)}\n"
    return rule.join("\n".join(block) for block in blocks if block)


def _rule(widths: Sequence[int], gap: int) -> str:
    return " " + "─" * (sum(widths) + gap * (len(widths) - 1))


def table_width(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Return how many characters the lines of a table need if no cell is folded."""
    columns = zip(*([_one_line(cell) for cell in row] for row in (headers, *rows)), strict=True)
    widths = [max(map(text_width, column)) for column in columns]
    return 1 + sum(widths) + _GAPS[0] * (len(widths) - 1)


def _lines(row: Sequence[str], widths: Sequence[int], gap: int, right: int) -> list[str]:
    """Return the lines of one row, its cells folded and padded."""
    columns = [fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    left = len(widths) - right
    lines = []
    for parts in itertools.zip_longest(*columns, fillvalue=""):
        padded = [_pad(part, widths[i], right=i >= left) for i, part in enumerate(parts)]
        lines.append(" " + (" " * gap).join(padded).rstrip())
    return lines


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - text_width(text))
    return space + text if right else text + space


def _whole(cells: Sequence[Sequence[str]], last: int) -> list[int]:
    """Return the least widths of columns without a broken word, and in the last columns without a folded cell."""
    columns = list(zip(*cells, strict=True))
    words = [_longest_word(column) for column in columns]
    needed = [
        max(least, NARROWEST, *(map(text_width, column[1:]) if index >= len(columns) - last else ()))
        for index, (least, column) in enumerate(zip(words, columns, strict=True))
    ]
    return [min(least, max(map(text_width, column))) for least, column in zip(needed, columns, strict=True)]


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
        fitted = _narrow(widths, [max(least, NARROWEST) for least in minimum], room)
        if sum(fitted) <= room:
            break
    return fitted, gap


def _longest_word(texts: Iterable[str]) -> int:
    return max(map(longest_word, texts))


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


def _one_line(cell: object) -> str:
    return "" if cell is None else visible(str(cell), results())
