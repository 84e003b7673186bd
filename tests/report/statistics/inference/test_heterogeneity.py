"""The spread of a difference between blocks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as sps

from ablate.report.statistics.inference.heterogeneity import heterogeneity


def blocks_of(seed: int, *means: float, sd: float = 1.0, n: int = 6) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [mean + sd * rng.standard_normal(n) for mean in means]


def test_the_sd_is_that_of_the_means_without_the_scatter_inside() -> None:
    groups = blocks_of(1, 0.0, 2.0, 5.0)
    means = [group.mean() for group in groups]
    expected = np.var(means, ddof=1) - np.mean([group.var(ddof=1) / 6 for group in groups])
    assert heterogeneity(groups).sd == pytest.approx(np.sqrt(expected))


def test_p_is_the_larger_of_two_tests() -> None:
    groups = [*blocks_of(2, 0.0, 0.5), *blocks_of(3, 1.0, sd=3.0)]
    assert heterogeneity(groups).p >= sps.f_oneway(*groups).pvalue - 1e-12
    welch = sps.f_oneway(*groups, equal_var=False).pvalue if "equal_var" in sps.f_oneway.__doc__ else 0.0
    assert heterogeneity(groups).p == pytest.approx(max(welch, sps.f_oneway(*groups).pvalue)) or not welch


def test_two_blocks_of_one_scatter_are_welch_s_t_test() -> None:
    groups = [*blocks_of(4, 0.0, sd=0.3), *blocks_of(5, 0.6, sd=0.3)]
    welch = sps.ttest_ind(*groups, equal_var=False).pvalue
    assert heterogeneity(groups).p == pytest.approx(max(welch, sps.ttest_ind(*groups).pvalue))


def test_the_interval_inverts_the_noncentral_f_distribution() -> None:
    groups = blocks_of(6, 0.0, 3.0, 6.0)
    found = heterogeneity(groups)
    within = np.mean([group.var(ddof=1) for group in groups])
    f = sps.f_oneway(*groups).statistic
    for end, share in ((found.low, 0.975), (found.high, 0.025)):
        noncentrality = end**2 * 6 * 2 / within
        assert sps.ncf.cdf(f, 2, 15, noncentrality) == pytest.approx(share, abs=1e-4)
    assert found.low < found.sd < found.high


@pytest.mark.parametrize("sd", [1e-2, 1e-5, 1e-9])
def test_little_scatter_inside_gives_finite_ends(sd: float) -> None:
    found = heterogeneity(blocks_of(7, 1.0, 2.0, 3.0, sd=sd))
    assert found.sd == pytest.approx(1.0, rel=0.05)
    assert 0.4 < found.low < 1 < found.high < 2.5
    assert found.p < 1e-6


def test_values_without_any_scatter() -> None:
    assert heterogeneity([np.full(3, 0.1), np.full(3, 0.1)]) == (0.0, 0.0, 0.0, 1.0)
    assert heterogeneity([np.full(3, 0.1), np.full(3, 0.3)]).p == 0.0


def test_too_few_values_are_unknown() -> None:
    assert np.isnan(heterogeneity([np.ones(1), np.ones(1), np.arange(3.0)])).all()


def test_scale_and_a_common_effect_change_nothing_but_the_unit() -> None:
    groups = blocks_of(8, 0.0, 1.0, 2.0)
    one, other = heterogeneity(groups), heterogeneity([100 * group + 7 for group in groups])
    assert other.p == pytest.approx(one.p)
    assert other[:3] == pytest.approx([100 * value for value in one[:3]], rel=1e-4)
