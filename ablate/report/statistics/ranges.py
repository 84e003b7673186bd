"""The range of a share: its intervals are cut where its values end.

A share lies between 0 and 1 by its definition, and a weighted sum of shares between the sums of its negative and of its
positive weights. An interval that is cut at these ends contains the truth exactly as often as before, because the truth
is never beyond them. No verdict is computed from a cut interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.statistics.rows import Quantity, keys_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import pandas as pd

    from ablate.report.statistics.comparisons.weights import Weights

Range = tuple[float, float]
#: The range of a share.
SHARE: Range = (0.0, 1.0)


def cut_values(frame: pd.DataFrame, shares: Collection[Quantity]) -> pd.DataFrame:
    """Return a frame of values with the intervals of shares cut at 0 and 1.

    Args:
        frame: columns ``metric``, ``feature``, ``low``, ``high``.
        shares: the quantities that are shares.
    """
    return _cut(frame, [SHARE if key in shares else None for key in keys_of(frame)])


def cut_differences(frame: pd.DataFrame, comparisons: Iterable[Weights], shares: Collection[Quantity]) -> pd.DataFrame:
    """Return a frame of comparisons with the intervals of those of shares cut at the ends of their range.

    Args:
        frame: columns ``kind``, ``comparison``, ``versus``, ``metric``, ``feature``, ``low``, ``high``.
        comparisons: all that the frame has.
        shares: the quantities that are shares.
    """
    ranges = {(one.kind, one.name, one.versus): range_of(one.weights) for one in comparisons} if shares else {}
    keys = zip(frame["kind"], frame["comparison"], frame["versus"], strict=True)
    return _cut(frame, [ranges.get(key) if q in shares else None for key, q in zip(keys, keys_of(frame), strict=True)])


def range_of(weights: Mapping[str, float]) -> Range:
    """Return the smallest and the largest weighted sum of shares."""
    return sum(min(w, 0.0) for w in weights.values()), sum(max(w, 0.0) for w in weights.values())


def _cut(frame: pd.DataFrame, ranges: list[Range | None]) -> pd.DataFrame:
    if not any(ranges):
        return frame
    frame, known = frame.copy(), [place for place, each in enumerate(ranges) if each]
    lows, highs = zip(*(each for each in ranges if each), strict=True)
    rows = frame.index[known]
    for column in ("low", "high"):
        frame.loc[rows, column] = frame.loc[rows, column].clip(list(lows), list(highs))
    return frame
