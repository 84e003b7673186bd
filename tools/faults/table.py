"""The counts of a campaign as a table for docs/reliability.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_BETWEEN = re.compile("(<!-- faults -->\n).*?(<!-- end of faults -->)", re.DOTALL)


def table(rows: Iterable[tuple[str, str, int, int, int]]) -> str:
    """Return rows of (name, fault, faults, studies, problems) as Markdown."""
    lines = ["| fault | `make faults KIND=` | faults | studies | wrong |", "|---|---|--:|--:|--:|"]
    lines += [
        f"| {about} | `{name}` | {faults} | {studies} | {wrong} |" for name, about, faults, studies, wrong in rows
    ]
    return "\n".join(lines)


def write_table(text: str) -> None:
    """Put a table between the markers of docs/reliability.md."""
    before = PAGE.read_text(encoding="utf-8")
    after = _BETWEEN.sub(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", before)
    PAGE.write_text(after, encoding="utf-8")
