"""Overlapped areas and divergences of two sets of distances."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy import stats

from ablate_setdistances.densities import MOST, NARROWEST, compare, density

DISTANCES = st.lists(st.integers(0, 1000), min_size=3, max_size=20).map(lambda numbers: np.array(numbers) / 8)


@given(DISTANCES, DISTANCES)
def test_densities_are_those_of_scipy(distances: np.ndarray, points: np.ndarray) -> None:
    assume(distances.std() > 1)
    theirs = stats.gaussian_kde(distances).logpdf(points)
    assert density(distances, 1.0).log(points) == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@settings(max_examples=25)
@given(DISTANCES, DISTANCES)
def test_comparisons_stay_in_their_bounds(one: np.ndarray, other: np.ndarray) -> None:
    found, back = compare(one, other), compare(other, one)
    assert 0 <= found.overlap <= 1
    assert 0 <= found.divergence < np.inf
    assert back.overlap == pytest.approx(found.overlap, abs=1e-9)
    assert compare(one, one) == pytest.approx((1, 0), abs=1e-6)


def test_two_normal_densities_have_the_overlap_and_divergence_of_the_formulas() -> None:
    """As many quantiles of two normal distributions as make their kernels narrow."""
    one = stats.norm(0, 1).ppf((np.arange(MOST) + 0.5) / MOST)
    found = compare(one, one + 2)
    width = np.sqrt(1 + MOST**-0.4)  # the kernels widen both
    assert found.overlap == pytest.approx(2 * stats.norm.cdf(-1 / width), abs=1e-3)
    assert found.divergence == pytest.approx(2 / width**2, rel=0.1)  # their tails are shorter


def test_the_two_grids_of_mgeval_make_a_shift_invisible() -> None:
    """Its ``kl_dist``, as it is written: the same numbers for a set of distances wherever the other one lies."""
    one = np.random.default_rng(0).gamma(2, 1, 60)
    for shift in (0.0, 5.0, 500.0):
        two_grids = [stats.gaussian_kde(each)(np.linspace(each.min(), each.max(), 1000)) for each in (one, one + shift)]
        assert stats.entropy(*two_grids) == pytest.approx(0, abs=1e-9)
        found = compare(one, one + shift)
        assert (found.divergence > 1) == (shift > 0)
        assert (found.overlap > 0.99) == (shift == 0)


def test_many_distances_are_replaced_by_quantiles() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.gamma(2, 1, 3 * MOST), rng.gamma(2.5, 1, 3 * MOST)
    line = np.linspace(-2, 30, 1001)
    p, q = stats.gaussian_kde(one)(line), stats.gaussian_kde(other)(line)
    assert compare(one, other).overlap == pytest.approx(np.minimum(p, q).sum() * (line[1] - line[0]), abs=1e-3)


def test_equal_distances_have_a_narrow_density() -> None:
    """A model that always writes the same piece; a density by Scott's rule does not exist."""
    spread = np.linspace(0.0, 10.0, 101)
    assert density(np.full(4, 5.0), 10.0).width == 10 * NARROWEST
    found = compare(np.full(4, 5.0), spread)
    assert 0 < found.overlap < 0.02
    assert 1 < found.divergence < 10
    assert compare(np.full(4, 5.0), np.full(9, 5.0)) == (1, 0)
