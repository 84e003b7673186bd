"""Means and interquartile means, their standard errors and their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps

from ablate.report.statistics.inference import intervals

VALUES = hnp.arrays(np.float64, st.integers(2, 40), elements=st.floats(-100, 100).map(lambda x: round(x, 3)))


class TestOfAMean:
    @given(VALUES)
    def test_it_is_students(self, values: np.ndarray) -> None:
        found = intervals.interval(values)
        half = sps.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
        assert found.method == "t"
        assert float(found.low) == pytest.approx(values.mean() - half, abs=1e-6)
        assert float(found.high) == pytest.approx(values.mean() + half, abs=1e-6)

    def test_equal_values_leave_no_room(self) -> None:
        for values in (np.full(4, 0.3), np.full(40, 0.3), np.array([0.1 + 0.2, 0.3, 0.3])):
            found = intervals.interval(values)
            assert (float(found.low), float(found.high)) == pytest.approx((0.3, 0.3))
            assert float(intervals.spread(values).error) == 0.0

    def test_one_replicate_has_none(self) -> None:
        found = intervals.interval(np.ones((3, 1)))
        assert found.method == "none"
        assert np.isnan(found.low).all()


class TestOfAnInterquartileMean:
    def test_a_quarter_is_left_out_at_either_end(self) -> None:
        values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1000.0])
        assert intervals.estimator("iqm")(values, axis=-1) == pytest.approx(4.5)
        assert [intervals.trimmed(n, "iqm") for n in (2, 3, 4, 7, 8, 20)] == [0, 0, 1, 1, 2, 5]

    @given(st.integers(4, 40), st.integers(4, 40), st.integers(0, 1000))
    def test_it_is_yuens(self, first: int, second: int, seed: int) -> None:
        """The reference is scipy's test of two samples, whose t has both standard errors."""
        rng = np.random.default_rng(seed)
        samples = rng.normal(size=first), rng.exponential(size=second)
        one, two = (intervals.spread(values, "iqm") for values in samples)
        t = float((one.middle - two.middle) / np.hypot(one.error, two.error))
        assert t == pytest.approx(sps.ttest_ind(*samples, equal_var=False, trim=0.25).statistic)
        half = sps.t.ppf(0.975, first - 2 * (first // 4) - 1) * one.error
        found = intervals.interval(samples[0], estimate="iqm")
        assert found.method == "Yuen"
        assert (float(found.low), float(found.high)) == pytest.approx((one.middle - half, one.middle + half))

    @pytest.mark.parametrize(
        ("values", "expected"),
        [([1.0, 5, 5, 5, 5, 5, 5, 9], (1.0, 9.0)), ([5.0, 5, 5, 5, 5, 5, 5, 8], (5.0, 8.0)), ([2.0] * 8, (2.0, 2.0))],
    )
    def test_where_the_middle_agrees_it_is_the_medians(
        self, values: list[float], expected: tuple[float, float]
    ) -> None:
        found = intervals.interval(np.array(values), estimate="iqm")
        assert (float(found.low), float(found.high)) == expected

    def test_the_medians_ranks_are_those_of_the_binomial_distribution(self) -> None:
        values = np.r_[np.arange(6.0), np.full(18, 9.0), np.arange(12.0, 18.0)]
        found = intervals.interval(values, estimate="iqm")
        rank = int(sps.binom.ppf(0.025, 30, 0.5))
        assert sps.binom.cdf(rank - 1, 30, 0.5) <= 0.025
        assert (float(found.low), float(found.high)) == (values[rank - 1], values[30 - rank]) == (9.0, 9.0)


@pytest.mark.parametrize("estimate", ["mean", "iqm"])
def test_many_at_once_are_each_alone(estimate: intervals.Estimate) -> None:
    many = np.random.default_rng(3).normal(size=(5, 8))
    many[2] = 1.5
    many[3, :6] = 0.0
    found = intervals.interval(many, estimate=estimate)
    for row, low, high in zip(many, found.low, found.high, strict=True):
        alone = intervals.interval(row, estimate=estimate)
        assert (float(alone.low), float(alone.high)) == pytest.approx((low, high))
