"""Numbers that add up still add up when they are rounded."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from ablate.report.statistics.answers.rounding import adding_up, in_units, to_decimals

NUMBERS = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8)


def test_largest_remainders() -> None:
    """Three thirds of 0.1 print as 0.1 together, not as 0.09 or 0.12."""
    thirds, total = to_decimals([0.1 / 3] * 3, 0.1, 2)
    assert sorted(thirds) == [0.03, 0.03, 0.04]
    assert total == 0.1
    assert to_decimals([1.26, -0.13, -0.13], 1.0, 1) == ([1.2, -0.1, -0.1], 1.0)
    assert in_units([0.4, 0.4, 0.4], 1.2, Fraction(1)) == ([1, 0, 0], 1)


@given(NUMBERS, st.integers(0, 6))
def test_printed_numbers_add_up(values: list[float], decimals: int) -> None:
    rounded, total = to_decimals(values, math.fsum(values), decimals)
    printed = [Decimal(f"{value:.{decimals}f}") for value in rounded]
    assert sum(printed) == Decimal(f"{total:.{decimals}f}")
    for value, near in zip(values, rounded, strict=True):
        assert abs(value - near) <= 1.001 * 10**-decimals + 1e-6 * (abs(value) > 1e6)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=5))
def test_doubles_add_up_in_every_order(values: list[float]) -> None:
    settled, total = adding_up(values, math.fsum(values))
    assert {sum(order) for order in itertools.permutations(settled)} == {total}
    assert math.fsum(settled) == total
    largest = max(map(abs, [*values, total]))
    assert all(abs(a - b) <= 1e-14 * largest for a, b in zip(settled, values, strict=True))


def test_nothing_adds_up_to_nothing() -> None:
    assert adding_up([0.0, 0.0], 0.0) == ([0.0, 0.0], 0.0)
    assert adding_up([1.0, -1.0], 0.0) == ([1.0, -1.0], 0.0)
