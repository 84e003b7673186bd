"""The content of a LaTeX table, and its greatest width."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from ablate.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Intervals = Literal["brackets", "pm", "none"]
Caption = Literal["full", "short", "none"]
INTERVALS: tuple[Intervals, ...] = get_args(Intervals)
CAPTIONS: tuple[Caption, ...] = get_args(Caption)

#: Width of the text of a paper of one column, in pt: NeurIPS and ICLR have 5.5 inches.
ONE_COLUMN = 397.0
#: Width of a column of a paper of two columns, in pt: ISMIR has 8.2 cm, ICML 3.25 inches, IEEE 3.5 inches.
TWO_COLUMNS = 233.0
#: Width across both columns of such a paper, in pt: ICML has 6.75 inches, ISMIR 17.2 cm.
SPANNING = 487.0


@dataclasses.dataclass(frozen=True)
class TableOptions:
    r"""Options of a LaTeX table; the default shows everything that the report's table of values shows.

    Args:
        quantities: names of quantities, in order (``"distance.average"``, or ``"distance.pitch l1"`` for one feature);
            default: those that the report judges.
        variants: names of variants, in order; default: all.
        labels: own names of variants, floors and quantities, by their name; text, in which nothing is LaTeX.
        tex_labels: the same, but written as they are, such as ``{"tau=0.8": r"$\tau = 0.8$"}``.
        floors: whether the floors are shown, below the variants.
        intervals: ``brackets``: the ends of the 95 % interval; ``pm``: ± half its width; ``none``: no intervals.
        marks: whether a superscript shows the verdict against the baseline.
        columns: 1 or 2, the columns of the paper. They decide the width.
        span: with 2 columns: a ``table*`` across both.
        width: the greatest width in pt, instead of that of the columns.
        caption: ``full``: the question, the intervals, the marks and the rules of the verdicts; ``short``: without the
            rules, which are a comment in the file; ``none``: only the question.
        title: first sentence of the caption, instead of the question of the study.

    Raises:
        UsageError: a value that is not possible.
    """

    quantities: Sequence[str] = ()
    variants: Sequence[str] = ()
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tex_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    floors: bool = True
    intervals: Intervals = "brackets"
    marks: bool = True
    columns: Literal[1, 2] = 1
    span: bool = False
    width: float | None = None
    caption: Caption = "short"
    title: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        for name, value, offered in (
            ("intervals", self.intervals, INTERVALS),
            ("caption", self.caption, CAPTIONS),
            ("columns", self.columns, (1, 2)),
        ):
            if value not in offered:
                listed = ", ".join(map(str, offered))
                raise UsageError(
                    f"{name}: {value!r} is not possible{_suggestion(value, offered)} Choose one of {listed}"
                )
        if self.span and self.columns == 1:
            raise UsageError("span: only a paper of two columns has a table across both; use it with 2 columns")
        if self.width is not None and not 0 < self.width < math.inf:
            raise UsageError(f"width: {self.width:g} pt is not possible; give the width of the text or column in pt")
        for name in sorted(set(self.labels) & set(self.tex_labels)):
            raise UsageError(f"'{name}' has a label and a LaTeX label; leave out one of them")

    @property
    def most(self) -> float:
        """The greatest width of the table, in pt."""
        if self.width is not None:
            return self.width
        if self.span:
            return SPANNING
        return ONE_COLUMN if self.columns == 1 else TWO_COLUMNS

    @property
    def environment(self) -> str:
        """The float that contains the table."""
        return "table*" if self.span else "table"


def _suggestion(value: Any, offered: Sequence[Any]) -> str:
    return did_you_mean(str(value), [str(one) for one in offered]) or "."
