"""The quantities and variants of a table, and what they are called in it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

from ablate.errors import UnknownName
from ablate.report.formats.latex import widths
from ablate.report.formats.latex.widths import Tex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.report.formats.latex.options import TableOptions
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity
    from ablate.report.text.tables.grid import Row

T = TypeVar("T")
_BASELINE = Tex(r"\emph{(baseline)}", widths.width_of("(baseline)"))


@dataclasses.dataclass(frozen=True)
class Label:
    """The name of a row or a column: text, or LaTeX as it is; and what is added to it in the same or in a new line."""

    text: str
    is_tex: bool = False
    additions: tuple[Tex, ...] = ()

    def lines(self, width: float) -> list[Tex]:
        """Return the label in lines of at most a width in pt; LaTeX as it is has one line of its own width."""
        lines = (
            [widths.raw(self.text)]
            if self.is_tex
            else [widths.plain(line) for line in widths.lines_of(self.text, width)]
        )
        for addition in self.additions:
            together = Tex(f"{lines[-1].tex} {addition.tex}", lines[-1].width + widths.width_of(" ") + addition.width)
            if together.width <= width:
                lines[-1] = together
            else:
                lines.append(addition)
        return lines

    @property
    def tex(self) -> str:
        """The label as LaTeX, without additions."""
        return self.text if self.is_tex else widths.plain(self.text).tex

    @property
    def natural(self) -> float:
        """The width in a single line, in pt."""
        return self.lines(float("inf"))[0].width

    @property
    def least(self) -> float:
        """The width of the part that cannot be broken, in pt."""
        own = self.natural if self.is_tex else widths.longest_piece(self.text)
        return max(own, *(addition.width for addition in self.additions), 0.0)


class Labels:
    """The labels of a table; each own label must be that of a name which exists.

    Args:
        analysis: the statistics of the study.
        options: with the own labels.
        floors: the names of the study's floors.

    Raises:
        UnknownName: an own label for a name that the study does not have.
    """

    def __init__(self, analysis: Analysis, options: TableOptions, floors: Iterable[str]) -> None:
        self._analysis = analysis
        self._own = {
            **{name: Label(text) for name, text in options.labels.items()},
            **{name: Label(text, is_tex=True) for name, text in options.tex_labels.items()},
        }
        known = [*analysis.study.names, *floors, *quantity_names(analysis)]
        for name in self._own:
            if name not in known:
                raise UnknownName("name for a label", name, known, where="in this study")

    def of_name(self, name: str) -> Label:
        """Return the label of a variant or a floor."""
        return self._own.get(name, Label(name))

    def of_row(self, row: Row) -> Label:
        """Return the label of a row, with a mark of the baseline."""
        label = self.of_name(row.name)
        return dataclasses.replace(label, additions=(_BASELINE,)) if "baseline" in row.tags else label

    def of_quantity(self, quantity: Quantity) -> Label:
        """Return the label of a quantity."""
        names = [self._analysis.label(quantity), " ".join(quantity), quantity[0]]
        return next((self._own[name] for name in names if name in self._own), Label(names[0]))

    def of_column(self, quantity: Quantity) -> Label:
        """Return the label of a column: the quantity, an arrow to the better direction, and below them the unit."""
        label = self.of_quantity(quantity)
        unit, arrow = self._analysis.units[quantity], arrow_of(self._analysis, quantity)
        additions = [widths.plain(arrow)] if arrow else []
        additions += [widths.plain(f"({unit})")] if unit != "1" else []
        return dataclasses.replace(label, additions=tuple(additions))


def arrow_of(analysis: Analysis, quantity: Quantity) -> str:
    """Return an arrow to the better direction of a quantity, empty without one."""
    return {"lower": "↓", "higher": "↑"}.get(analysis.directions[quantity], "")


def quantity_names(analysis: Analysis) -> dict[str, list[Quantity]]:
    """Return the quantities that each name stands for: of a feature one, of a metric those of its headline."""
    names: dict[str, list[Quantity]] = {}
    for quantity in analysis.in_order:
        names.setdefault(quantity[0], []).append(quantity)
    for quantity in analysis.units:
        names.setdefault(analysis.label(quantity), [quantity])
        names.setdefault(" ".join(quantity), [quantity])
    return names


def chosen_quantities(analysis: Analysis, names: Sequence[str]) -> list[Quantity]:
    """Return the quantities with these names, in order, each once; without names those that the report judges.

    Raises:
        UnknownName: the study does not measure one of them.
    """
    known = quantity_names(analysis)
    return list(dict.fromkeys(q for name in names for q in _known("quantity", name, known))) or analysis.in_order


def chosen_variants(analysis: Analysis, names: Sequence[str]) -> list[str]:
    """Return the variants with these names, in order, each once; without names all.

    Raises:
        UnknownName: the study has no such variant.
    """
    known = {name: [name] for name in analysis.study.names}
    return list(dict.fromkeys(one for name in names for one in _known("variant", name, known))) or analysis.study.names


def _known(kind: str, name: str, known: Mapping[str, list[T]]) -> list[T]:
    if name not in known:
        raise UnknownName(kind, name, [*known], where="in this study")
    return known[name]
