"""Standardised differences, the share of replicates that one wins, and ranks along an axis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as sps

from ablate.report.statistics.inference import effect_sizes, intervals


class TestStandardised:
    def test_it_is_corrected_for_few_replicates(self) -> None:
        values = np.array([1.0, 2.0, 3.0, 4.0])
        found = float(effect_sizes.standardised(values))
        assert found == pytest.approx(2.5 / values.std(ddof=1) * (1 - 3 / 11))
        assert float(effect_sizes.standardised(np.zeros(4))) == 0.0
        assert math.isinf(float(effect_sizes.standardised(np.ones(4))))
        assert math.isinf(float(effect_sizes.standardised(np.array([0.1 + 0.2, 0.3, 0.3]))))
        assert float(effect_sizes.standardised(np.ones(2))) != float(effect_sizes.standardised(np.ones(3)))
        assert math.isnan(float(effect_sizes.standardised(np.ones(1))))

    def test_that_of_an_interquartile_mean_is_not_moved_by_an_outlier(self) -> None:
        values = np.array([1.0, 2.0, 2.5, 3.0, 3.0, 3.5, 4.0, 5.0])
        wild = np.where(values == 5.0, -500.0, values)
        assert abs(effect_sizes.standardised(wild)) < 0.4
        assert float(effect_sizes.standardised(wild, "iqm")) > 1.5

    def test_its_square_root_of_n_fold_is_yuens_t(self) -> None:
        values = np.random.default_rng(1).normal(1.0, 1.0, 12)
        middle, error, freedom = intervals.spread(values, "iqm")
        g = float(effect_sizes.standardised(values, "iqm"))
        assert g * math.sqrt(12) / (1 - 3 / (4 * freedom - 1)) == pytest.approx(float(middle / error))
        assert freedom == 5


class TestPBetter:
    def test_a_tie_counts_half(self) -> None:
        found = effect_sizes.p_better(np.array([[1.0, 2.0, 0.0, -1.0], [0.0] * 4, [1.0] * 4, [-1.0] * 4]))
        assert found.share == pytest.approx([2.5 / 4, 0.5, 1.0, 0.0])
        assert found.high[2] == 1.0
        assert found.low[3] == 0.0
        assert found.low[2] == pytest.approx(0.025**0.25)

    @given(st.integers(0, 12), st.integers(1, 12))
    def test_the_interval_is_scipys_exact_one(self, wins: int, losses: int) -> None:
        found = effect_sizes.p_better(np.r_[np.ones(wins), -np.ones(losses)])
        exact = sps.binomtest(wins, wins + losses).proportion_ci(method="exact")
        assert (float(found.low), float(found.high)) == pytest.approx((exact.low, exact.high))

    @pytest.mark.parametrize("n", [6, 8, 12, 20])
    def test_it_contains_the_true_probability_often_enough(self, n: int) -> None:
        """The coverage is computed, not simulated: the number of wins is binomial."""
        rows = np.array([[1.0] * wins + [-1.0] * (n - wins) for wins in range(n + 1)])
        found = effect_sizes.p_better(rows)
        for truth in np.linspace(0.02, 0.98, 49):
            inside = (found.low <= truth) & (truth <= found.high)
            assert sps.binom.pmf(np.arange(n + 1), n, truth)[inside].sum() >= 0.95 - 1e-9


class TestKendall:
    def test_it_says_how_well_an_order_is_kept(self) -> None:
        values = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 3.0, 2.0], [5.0, 5.0, 5.0]])
        assert effect_sizes.kendall(np.array([0.6, 0.8, 1.0]), values) == pytest.approx([1.0, -1.0, 1 / 3, 0.0])
