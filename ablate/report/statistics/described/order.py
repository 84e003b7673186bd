"""Find metrics that do not react to the order of notes: the floor of shuffled tokens beside that of a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.report.statistics.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ablate.arrays import FloatArray
    from ablate.report.statistics.rows import Quantity

#: Shuffling must move a score by this many standard deviations (of its differences over pieces and shuffles).
LEAST_EFFECT = 0.5
#: And by this share of the range between the variants' means.
LEAST_SHARE = 0.25
#: The most metrics that the sentence lists.
MOST_LISTED = 6
_ROUNDING = 1e-9


class Unmoved(NamedTuple):
    """The floors of a metric that shuffling does not move: their means; ``copied`` and ``decoded`` may be NaN."""

    copied: float
    decoded: float
    shuffled: float


def unmoved(floors: pd.DataFrame, quantity: Quantity, spread: float) -> Unmoved | None:
    """Return the floors of a quantity that hardly reacts to the order of notes; None if it does, or without floors.

    The tokens of a piece are compared with the same tokens in random order: shuffle ``i`` belongs to piece ``i`` modulo
    the number of pieces, with those that the metric refused. It is the round trip that is compared, because shuffled
    tokens have lost what the tokenizer loses too; without it, the copy.

    A metric hardly reacts if the mean difference is

    - less than half a standard deviation of the differences: a single piece and its shuffle would be told apart in less
      than 7 of 10 cases. With 8 shuffles, the default, this is found in 80 % of cases for a metric that does not react
      at all, in 9 % for one that reacts by one standard deviation, and in less than 0.1 % by two (normal differences);
    - or less than a quarter of the range between the variants: then the variants differ by more than the whole order of
      notes is worth, so by something else.

    Args:
        floors: from :func:`ablate.report.data.floors.floor_frame`, of one variant.
        quantity: metric and feature.
        spread: the range between the means of the variants.
    """
    rows = rows_of(floors, quantity)
    means = {str(floor): float(part["value"].mean()) for floor, part in rows.groupby("floor")}
    if "shuffled" not in means:
        return None
    # not averaged over replicates, which would hide how much a single piece scatters
    differences = np.concatenate([_differences(part) for _, part in rows.groupby("replicate")])
    intact = means.get("round_trip", means.get("copy", 0.0))
    if not len(differences) or _reacts(differences, spread, abs(intact)):
        return None
    return Unmoved(means.get("copy", np.nan), means.get("round_trip", np.nan), means["shuffled"])


def _differences(rows: pd.DataFrame) -> FloatArray:
    """Return each shuffle minus its piece, of one replicate; empty without both."""
    values = {str(floor): part.set_index("draw")["value"] for floor, part in rows.groupby("floor")}
    intact = values.get("round_trip", values.get("copy"))
    if intact is None or "shuffled" not in values:
        return np.empty(0)
    pieces = int(rows["pieces"].max())
    of_piece = intact.reindex(values["shuffled"].index % pieces)
    differences = values["shuffled"].to_numpy(float) - of_piece.to_numpy(float)
    return np.asarray(differences[~np.isnan(differences)])


def _reacts(differences: FloatArray, spread: float, size: float) -> bool:
    moved = abs(float(differences.mean()))
    if moved <= _ROUNDING * max(size, 1.0):
        return False
    sd = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    return moved >= LEAST_EFFECT * sd and moved >= LEAST_SHARE * spread


def sentence(found: Mapping[str, Unmoved]) -> str:
    """Return a sentence about the metrics that hardly react to the order of notes, by name; empty without any."""
    if not found:
        return ""
    texts = [f"{name}: {_scores(floors)}" for name, floors in list(found.items())[:MOST_LISTED]]
    more = f"; and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
    one = len(found) == 1
    return (
        f"{'This metric hardly reacts' if one else 'These metrics hardly react'} to the order of notes, so "
        f"{'it does' if one else 'they do'} not show whether music is in order ({'; '.join(texts)}{more})."
    )


def _scores(floors: Unmoved) -> str:
    copied = "" if np.isnan(floors.copied) else f"a copy scores {floors.copied:.3g}, "
    differs = not np.isclose(floors.copied, floors.decoded, rtol=5e-3, atol=_ROUNDING)
    decoded = f"the round trip {floors.decoded:.3g}, " if differs and not np.isnan(floors.decoded) else ""
    return f"{copied}{decoded}shuffled tokens {floors.shuffled:.3g}"
