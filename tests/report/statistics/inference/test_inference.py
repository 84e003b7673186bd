"""Which statistic is used when, and that it is what it says."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps

from ablate.report.statistics.inference import effect_sizes, equivalence, flips, intervals, power

VALUES = hnp.arrays(np.float64, st.integers(2, 9), elements=st.floats(-100, 100).map(lambda x: round(x, 3)))


def by_enumeration(differences: np.ndarray) -> float:
    """The sign-flip p by trying every assignment of signs, written down again."""
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(differences))))
    means, seen = (signs * differences).mean(1), differences.mean()
    scale = 1e-12 * max(1.0, np.abs(differences).max())
    either = min((means >= seen - scale).mean(), (means <= seen + scale).mean())
    return min(1.0, 2 * either)


class TestSignFlip:
    @given(VALUES)
    def test_it_counts_every_assignment_of_signs(self, differences: np.ndarray) -> None:
        assert float(flips.sign_flip(differences)) == pytest.approx(by_enumeration(differences))

    @given(VALUES)
    def test_neither_order_nor_side_matter(self, differences: np.ndarray) -> None:
        p = float(flips.sign_flip(differences))
        assert float(flips.sign_flip(differences[::-1])) == pytest.approx(p)
        assert float(flips.sign_flip(-differences)) == pytest.approx(p)
        assert flips.smallest_p(len(differences)) <= p + 1e-12
        assert p <= 1.0

    def test_many_at_once_are_each_alone(self) -> None:
        rng = np.random.default_rng(0)
        many = rng.normal(size=(40, 3, 7))
        alone = [[float(flips.sign_flip(row)) for row in rows] for rows in many]
        assert flips.sign_flip(many) == pytest.approx(np.array(alone))

    def test_sums_that_are_equal_but_for_rounding_are_equally_extreme(self) -> None:
        third = 0.1**0.5
        assert float(flips.sign_flip(np.array([third, -third, 3 * third, 0.0, -2 * third]))) == 1.0

    def test_all_of_one_sign_reach_the_smallest_p(self) -> None:
        for n in (2, 5, 6, 8, 14):
            assert float(flips.sign_flip(np.arange(1.0, n + 1))) == pytest.approx(2 / 2**n)
            assert flips.smallest_p(n) == 2 / 2**n

    def test_beyond_enumeration_it_draws_and_draws_the_same_again(self) -> None:
        values = np.random.default_rng(1).normal(0.4, 1.0, 20)
        p = float(flips.sign_flip(values))
        assert p == float(flips.sign_flip(values))
        assert p == pytest.approx(sps.ttest_1samp(values, 0).pvalue, abs=0.02)
        assert float(flips.sign_flip(np.arange(1.0, 21))) == pytest.approx(flips.smallest_p(20), rel=0.5)

    def test_a_single_replicate_tests_nothing(self) -> None:
        assert math.isnan(float(flips.sign_flip(np.array([3.0]))))
        assert np.isnan(flips.sign_flip(np.ones((4, 1)))).all()


class TestInterval:
    @given(VALUES)
    def test_few_replicates_have_students(self, values: np.ndarray) -> None:
        found = intervals.interval(values)
        half = sps.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
        assert found.method == "t"
        assert float(found.low) == pytest.approx(values.mean() - half, abs=1e-6)
        assert float(found.high) == pytest.approx(values.mean() + half, abs=1e-6)

    def test_many_have_bca(self) -> None:
        values = np.random.default_rng(2).exponential(size=40)
        found = intervals.interval(values)
        rng = np.random.default_rng(0)
        expected = sps.bootstrap((values,), np.mean, n_resamples=9999, method="BCa", rng=rng).confidence_interval
        assert found.method == "BCa"
        assert (float(found.low), float(found.high)) == pytest.approx((expected.low, expected.high))

    def test_an_interquartile_mean_has_one_of_its_own(self) -> None:
        values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1000.0])
        assert intervals.estimator("iqm")(values, axis=-1) == pytest.approx(4.5)
        found = intervals.interval(values, estimate="iqm")
        assert found.method == "BCa"
        assert 1.0 <= found.low < 4.5 < found.high

    def test_equal_values_leave_no_room(self) -> None:
        for values in (np.full(4, 0.3), np.full(40, 0.3), np.array([0.1 + 0.2, 0.3, 0.3])):
            found = intervals.interval(values)
            assert (float(found.low), float(found.high)) == pytest.approx((0.3, 0.3))

    def test_one_replicate_has_none(self) -> None:
        found = intervals.interval(np.ones((3, 1)))
        assert found.method == "none"
        assert np.isnan(found.low).all()

    def test_many_at_once_are_each_alone(self) -> None:
        many = np.random.default_rng(3).normal(size=(5, 8))
        many[2] = 1.5
        found = intervals.interval(many)
        for row, low, high in zip(many, found.low, found.high, strict=True):
            alone = intervals.interval(row)
            assert (float(alone.low), float(alone.high)) == pytest.approx((low, high))


class TestHolm:
    def test_an_example_worked_out_by_hand(self) -> None:
        assert equivalence.holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])

    def test_what_is_not_known_is_no_part_of_the_family(self) -> None:
        found = equivalence.holm(np.array([0.01, np.nan, 0.04]))
        assert found[[0, 2]] == pytest.approx([0.02, 0.04])
        assert np.isnan(found[1])
        assert np.isnan(equivalence.holm(np.array([np.nan]))).all()

    @given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(1e-6, 1.0)))
    def test_it_is_between_the_p_and_bonferronis(self, p: np.ndarray) -> None:
        found = equivalence.holm(p)
        assert (found >= p - 1e-12).all()
        assert (found <= np.minimum(1.0, len(p) * p) + 1e-12).all()
        assert (np.argsort(p, kind="stable") == np.argsort(np.round(found, 12), kind="stable")).all() or len(p) > 1


class TestEquivalence:
    @given(VALUES, st.floats(0.01, 50))
    def test_it_is_two_t_tests(self, values: np.ndarray, margin: float) -> None:
        if np.ptp(values) == 0:
            return
        found = float(equivalence.equivalence(values[None], np.array([margin]))[0])
        above = sps.ttest_1samp(values, -margin, alternative="greater").pvalue
        below = sps.ttest_1samp(values, margin, alternative="less").pvalue
        assert found == pytest.approx(max(above, below), abs=1e-9)

    def test_it_says_yes_just_where_the_interval_is_inside(self) -> None:
        rng = np.random.default_rng(4)
        values = rng.normal(0.1, 0.3, (300, 8))
        margin = rng.uniform(0.1, 1.0, 300)
        inside = intervals.interval(values, 0.90)
        expected = (inside.low > -margin) & (inside.high < margin)
        assert ((equivalence.equivalence(values, margin) < 0.05) == expected).all()

    def test_without_margin_or_replicates_nothing_is_known(self) -> None:
        assert np.isnan(equivalence.equivalence(np.ones((2, 1)), np.ones(2))).all()
        assert np.isnan(equivalence.equivalence(np.array([[1.0, 2.0]]), np.array([np.nan]))).all()
        assert equivalence.equivalence(np.empty((0, 4)), np.empty(0)).shape == (0,)


class TestPower:
    def test_levels_come_in_steps(self) -> None:
        assert power.attainable(0.05, 5) == 0.0
        assert power.attainable(0.05, 6) == pytest.approx(2 / 64)
        assert power.attainable(0.05, 8) == pytest.approx(6 * 2 / 256)

    def test_five_replicates_find_nothing(self) -> None:
        assert power.power(10.0, 5, 0.05) == 0.0

    def test_where_all_signs_must_agree_it_is_their_chance(self) -> None:
        assert power.power(1.0, 6, 0.05) == pytest.approx(sps.norm.cdf(1) ** 6 + sps.norm.cdf(-1) ** 6)

    def test_it_grows_with_the_effect_and_with_replicates(self) -> None:
        assert power.power(0.5, 10, 0.05) < power.power(1.0, 10, 0.05) < power.power(1.0, 14, 0.05)
        assert power.power(0.4, 400, 0.01) == pytest.approx(1.0)
        assert power.power(-1.0, 10, 0.05) == power.power(1.0, 10, 0.05)

    @given(st.floats(0.2, 4.0), st.sampled_from([0.05, 0.05 / 4, 0.05 / 30]))
    def test_the_replicates_needed_are_the_fewest_that_do(self, effect: float, alpha: float) -> None:
        n = power.replicates_needed(effect, alpha)
        assert n is not None
        assert power.power(effect, n, alpha) >= 0.8
        assert all(power.power(effect, fewer, alpha) < 0.8 for fewer in range(2, min(n, 40)))

    def test_what_no_number_would_find(self) -> None:
        assert power.replicates_needed(0.001, 0.05) is None
        assert power.replicates_needed(math.inf, 0.05) == 6
        assert power.replicates_needed(0.0, 0.05) is None


def test_a_standardised_effect_is_corrected_for_few_replicates() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert float(effect_sizes.standardised(values)) == pytest.approx(2.5 / values.std(ddof=1) * (1 - 3 / 11))
    assert float(effect_sizes.standardised(np.zeros(4))) == 0.0
    assert math.isinf(float(effect_sizes.standardised(np.ones(4))))
    assert float(effect_sizes.standardised(np.ones(2))) != float(effect_sizes.standardised(np.ones(3)))
    assert math.isnan(float(effect_sizes.standardised(np.ones(1))))


class TestTrends:
    def test_kendall_says_how_well_an_order_is_kept(self) -> None:
        values = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 3.0, 2.0], [5.0, 5.0, 5.0]])
        assert effect_sizes.kendall(np.array([0.6, 0.8, 1.0]), values) == pytest.approx([1.0, -1.0, 1 / 3, 0.0])
