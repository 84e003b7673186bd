"""A grid: a table with a caption, as the page, Markdown and LaTeX print it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from ablate.report.statistics.described.summary import NOTHING
from ablate.report.statistics.doubts import only

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

MINUS = "\N{MINUS SIGN}"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell: its text, an addition in small print, its verdict or kind, and the number that it is sorted by.

    A value with an interval has its two ends too, and the digits that both are printed with.
    """

    text: str
    small: str = ""
    kind: str = ""
    sort: float | None = None
    ends: tuple[float, float] | None = None
    digits: int = 0


#: The cell of a quantity without measurements.
EMPTY = Cell(NOTHING)


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: its title, a note in small print, and whether its cells contain words."""

    title: str
    note: str = ""
    words: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    """A row: its name, its cells, tags after the name (``baseline``), and its kind (``floor``)."""

    name: str
    cells: tuple[Cell, ...]
    tags: tuple[str, ...] = ()
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class Grid:
    """A table; it is false without rows."""

    caption: str
    first: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    foot: str = ""

    def __bool__(self) -> bool:
        return bool(self.rows)


def quantity_columns(
    analysis: Analysis, quantities: Iterable[Quantity], *, features: bool = False, roles: bool = False
) -> tuple[Column, ...]:
    """Return a column for each quantity, with its unit and better direction.

    Args:
        analysis: the statistics of the study.
        quantities: in order.
        features: name them by feature only.
        roles: add their roles, and the pieces that they are measured on if these are few.
    """
    columns = []
    for quantity in quantities:
        direction, unit = analysis.directions[quantity], analysis.units[quantity]
        better = f"{direction} is better" if direction in ("lower", "higher") else ""
        title = quantity[1] if features else analysis.label(quantity)
        notes = (analysis.role_of[quantity], only(analysis.few_pieces[quantity])) if roles else ()
        columns.append(Column(title, ", ".join(filter(None, (unit if unit != "1" else "", better, *notes)))))
    return tuple(columns)


def variant_tags(analysis: Analysis, name: str) -> tuple[str, ...]:
    """Return the tags of a variant: whether it is the baseline, and whether it copies more."""
    tags = ("baseline",) if name in analysis.study.baselines.values() else ()
    return (*tags, "copies more") if name in analysis.better_by_copying else tags


def number(value: float, digits: int) -> str:
    """Return a number as tables print it; a dash for NaN."""
    return NOTHING if math.isnan(value) else f"{value:,.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int) -> str:
    """Return a number with its sign, as tables print it."""
    return f"{value:+,.{digits}f}".replace("-", MINUS)
