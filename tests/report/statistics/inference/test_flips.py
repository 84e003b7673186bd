"""Sign-flip tests, against an enumeration written down again."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps

from ablate.report.statistics.inference import flips

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
