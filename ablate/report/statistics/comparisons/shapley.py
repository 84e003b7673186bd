"""Weighted sums over combinations of parts that are on or off: Shapley values, main effects, interactions.

A combination is the set of the positions of the parts that are on. Weights are fractions, so that they are exact.
"""

from __future__ import annotations

import collections
import itertools
import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    #: The parts that are on, by position.
    On = frozenset[int]
    #: The weight of each combination of parts.
    Sums = Mapping[On, Fraction]


def combinations(count: int) -> list[On]:
    """Return every combination of ``count`` parts that can be on, those with fewer parts first."""
    return [frozenset(on) for size in range(count + 1) for on in itertools.combinations(range(count), size)]


def shapley(count: int, part: int) -> dict[On, Fraction]:
    """Return the weights of a Shapley value by combination, from all 2**count combinations of parts.

    The weight of adding the part to a given set is the share of all orders in which exactly this set comes before it:
    ``before! (count - before - 1)! / count!``.
    """
    weights = {}
    for on in combinations(count):
        before = len(on) - (part in on)
        size = Fraction(math.factorial(before) * math.factorial(count - before - 1), math.factorial(count))
        weights[on] = size if part in on else -size
    return weights


def main_effect(count: int, part: int) -> dict[On, Fraction]:
    """Return the weights of a main effect in the half fraction with an even number of parts on.

    With levels coded -1 and +1, a Shapley value is twice the sum, over the odd interactions that the part is in
    (itself, three-way, ...), of the coefficient divided by the number of parts in it; two-way interactions cancel. So
    without interactions of three or more parts it is the main effect, which the fraction mixes with the interaction of
    all other parts.
    """
    return product([on for on in combinations(count) if len(on) % 2 == 0], (part,))


def total_difference(count: int) -> dict[On, Fraction]:
    """Return the weights of the full model minus the bare one."""
    return {frozenset(range(count)): Fraction(1), frozenset(): Fraction(-1)}


def product(cells: Sequence[On], parts: tuple[int, ...]) -> dict[On, Fraction]:
    """Return the weights of an effect averaged over the other parts: the product of the parts' codes, -1 and +1."""
    size = Fraction(2 ** len(parts), len(cells))
    return {on: size * (-1) ** sum(part not in on for part in parts) for on in cells}


def added(sums: Iterable[Sums]) -> dict[On, Fraction]:
    """Return the sum of several weighted sums."""
    added: dict[On, Fraction] = collections.defaultdict(Fraction)
    for one in sums:
        for on, weight in one.items():
            added[on] += weight
    return added
