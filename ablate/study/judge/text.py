"""The text of a table: its encoding, its separator, its rows."""

from __future__ import annotations

import codecs
import csv
import io
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.errors import TableError
from ablate.printable import from_inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The byte order marks of encodings that a file may begin with.
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: The characters that may separate the columns of a CSV file, with their names.
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


class Text(str):
    """A cell that the writer of a CSV file has marked as text, although a spreadsheet would take it for something else.

    Numbers are never marked, so ``+1`` of such a cell is a name.
    """

    __slots__ = ()


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: the number of its line in the file, from 1.
        cells: the value of each column by name.
    """

    line: int
    cells: Mapping[str, Any]


def decoded(data: bytes, source: str, encoding: str = "") -> str:
    """Return the text of a file.

    Args:
        data: the bytes of the file.
        source: the file's name, for messages.
        encoding: as Python names it (``cp1252``); by default that of the byte order mark, or else UTF-8.

    Raises:
        TableError: the bytes are no text in this encoding, or there is no such encoding.
    """
    chosen = encoding or next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(chosen)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        todo = "save it as UTF-8, or name its encoding: --encoding cp1252 (Windows) or latin-1"
        raise TableError(source, f"line {line} is not text in {chosen.upper()}; {todo}") from None
    except LookupError:
        raise TableError(source, f"unknown encoding '{encoding}'; Python's names are meant, such as cp1252") from None
    if "\0" in text:
        raise TableError(source, "is no table: it has bytes that no text has; give a CSV, JSON Lines or Parquet file")
    return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


def separator_of(text: str) -> str:
    """Return the character that separates the columns: the one that occurs most in the header outside quotes."""
    header = text.lstrip("\r\n").partition("\n")[0]
    outside = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def csv_rows(text: str, source: str, separator: str) -> tuple[list[str], list[Row], int]:
    """Return the names of the columns, the rows with text as cells, and the number of rows without any content.

    Raises:
        TableError: there is no header or no row, two columns have one name, or a row has another number of cells.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise TableError(source, f"line {reader.line_num}: {error}; check its quotes and separators") from None
    filled = [(number, cells) for number, cells in lines if any(map(str.strip, cells))]
    full = [(number, [_cell(cell.strip()) for cell in cells]) for number, cells in filled]
    if not full:
        raise TableError(source, "is empty; a table needs a header and a row for each result")
    (_, names), *body = full
    if not body:
        raise TableError(source, f"has a header and no rows (columns: {', '.join(names)})")
    for name in names:
        if names.count(name) > 1:
            raise TableError(source, f"has {names.count(name)} columns named '{name}'; rename or remove all but one")
    for number, cells in body:
        if len(cells) != len(names):
            raise TableError(source, f"line {number} has {len(cells)} cells, and the header has {len(names)}")
    rows = [Row(number, dict(zip(names, cells, strict=True))) for number, cells in body]
    # lines without any character are usual at the end of a file; separators alone are a row
    return names, rows, sum(bool(cells) for _, cells in lines) - len(full)


def _cell(text: str) -> str:
    plain = from_inert(text)
    return text if plain == text else Text(plain)


def json_rows(text: str, source: str) -> tuple[list[str], list[Row], int]:
    """Return the names of the columns, the rows, and 0; a table inside a row becomes columns named with dots.

    Raises:
        TableError: a line is no JSON object, or there is none.
    """
    rows = []
    for number, record in _records(text, source):
        if not isinstance(record, dict):
            raise TableError(source, f'line {number} is no JSON object; each line needs one, such as {{"loss": 0.5}}')
        rows.append(Row(number, dict(_flat(record))))
    if not rows:
        raise TableError(source, "is empty; JSON Lines need an object on each line")
    names = list(dict.fromkeys(name for row in rows for name in row.cells))
    return names, [Row(row.line, {name: row.cells.get(name) for name in names}) for row in rows], 0


def _records(text: str, source: str) -> Iterator[tuple[int, Any]]:
    """Yield each record with its line; of a single list, with its place in the list."""
    try:
        if text.lstrip().startswith("["):
            yield from enumerate(json.loads(text), 1)
            return
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield number, json.loads(line)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}" if text.lstrip().startswith("[") else f"line {number}"
        raise TableError(source, f"{where} is not valid JSON: {error.msg}") from None


def _flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value) if isinstance(value, list) else value
