"""The shares of a study's parts in the total difference, and the reasons why other ways to share it disagree."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.report.statistics import verdicts
from ablate.report.statistics.answers import rounding
from ablate.report.statistics.comparisons.attribution import (
    DEPENDENCE,
    FEWEST,
    FIRST,
    LAST,
    REST,
    SHARE,
    TOTAL,
    both,
    pair_weights,
)
from ablate.report.statistics.described import summary
from ablate.report.statistics.rows import Quantity, records, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ablate.report.statistics.comparisons.attribution import Layout
    from ablate.report.statistics.inference.intervals import Estimate
    from ablate.report.statistics.replicates import Replicates

    Row = Mapping[str, Any]

_QUANTITY = ["metric", "feature"]


class Partner(NamedTuple):
    """The part with which another one has its largest interaction: its name, and the mean of the interaction."""

    name: str
    size: float


@dataclasses.dataclass(frozen=True)
class Share:
    """One part's share, with the rows of :func:`ablate.report.statistics.effects.judge` about it.

    Attributes:
        row: of the share.
        first: of the part added to the bare model; None if a half fraction cannot give it.
        last: of the full model minus the full model without the part; None likewise.
        dependence: of the second minus the first; None likewise.
        partner: of its largest interaction, on average over the other parts, if its dependence differs from 0 by more
            than chance; otherwise None.
    """

    row: Row
    first: Row | None
    last: Row | None
    dependence: Row | None
    partner: Partner | None

    @property
    def name(self) -> str:
        """The name of the part."""
        return str(self.row["comparison"])


@dataclasses.dataclass(frozen=True)
class Shares:
    """The shares of all parts in the total difference of one quantity.

    Attributes:
        shares: in the order of the parts.
        total: the row of the total difference.
        rest: the row of what no part's share contains; None except in half fractions of six or more parts.
        missing: the number of replicates that lack a variant, and so count nowhere here.
    """

    shares: tuple[Share, ...]
    total: Row
    rest: Row | None
    missing: int

    @property
    def rows(self) -> list[Row]:
        """The rows that add up to the total."""
        return [*(share.row for share in self.shares), *([self.rest] if self.rest else [])]

    @property
    def decimals(self) -> int:
        """The decimals to print: two digits of a typical standard error, and three of the largest number."""
        rows = [*self.rows, self.total]
        errors = [(row["high"] - row["low"]) / 4 for row in rows]
        largest = max(abs(row["difference"]) for row in rows)
        return max(summary.decimals([largest], errors), summary.decimals([largest], []))

    def printed(self, *, exact: bool = True) -> tuple[list[float], float]:
        """Return the differences of :attr:`rows` and the total, rounded to :attr:`decimals` so that they add up.

        Args:
            exact: whether they add up at all; interquartile means do not, and are rounded each on its own.
        """
        values, total = [float(row["difference"]) for row in self.rows], float(self.total["difference"])
        if exact:
            return rounding.to_decimals(values, total, self.decimals)
        return [round(value, self.decimals) for value in values], round(total, self.decimals)


def adding_up(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons with shares that add up to the total exactly, as doubles.

    Means of weighted sums differ from it in their last bits. For means only: interquartile means do not add up.

    Args:
        frame: from :func:`ablate.report.statistics.effects.judge`.
    """
    own = frame[frame["kind"].isin((SHARE, REST, TOTAL))]
    frame = frame.copy() if len(own) else frame
    for _, rows in own.groupby(_QUANTITY, sort=False):
        parts, total = rows[rows["kind"] != TOTAL], rows[rows["kind"] == TOTAL]
        values, whole = rounding.adding_up(parts["difference"].to_list(), float(total["difference"].iloc[0]))
        frame.loc[parts.index, "difference"] = values
        frame.loc[total.index, "difference"] = whole
    return frame


def shares_of(
    replicates: Replicates, study: Layout, frame: pd.DataFrame, quantity: Quantity, estimate: Estimate
) -> Shares | None:
    """Return the shares in one quantity; None if no replicate has every combination of parts.

    Args:
        replicates: the values.
        study: the parts.
        frame: every comparison, from :func:`ablate.report.statistics.effects.judge`.
        quantity: metric and feature.
        estimate: the middle of the replicates.
    """
    own = records(rows_of(frame, quantity))
    rows: dict[tuple[str, str], Row] = {(row["kind"], row["comparison"]): row for row in own}
    total = next((row for (kind, _), row in rows.items() if kind == TOTAL), None)
    if total is None:
        return None
    shares = []
    for place, part in enumerate(study.parts):
        first, last = (rows.get((kind, part.name)) for kind in (FIRST, LAST))
        dependence = rows.get((DEPENDENCE, part.name if len(study.parts) > FEWEST else both(study)))
        differs = dependence is not None and dependence["verdict"] in verdicts.DIFFERENT
        partner = _partner(replicates, study, quantity, place, estimate) if differs else None
        shares.append(Share(rows[SHARE, part.name], first, last, dependence, partner))
    missing = replicates.count - int(total["n"]) if replicates.paired else 0
    rest = next((row for (kind, _), row in rows.items() if kind == REST), None)
    return Shares(tuple(shares), total, rest, missing)


def _partner(replicates: Replicates, study: Layout, quantity: Quantity, place: int, estimate: Estimate) -> Partner:
    """Return the part with which the part at this place has its largest two-way interaction."""
    partners = []
    for other, part in enumerate(study.parts):
        if other != place:
            partners.append(
                Partner(part.name, replicates.middle(*quantity, pair_weights(study, place, other), estimate))
            )
    return max(partners, key=lambda partner: abs(partner.size))
