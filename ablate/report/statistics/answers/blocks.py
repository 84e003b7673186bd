"""Comparisons in each block, their heterogeneity, and the number of blocks in which each of them holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ablate.report.statistics import roles, verdicts
from ablate.report.statistics.inference import conjunction, equivalence, intervals
from ablate.report.statistics.inference.heterogeneity import heterogeneity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray, IntArray

_COMPARISON = ["kind", "comparison", "versus", "metric", "feature", "unit", "direction", "role"]
_NUMBERS = ["difference", "low", "high", "p"]
_HETEROGENEITY = ["sd_between", "sd_low", "sd_high", "p_heterogeneity"]


def block_effects(effects: pd.DataFrame, names: Sequence[str], blocks: IntArray) -> pd.DataFrame:
    """Return every comparison in every block.

    Args:
        effects: from :func:`ablate.report.statistics.effects.judge`.
        names: of the blocks.
        blocks: the index of the block of each replicate, [replicates].

    Returns:
        One row for each comparison, quantity and block with a value: ``kind``, ``comparison``, ``versus``, ``metric``,
        ``feature``, ``unit``, ``direction``, ``role``, ``block``; ``n`` replicates, their mean ``difference``, its 95 %
        interval ``low`` to ``high``, and the ``p`` of this block and comparison alone. There is no verdict: nothing in
        here is corrected for the number of blocks.
    """
    position = pd.Series(np.arange(len(effects)), effects.index)
    parts = [_one_block(effects, name, blocks == index) for index, name in enumerate(names)]
    rows = np.concatenate([position[part.index] for part in parts])
    frame: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return frame.take(np.argsort(rows, kind="stable")).reset_index(drop=True)


def _one_block(effects: pd.DataFrame, name: str, inside: FloatArray) -> pd.DataFrame:
    values = _values(effects)[:, inside]
    counts = (~np.isnan(values)).sum(axis=1)
    frame = effects[_COMPARISON].assign(block=name, n=counts)
    frame[_NUMBERS] = np.nan
    for n in set(counts) - {0}:
        rows = np.flatnonzero(counts == n)
        known = np.stack([row[~np.isnan(row)] for row in values[rows]])
        interval = intervals.interval(known)
        both_sides = [conjunction.one_sided(sign * known) for sign in (1.0, -1.0)]
        p = np.minimum(2 * np.minimum(*both_sides), 1.0) if n > 1 else np.full(len(rows), np.nan)
        numbers = (known.mean(axis=1), interval.low, interval.high, p)
        frame.loc[effects.index[rows], _NUMBERS] = np.stack(numbers, axis=1)
    present: pd.DataFrame = frame[counts > 0]
    return present


def replicability(effects: pd.DataFrame, blocks: IntArray, alpha: float) -> pd.DataFrame:
    """Return how much comparisons vary between blocks, and the number of blocks in which they hold.

    Args:
        effects: from :func:`ablate.report.statistics.effects.judge`.
        blocks: the index of the block of each replicate, [replicates].
        alpha: the error rate of a family.

    Returns:
        One row for each comparison of the primary and secondary quantities, with the index of ``effects``: ``blocks``,
        their number; ``sd_between`` with its 95 % interval ``sd_low`` to ``sd_high``, the standard deviation of the
        true differences of the blocks; ``p_heterogeneity`` (that there is none; Holm's correction over the role's
        family); ``holds_in``, the number of blocks in which the claimed difference holds at least (0 without such a
        claim), and ``p_holds`` (corrected for the family, and for both directions).
    """
    judged = effects[effects["role"] != roles.EXPLORATORY]
    frame = judged[_COMPARISON].assign(blocks=len(set(blocks)), holds_in=0, p_holds=np.nan)
    frame[_HETEROGENEITY] = np.nan
    for _, part in judged.groupby("role", sort=False):
        values = _values(part)
        inside = [blocks == block for block in sorted(set(blocks))]
        spread = [heterogeneity([row[here & ~np.isnan(row)] for here in inside]) for row in values]
        frame.loc[part.index, _HETEROGENEITY] = np.array(spread, float)
        raw = frame.loc[part.index, "p_heterogeneity"].to_numpy(float)
        frame.loc[part.index, "p_heterogeneity"] = equivalence.holm(raw)
        towards = values * np.sign(part["difference"].to_numpy(float))[:, None]
        own = np.stack([conjunction.one_sided(towards[:, here]) for here in inside], axis=1)
        found = conjunction.claims(np.minimum(2 * conjunction.partial_conjunction(own), 1.0), alpha)
        claimed = part["verdict"].isin(verdicts.DIFFERENT).to_numpy()
        frame.loc[part.index, "holds_in"] = np.where(claimed, found.blocks, 0)
        frame.loc[part.index, "p_holds"] = np.where(claimed, found.p, np.nan)
    return frame


def _values(effects: pd.DataFrame) -> FloatArray:
    """Return the differences, [comparisons, replicates]."""
    return np.stack(effects["values"].to_list()) if len(effects) else np.empty((0, 0))
