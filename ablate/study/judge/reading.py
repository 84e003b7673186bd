"""Read a table of results: CSV, JSON Lines or Parquet."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError, TableError
from ablate.files import read_file
from ablate.printable import printable
from ablate.study.judge.text import SEPARATORS, Row, Text, csv_rows, decoded, json_rows, separator_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
#: Texts of cells without a value, in lower case.
NO_VALUE = ("", "nan", "na", "n/a", "null", "none", "-", "\N{EN DASH}")


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of results.

    Attributes:
        source: the name of its file, for messages.
        names: of the columns, in order.
        rows: at least one.
        digest: SHA-256 of the file, in hex.
        notes: what a reader should know about the file, one line each.
        row: what a row is called: a ``line`` of a file, a ``trial``, a ``run``.
    """

    source: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    digest: str
    notes: tuple[str, ...] = ()
    row: str = "line"

    def noted(self, notes: Iterable[str]) -> Table:
        """Return the table with more notes."""
        return dataclasses.replace(self, notes=(*self.notes, *notes))

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        return [row.cells[name] for row in self.rows]


def number(cell: Any) -> float | None:
    """Return the number in a cell; NaN in a cell without a value, None in one with other text."""
    if isinstance(cell, bool | Text):
        return None
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in NO_VALUE):
        return math.nan
    try:
        return None if isinstance(cell, str) and "_" in cell else float(cell)  # 1_2 is a name, not 12
    except (TypeError, ValueError):
        return None


def is_empty(cell: Any) -> bool:
    """Return whether a cell has no value."""
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def in_one_line(cell: Any) -> str:
    """Return a cell as a name: in one line, with single spaces, and printable."""
    return printable(" ".join(str(cell).split()))


def read_table(path: Path, encoding: str = "") -> Table:
    """Read a table; its format follows from its content, or from the ending of its name.

    Args:
        path: of a CSV file (separated by commas, semicolons, tabs or bars), JSON Lines, or Parquet.
        encoding: of a text file; by default UTF-8, or the one of its byte order mark.

    Raises:
        TableError: the file cannot be read, or is no table.
        AblateError: it is Parquet, and pyarrow is not installed.
    """
    source = str(path)
    try:
        data = read_file(path)
    except IsADirectoryError:
        raise TableError(source, "is a folder; give a table, or a folder of MIDI files with --midi") from None
    except OSError as error:
        raise TableError(source, f"cannot be read: {error.strerror or error}") from None
    digest = hashlib.sha256(data).hexdigest()
    if not data.strip():
        raise TableError(source, "is empty; a table needs a header and a row for each result")
    if data.startswith(b"PK\x03\x04"):
        raise TableError(source, "is an Excel workbook or another archive; save the sheet as CSV")
    if data.startswith(b"PAR1"):
        names, rows = _parquet(path)
        return _checked(Table(source, tuple(names), tuple(rows), digest))
    text = decoded(data, source, encoding)
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson") or text.lstrip().startswith("{"):
        names, rows, _ = json_rows(text, source)
        return _checked(Table(source, tuple(names), tuple(rows), digest))
    return _csv(text, source, digest)


def _csv(text: str, source: str, digest: str) -> Table:
    separator = separator_of(text)
    names, rows, empty = csv_rows(text, source, separator)
    notes = []
    if separator != ",":
        notes.append(f"columns are separated by {SEPARATORS[separator]}")
        commas = _decimal_commas(names, rows)
        if commas:
            notes.append(f"decimal commas in {', '.join(commas)}: 0,5 is read as 0.5")
            rows = [Row(row.line, {name: _point(row.cells, name, commas) for name in names}) for row in rows]
    if empty:
        notes.append(f"{empty} empty row{'' if empty == 1 else 's'} left out")
    return _checked(Table(source, tuple(names), tuple(rows), digest, tuple(notes)))


def _decimal_commas(names: Iterable[str], rows: Sequence[Row]) -> list[str]:
    """Return the columns whose numbers have decimal commas: some cells do, and no number has a point."""
    found = []
    for name in names:
        cells = [row.cells[name] for row in rows]
        some = any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells)
        if some and not any("." in cell and number(cell) is not None for cell in cells):
            found.append(name)
    return found


def _point(cells: Any, name: str, commas: Sequence[str]) -> Any:
    cell = cells[name]
    return cell.replace(",", ".") if name in commas and _DECIMAL_COMMA.fullmatch(cell) else cell


def _checked(table: Table) -> Table:
    """Return the table with names in one line, and without columns that have none.

    Such columns hold only the numbers of rows, as pandas writes them.
    """
    names = [in_one_line(name) for name in table.names]
    if names != list(table.names) and len(set(names)) == len(names):
        cells = dict(zip(table.names, names, strict=True))
        rows = tuple(Row(row.line, {cells[key]: cell for key, cell in row.cells.items()}) for row in table.rows)
        table = dataclasses.replace(table, names=tuple(names), rows=rows)
    unnamed = [name for name in table.names if name == "" or name.startswith(("Unnamed: ", "__index_level_"))]
    if not unnamed:
        return table
    kept = [name for name in table.names if name not in unnamed]
    rows = tuple(Row(row.line, {name: row.cells[name] for name in kept}) for row in table.rows)
    count = "1 column" if len(unnamed) == 1 else f"{len(unnamed)} columns"
    notes = (*table.notes, f"{count} without a name left out")
    return dataclasses.replace(table, names=tuple(kept), rows=rows, notes=notes)


def _parquet(path: Path) -> tuple[list[str], list[Row]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise AblateError("reading Parquet needs pyarrow: pip install 'ablate-music[parquet]'") from error
    try:
        columns = pq.read_table(path).to_pydict()
    except (pa.ArrowException, OSError) as error:
        raise TableError(str(path), f"is no readable Parquet file: {str(error).splitlines()[0]}") from None
    names = [str(name) for name in columns]
    rows = [
        Row(line, dict(zip(names, cells, strict=True)))
        for line, cells in enumerate(zip(*columns.values(), strict=True), 1)
    ]
    if not rows:
        raise TableError(str(path), f"has no rows (columns: {', '.join(names)})")
    return names, rows
