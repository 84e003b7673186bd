"""Sign-flip tests, against an enumeration written down again."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps

from ablate.report.statistics.inference import flips

if TYPE_CHECKING:
    from ablate.report.statistics.inference.intervals import Estimate

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

    def test_one_large_difference_does_not_hide_small_ones(self) -> None:
        assert flips.sign_flip(np.array([1e8, 1, 1, 1, 1, 1, 1, 1])) == pytest.approx(2 / 2**8)

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_only_finite_numbers_are_tested(self, value: float) -> None:
        with pytest.raises(ValueError, match="finite"):
            flips.sign_flip(np.array([1.0, value, 2.0]))

    def test_a_single_replicate_tests_nothing(self) -> None:
        assert math.isnan(float(flips.sign_flip(np.array([3.0]))))
        assert np.isnan(flips.sign_flip(np.ones((4, 1)))).all()


def statistic(row: np.ndarray, signs: np.ndarray, estimate: str) -> float:
    """A comparison's statistic under one assignment of signs, written down again."""
    known = ~np.isnan(row)
    scale = np.abs(row[known]).max() or 1.0
    values = row[known] / scale
    middle = sps.trim_mean(values * signs[known], 0.25 if estimate == "iqm" else 0.0)
    return abs(middle) * known.sum() / (math.sqrt((values**2).sum()) or 1.0)


def max_t_by_enumeration(differences: np.ndarray, estimate: str) -> tuple[np.ndarray, np.ndarray]:
    """p and adjusted p of step-down max-T, by trying every assignment of signs."""
    tested = [place for place, row in enumerate(differences) if (~np.isnan(row)).sum() > 1]
    p, adjusted = np.full(len(differences), math.nan), np.full(len(differences), math.nan)
    signs = [np.array(each) for each in itertools.product((1.0, -1.0), repeat=differences.shape[1])]
    table = np.array([[statistic(differences[place], each, estimate) for place in tested] for each in signs])
    observed, largest = table[0], 0.0
    order = list(np.argsort(-observed, kind="stable"))
    for step, place in enumerate(order):
        p[tested[place]] = (table[:, place] >= observed[place] - 1e-9).mean()
        largest = max(largest, (table[:, order[step:]].max(1) >= observed[place] - 1e-9).mean())
        adjusted[tested[place]] = largest
    return p, adjusted


class TestMaxT:
    @pytest.mark.parametrize("estimate", ["mean", "iqm"])
    @pytest.mark.parametrize("seed", range(8))
    def test_it_equals_an_enumeration(self, seed: int, estimate: Estimate) -> None:
        """With missing replicates, ties, rows of zeros and of constants, and huge and tiny scales."""
        rng = np.random.default_rng(seed)
        shape = (int(rng.integers(1, 6)), int(rng.integers(1, 8)))
        differences = rng.normal(size=shape)
        if seed % 2:
            differences = np.round(differences)
        differences *= 10.0 ** rng.integers(-300, 9, size=(len(differences), 1))
        differences[rng.random(shape) < 0.2] = math.nan
        differences[0] = 0.0 if seed % 3 else 1.5
        found = flips.max_t(differences, estimate)
        p, adjusted = max_t_by_enumeration(differences, estimate)
        assert found.p == pytest.approx(p, nan_ok=True)
        assert found.adjusted == pytest.approx(adjusted, nan_ok=True)

    def test_infinite_differences_are_refused(self) -> None:
        with pytest.raises(ValueError, match="infinite"):
            flips.max_t(np.array([[1.0, math.inf, 2.0]]))

    @pytest.mark.parametrize("estimate", ["mean", "iqm"])
    def test_a_comparison_without_replicates_has_the_statistic_0(self, estimate: Estimate) -> None:
        differences = np.array([[math.nan] * 3, [1.0, 2.0, 3.0]])
        assert flips.flipped(differences, np.ones((2, 3)), estimate)[:, 0].tolist() == [0.0, 0.0]
