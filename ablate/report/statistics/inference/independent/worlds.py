"""Worlds without a difference: what runs could look like if no variant differed from another.

- *Shuffled*: all runs come from one distribution, so any run may belong to any variant (R. A. Fisher, "The design of
  experiments", 1935). Exact if that is so, however skewed the values are, but not if variants scatter unequally.
- *Drawn*: each variant has a mean of 0 and scatter of its own, normal, as large as in its runs (a parametric bootstrap;
  K. Krishnamoorthy, F. Lu and T. Mathew, Computational Statistics & Data Analysis 51, 2007). It allows for unequal
  scatter and unequal numbers of runs, but only for values that are about normal.

A run keeps all its values in both, so quantities stay as correlated as they are.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.arrays import Array, BoolArray, FloatArray, IntArray

#: Up to this number of ways to give the runs to the variants, all of them are tried.
EXACT_UP_TO = 50_000
#: Beyond, this number of random ones, and the observed one; also the number of drawn worlds.
RANDOM = 9_999
#: How many numbers are in memory at once.
_AT_ONCE = 2_000_000


class Runs(NamedTuple):
    """Independent runs of several variants.

    Attributes:
        values: [runs, quantities], NaN where a run has no value.
        group: the index of the variant of each run, [runs], in increasing order.
        groups: the number of variants.
    """

    values: FloatArray
    group: IntArray
    groups: int

    def of(self, quantity: int) -> list[FloatArray]:
        """Return the values of each variant in a quantity, without NaN, [runs of the variant] each."""
        column = self.values[:, quantity]
        known = ~np.isnan(column)
        return [column[known & (self.group == group)] for group in range(self.groups)]


def divisions(sizes: Sequence[int]) -> int:
    """Return the number of ways to give runs to variants of these numbers of runs."""
    return math.factorial(sum(sizes)) // math.prod(math.factorial(size) for size in sizes)


def smallest_p(sizes: Sequence[int]) -> float:
    """Return the smallest p that shuffled labels can give: two equal groups have each statistic twice."""
    return (2.0 if len(sizes) == 2 and sizes[0] == sizes[1] else 1.0) / divisions(sizes)


def shuffled(runs: Runs, count: int | None = None, width: int = 1) -> Iterator[list[list[FloatArray]]]:
    """Yield batches of worlds in which labels are shuffled: for each quantity, each variant's values [worlds, runs].

    The observed division is among them. Where runs lack values, each quantity shuffles the runs that have it, in one
    common random order.

    Args:
        runs: the runs.
        count: of random worlds, where there are too many for all of them; default :data:`RANDOM`.
        width: the numbers that are computed from each world, which a batch must fit into memory.
    """
    known = ~np.isnan(runs.values)
    sizes = [int((runs.group == group).sum()) for group in range(runs.groups)]
    count, batch = count or RANDOM, _batch(runs, width)
    if known.all() and divisions(sizes) <= EXACT_UP_TO:
        for orders in _batches(_every_order(sizes), batch):
            yield [_split(runs.values[:, q][orders], sizes) for q in range(runs.values.shape[1])]
        return
    rng = np.random.default_rng(0)
    observed = np.arange(len(runs.group))[None]
    yield [_by_order(runs, known, q, observed) for q in range(runs.values.shape[1])]
    for start in range(0, count, batch):
        rows = np.tile(np.arange(len(runs.group)), (min(batch, count - start), 1))
        orders = rng.permuted(rows, axis=1)
        yield [_by_order(runs, known, q, orders) for q in range(runs.values.shape[1])]


def _batch(runs: Runs, width: int) -> int:
    """Return how many worlds fit into memory at once."""
    return max(1, _AT_ONCE // max(1, runs.values.size, width))


def _by_order(runs: Runs, known: BoolArray, quantity: int, orders: IntArray) -> list[FloatArray]:
    """Return the values of a quantity in these orders of the runs, divided among its variants."""
    present = known[:, quantity]
    sizes = [int((present & (runs.group == group)).sum()) for group in range(runs.groups)]
    inside = orders[present[orders]].reshape(len(orders), -1)
    return _split(runs.values[:, quantity][inside], sizes)


def _split(values: FloatArray, sizes: Sequence[int]) -> list[FloatArray]:
    return np.split(values, np.cumsum(sizes)[:-1], axis=-1)


def _every_order(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Yield one order of the runs for each way to divide them; the observed one is the first."""

    def give(left: tuple[int, ...], rest: Sequence[int]) -> Iterator[list[int]]:
        if not rest:
            yield []
            return
        for chosen in itertools.combinations(left, rest[0]):
            taken = set(chosen)
            for others in give(tuple(run for run in left if run not in taken), rest[1:]):
                yield [*chosen, *others]

    return give(tuple(range(sum(sizes))), sizes)


def _batches(orders: Iterator[list[int]], size: int) -> Iterator[Array]:
    while chosen := list(itertools.islice(orders, size)):
        yield np.array(chosen)


def drawn(runs: Runs, count: int | None = None, width: int = 1) -> Iterator[list[list[FloatArray]]]:
    """Yield batches of worlds of normal runs, in the form of :func:`shuffled`, without the observed one."""
    rng = np.random.default_rng(1)
    factors = [_factor(runs.values[runs.group == group]) for group in range(runs.groups)]
    known = [~np.isnan(runs.values[runs.group == group]) for group in range(runs.groups)]
    count, batch = count or RANDOM, _batch(runs, width)
    for start in range(0, count, batch):
        worlds = [
            rng.standard_normal((min(batch, count - start), len(there), len(factor))) @ factor
            for there, factor in zip(known, factors, strict=True)
        ]
        yield [
            [world[:, there[:, q], q] for world, there in zip(worlds, known, strict=True)]
            for q in range(runs.values.shape[1])
        ]


def _factor(values: FloatArray) -> FloatArray:
    """Return a factor F of the covariance F' F of a variant's quantities, [rank, quantities].

    A missing value counts as the mean of the others, and each variance is that of the values that are there.
    """
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    means = np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), 0.0)
    centred = np.where(known, values - means, 0.0) / np.sqrt(np.maximum(count - 1, 1))
    if len(centred) <= centred.shape[1]:
        return np.asarray(centred)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(sizes[:, None] * directions)
