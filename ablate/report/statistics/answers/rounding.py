"""Rounding of numbers that add up, so that the rounded numbers add up too."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bits that sums of doubles on a common grid have left over.
_SPARE_BITS = 4


def in_units(values: Sequence[float], total: float, unit: Fraction) -> tuple[list[int], int]:
    """Return numbers and their total as whole multiples of a unit that add up exactly.

    The total is rounded to the nearest multiple. Each number is rounded down, and the units that are then missing go
    to the numbers with the largest remainders (the method of largest remainders), so that every number stays within
    one unit of its value.

    Args:
        values: finite numbers that add up to the total, except for rounding errors.
        total: their total.
        unit: above 0.
    """
    exact = [Fraction(value) / unit for value in values]
    floors, whole = [math.floor(value) for value in exact], round(Fraction(total) / unit)
    order = sorted(range(len(exact)), key=lambda place: floors[place] - exact[place])
    for step in range(whole - sum(floors)):
        floors[order[step % len(order)]] += 1
    for step in range(sum(floors) - whole):  # where rounding errors have moved a number past a multiple
        floors[order[-1 - step % len(order)]] -= 1
    return floors, whole


def to_decimals(values: Sequence[float], total: float, decimals: int) -> tuple[list[float], float]:
    """Return numbers and their total with this number of decimals, so that the printed numbers add up."""
    unit = Fraction(1, 10**decimals)
    units, whole = in_units(values, total, unit)
    return [float(number * unit) for number in units], float(whole * unit)


def adding_up(values: Sequence[float], total: float) -> tuple[list[float], float]:
    """Return the nearest doubles that add up exactly, whatever the order in which they are added.

    All are multiples of a power of 2 that is about 1e-15 of the largest of them.
    """
    largest = max(map(abs, [*values, total]), default=0.0)
    if not largest:
        return [0.0 for _ in values], 0.0
    unit = Fraction(math.ulp(largest)) * 2**_SPARE_BITS
    units, whole = in_units(values, total, unit)
    return [float(number * unit) for number in units], float(whole * unit)
