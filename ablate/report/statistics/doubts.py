"""Reasons to read the verdicts of a quantity with care: what the values of its variants look like.

The sign-flip test is about whole distributions: if two variants have one mean but one of them is sometimes much worse,
it may call the other one better. See docs/explanation/statistics/differences.md for how often that happens and how
often it is found here.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.report.statistics.inference import doubts

if TYPE_CHECKING:
    from collections.abc import Collection

    from ablate.report.statistics.replicates import Replicates


@dataclasses.dataclass(frozen=True)
class Doubts:
    """Reasons for care with one quantity.

    Attributes:
        leaning: whether the values lean to one side.
        outlying: the variants with a replicate far from their others.
        missing: the variants without a value in some replicate that others have, each with the number of those.
        few: the validation or test pieces that the quantity is measured on, if these are few: ``"2 test pieces"``.
    """

    leaning: bool = False
    outlying: tuple[str, ...] = ()
    missing: tuple[tuple[str, int], ...] = ()
    few: str = ""

    def __bool__(self) -> bool:
        return self.leaning or bool(self.outlying or self.missing or self.few)

    def about(self, variants: Collection[str]) -> Doubts:
        """Return the reasons that concern these variants."""
        outlying = tuple(name for name in self.outlying if name in variants)
        missing = tuple(each for each in self.missing if each[0] in variants)
        return dataclasses.replace(self, outlying=outlying, missing=missing)

    def without_missing(self, variants: Collection[str]) -> Doubts:
        """Return the reasons without the missing replicates of these variants."""
        return dataclasses.replace(self, missing=tuple(each for each in self.missing if each[0] not in variants))

    def __str__(self) -> str:
        """Return the reasons in a few words, for a column of a table."""
        words = ["skewed"] if self.leaning else []
        words += [f"outlier in {name}" for name in self.outlying]
        words += [f"{count} missing in {name}" for name, count in self.missing]
        return "; ".join(filter(None, (*words, only(self.few))))


def only(few: str) -> str:
    """Return the few pieces behind a quantity in a column of a table; empty for enough of them."""
    return f"only {few}" if few else ""


def doubts_of(replicates: Replicates, metric: str, feature: str) -> Doubts:
    """Return the reasons for care with one quantity."""
    table = replicates.table(metric, feature)
    values, names = table.to_numpy(float).T, [str(name) for name in table.columns]
    far = doubts.outlying(values)
    missing = [
        (name, int(row.isna().sum())) for name, row in zip(names, (table[n] for n in table.columns), strict=True)
    ]
    if not replicates.paired:  # another number of runs is no missing replicate
        missing = []
    return Doubts(
        doubts.leans(values, independent=not replicates.paired),
        tuple(name for name, each in zip(names, far, strict=True) if each),
        tuple((name, count) for name, count in missing if count),
    )
