"""The counts of a campaign as a table for docs/explanation/reliability.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    #: The name of a kind, its fault, and the numbers of faults, of studies and of those where something was wrong.
    Row = tuple[str, str, int, int, int]

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "reliability.md"
_HEAD = ["| fault | `make faults KIND=` | faults | studies | wrong |", "|---|---|--:|--:|--:|"]
_BETWEEN = re.compile("(<!-- faults -->\n).*?(<!-- end of faults -->)", re.DOTALL)
_ROW = re.compile(r"^\| .* \| `(.+)` \| .* \|$", re.MULTILINE)


def table(rows: Iterable[Row]) -> str:
    """Return rows as Markdown."""
    return "\n".join([*_HEAD, *map(_line, rows)])


def _line(row: Row) -> str:
    name, about, faults, studies, wrong = row
    return f"| {about} | `{name}` | {faults} | {studies} | {wrong} |"


def write_table(rows: Iterable[Row], order: Sequence[str]) -> None:
    """Put rows between the markers of the page; the rows of other kinds in ``order`` stay as they are."""
    before = PAGE.read_text(encoding="utf-8")
    between = _BETWEEN.search(before)
    lines = {row[1]: row[0] for row in _ROW.finditer(between[0] if between else "")}
    lines |= {row[0]: _line(row) for row in rows}
    text = "\n".join([*_HEAD, *(lines[name] for name in order if name in lines)])
    PAGE.write_text(_BETWEEN.sub(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", before), encoding="utf-8")
