"""Tests that a difference is inside a margin: their level, their power, and where they give no verdict."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps

from ablate.report.statistics.inference.equivalence import (
    equivalence,
    equivalence_power,
    holm,
    replicates_for_equivalence,
)
from ablate.report.statistics.inference.intervals import interval

VALUES = hnp.arrays(np.float64, st.integers(6, 20), elements=st.floats(-100, 100).map(lambda x: round(x, 3)))


class TestHolm:
    def test_an_example_worked_out_by_hand(self) -> None:
        assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])

    def test_what_is_not_known_is_no_part_of_the_family(self) -> None:
        found = holm(np.array([0.01, np.nan, 0.04]))
        assert found[[0, 2]] == pytest.approx([0.02, 0.04])
        assert np.isnan(found[1])
        assert np.isnan(holm(np.array([np.nan]))).all()

    @given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(1e-6, 1.0)))
    def test_it_is_between_the_p_and_bonferronis(self, p: np.ndarray) -> None:
        found = holm(p)
        assert (found >= p - 1e-12).all()
        assert (found <= np.minimum(1.0, len(p) * p) + 1e-12).all()


class TestEquivalence:
    @given(VALUES, st.floats(0.01, 200), st.sampled_from(["mean", "iqm"]))
    def test_it_claims_less_than_two_t_tests(self, values: np.ndarray, margin: float, estimate: str) -> None:
        """What is equivalent has its 90 % interval inside the margin."""
        if equivalence(values[None], np.array([margin]), estimate).p[0] < 0.05:
            found = interval(values, 0.90, estimate)
            assert -margin < found.low
            assert found.high < margin

    @given(VALUES, st.floats(0.01, 50), st.floats(0.1, 1000))
    def test_neither_order_nor_side_nor_unit_matter(self, values: np.ndarray, margin: float, unit: float) -> None:
        p = equivalence(values[None], np.array([margin])).p
        for other in (values[::-1], -values):
            assert equivalence(other[None], np.array([margin])).p == pytest.approx(p, abs=1e-9)
        assume(np.ptp(values) > 0.01)
        assert equivalence(unit * values[None], np.array([unit * margin])).p == pytest.approx(p, abs=1e-6)

    def test_the_correction_is_johnsons_with_more_skewness_than_is_seen(self) -> None:
        """The p is that of a t value which the correction turns into the observed one."""
        values, margin = np.random.default_rng(1).normal(size=10), 2.0
        values = values * np.sign(sps.skew(values)) - values.mean() + 1.0
        room = (margin - values.mean()) / (values.std(ddof=1) / math.sqrt(10))
        assumed = 9 * max(0.8 + sps.skew(values), 0) / 10**0.25
        p = equivalence(values[None], np.array([margin])).p[0]
        t = sps.t.isf(p, 9)
        assert t + assumed * (1 + 2 * t**2) / (6 * math.sqrt(10)) == pytest.approx(room)

    def test_a_margin_may_vary_with_the_replicates(self) -> None:
        """If the differences follow the margin, only one side has any spread; both sides are tested."""
        rng = np.random.default_rng(2)
        values, limits = rng.normal(0.0, 0.2, (1, 10)), rng.normal(1.0, 0.3, (1, 10))
        both = equivalence(values, limits).p[0]
        zeros = [equivalence(values + sign * limits - sign * 1.0, np.array([1.0])).p[0] for sign in (1.0, -1.0)]
        assert both == pytest.approx(max(zeros), rel=0.2)
        assert equivalence(values, np.full((1, 10), 1.0)).p == equivalence(values, np.array([1.0])).p

    @pytest.mark.parametrize("values", [[0.1] * 8, [0.3 - 0.2] * 4 + [0.1] * 4, [-0.1] * 6, [0.1 + 1e-13, *[0.1] * 7]])
    def test_a_difference_as_large_as_the_margin_is_never_inside(self, values: list[float]) -> None:
        found = equivalence(np.array([values]), np.array([0.1]))
        assert found.p[0] == 1.0
        assert found.reason[0] == (
            f"all {len(values)} replicates have the same difference, so nothing shows how much it varies"
        )

    @pytest.mark.parametrize(("equal", "withheld"), [(4, False), (5, True), (7, True)])
    def test_there_is_no_verdict_if_most_differences_are_equal(self, equal: int, *, withheld: bool) -> None:
        values = np.array([[0.0] * equal + [0.01 * (-1) ** i * i for i in range(1, 9 - equal)]])
        found = equivalence(values, np.array([5.0]))
        assert bool(found.reason[0]) == withheld == (found.p[0] == 1.0)
        if withheld:
            assert found.reason[0].startswith(f"{equal} of 8 replicates have the same difference")

    def test_there_is_no_verdict_for_few_replicates(self) -> None:
        found = equivalence(np.array([[0.0, 0.1, -0.1, 0.2, 0.05]]), np.array([9.0]))
        assert found.p[0] == 1.0
        assert found.reason == ["5 replicates are too few for it, 6 is the fewest"]
        assert equivalence(np.ones((1, 1)), np.ones(1)).reason == ["1 replicate is too few for it, 6 is the fewest"]

    def test_a_margin_that_misses_replicates_gives_a_reason(self) -> None:
        margins = np.full((2, 8), 3.0)
        margins[1, 2] = np.nan
        found = equivalence(np.random.default_rng(0).normal(0, 0.1, (2, 8)), margins)
        assert found.p[0] < 0.05
        assert found.p[1] == 1.0
        assert ["misses some of these replicates" in reason for reason in found.reason] == [False, True]

    def test_without_margin_nothing_is_known(self) -> None:
        values = np.random.default_rng(0).normal(size=(3, 8))
        found = equivalence(values, np.array([np.nan, 9.0, 0.0]))
        assert np.isnan(found.p[[0, 2]]).all()
        assert found.p[1] < 0.05
        assert found.reason == ["", "", ""]
        assert equivalence(np.empty((0, 4)), np.empty(0)).p.shape == (0,)

    def test_it_is_about_the_estimate_in_use(self) -> None:
        """30 differences around 1.25 and 10 around -1.75 have the mean 0.5 and the interquartile mean 1.25."""
        values = np.r_[np.full(30, 1.25), np.full(10, -1.75)] + 0.001 * np.arange(40)
        mean, iqm = (equivalence(values[None], np.array([1.0]), estimate).p[0] for estimate in ("mean", "iqm"))
        assert values.mean() < 1.0 < interval(values, estimate="iqm").low
        assert iqm > 0.99
        assert mean < iqm


class TestHowManyReplicatesItNeeds:
    @pytest.mark.parametrize(("estimate", "n", "ratio"), [("mean", 9, 2.0), ("mean", 19, 1.0), ("iqm", 15, 1.0)])
    def test_the_power_is_that_of_simulated_studies(self, estimate: str, n: int, ratio: float) -> None:
        values = np.random.default_rng(3).normal(size=(4000, n))
        found = (equivalence(values, np.full(4000, ratio), estimate).p < 0.05).mean()
        assert found == pytest.approx(equivalence_power(ratio, n, estimate=estimate), abs=0.06)

    @given(st.floats(0.3, 5.0), st.sampled_from(["mean", "iqm"]))
    def test_it_is_the_fewest(self, ratio: float, estimate: str) -> None:
        n = replicates_for_equivalence(1.0, ratio, estimate=estimate)
        assert n is not None
        assert equivalence_power(ratio, n, estimate=estimate) >= 0.8
        assert n == 6 or equivalence_power(ratio, n - 1, estimate=estimate) < 0.8

    def test_a_margin_far_below_the_spread_cannot_be_shown(self) -> None:
        assert replicates_for_equivalence(1.0, 0.01) is None
        assert replicates_for_equivalence(0.0, 0.01) == 6
        assert replicates_for_equivalence(2.0, 4.0) == replicates_for_equivalence(1.0, 2.0)
