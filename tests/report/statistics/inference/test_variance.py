"""Variance components: sampling within a training, and training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps

from ablate.report.statistics.inference.variance import components, optimal_samples, ratio_of

#: Three trainings of two samples: means 2, 5 and 11, half distances 1, 2 and 0.
SMALL = np.array([[1.0, 3.0], [3.0, 7.0], [11.0, 11.0]])


def test_the_components_of_a_small_table_are_those_computed_by_hand() -> None:
    found = components(SMALL)
    assert found
    assert (found.replicates, found.samples) == (3, 2)
    assert found.sampling.value == pytest.approx((2 + 8 + 0) / 3)
    assert found.training.value == pytest.approx(21 - 10 / 6)
    assert found.share.value == pytest.approx(10 / 6 / 21)
    assert found.variance(6, 5) == pytest.approx((found.training.value + found.sampling.value / 5) / 6)
    assert found.variance(3, 2, share=1.0) == pytest.approx(21 / 3)


def test_the_interval_of_the_share_is_that_of_the_jackknife_of_its_logarithm() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(8, 1)) + 2 * rng.normal(size=(8, 4))

    def log_share(rows: np.ndarray) -> float:
        return math.log(rows.var(axis=1, ddof=1).mean() / 4 / rows.mean(1).var(ddof=1))

    pseudo = [8 * log_share(values) - 7 * log_share(np.delete(values, r, axis=0)) for r in range(8)]
    low, high = sps.ttest_1samp(pseudo, 0.0).confidence_interval(0.9)
    found = components(values, level=0.9)
    assert found
    assert found.share.low == pytest.approx(math.exp(low))
    assert found.share.high == pytest.approx(min(1.0, math.exp(high)))


def test_equal_replicates_leave_nothing_for_the_training() -> None:
    found = components(np.array([[0.0, 1.0]] * 5))
    assert found
    assert found.training.value == 0.0
    assert found.share.value == found.share.low == found.share.high == 1.0
    assert found.sampling.value == pytest.approx(0.5)


def test_equal_samples_leave_nothing_for_sampling() -> None:
    found = components(np.repeat(np.arange(5.0)[:, None], 3, axis=1))
    assert found
    assert (found.sampling.value, found.share.value) == (0.0, 0.0)
    assert found.training.value == pytest.approx(2.5)


def test_replicates_may_have_different_numbers_of_samples_or_none() -> None:
    gaps = np.array([[1.0, 3.0, math.nan], [3.0, 7.0, 5.0], [math.nan] * 3, [11.0, math.nan, 11.0], [4, 4.5, 5]])
    found = components(gaps)
    assert found
    assert found.replicates == 4
    assert found.samples == pytest.approx(4 / (1 / 2 + 1 / 3 + 1 / 2 + 1 / 3))
    assert found.sampling.value == pytest.approx((2 + 8 + 0 + 0.5) / (1 + 2 + 1 + 2))
    noise = found.sampling.value / found.samples
    assert found.training.value == pytest.approx(np.var([2, 5, 11, 4.5], ddof=1) - noise)


def test_comparisons_together_use_the_samples_that_all_of_them_have() -> None:
    other = SMALL[:, ::-1] * 2
    both = components(np.stack([SMALL, other]))
    alone = components(SMALL)
    assert both
    assert alone
    assert both.sampling.value == pytest.approx(5 * alone.sampling.value)
    assert both.training.value == pytest.approx(5 * alone.training.value)
    padded = np.vstack([other, [[9.0, 1.0]]])
    missing = np.vstack([SMALL, [[math.nan, math.nan]]])
    assert components(np.stack([missing, padded])) == both


@pytest.mark.parametrize(
    "values",
    [SMALL[:2], SMALL[:, :1], np.ones((4, 3)), np.array([[1.0, 2.0], [1.0, math.nan], [3.0, math.nan]])],
    ids=["two replicates", "one sample", "nothing varies", "two samples in one replicate only"],
)
def test_there_is_no_answer_where_the_parts_cannot_be_told_apart(values: np.ndarray) -> None:
    assert components(values) is None


@given(hnp.arrays(float, (5, 3), elements=st.floats(-100, 100).map(lambda x: round(x, 3))), st.integers(-3, 3))
def test_shift_order_and_scale_do_not_matter(values: np.ndarray, power: int) -> None:
    found = components(values)
    changed = components(values[::-1, ::-1] * 2.0**power)
    assert (found is None) == (changed is None)
    if found and changed:
        assert changed.share.value == pytest.approx(found.share.value, abs=1e-9)
        assert changed.sampling.value == pytest.approx(4.0**power * found.sampling.value, abs=1e-9)
        assert 0 <= found.share.value <= 1
        assert found.training.low <= found.training.high


def test_the_best_number_of_samples_is_that_of_sampling_in_two_stages() -> None:
    assert optimal_samples(4.0, 100.0, 1.0) == 20.0
    costs = {m: (1 + 4 / m) * (100 + m) for m in range(1, 100)}
    assert min(costs, key=costs.__getitem__) == 20
    assert optimal_samples(0.0, 100.0, 1.0) == 1.0
    assert optimal_samples(4.0, 0.0, 1.0) == 1.0
    assert optimal_samples(math.inf, 100.0, 1.0) == math.inf
    assert optimal_samples(4.0, 100.0, 0.0) == math.inf


def test_the_ratio_of_the_components_has_the_share_that_it_was_computed_from() -> None:
    ratio = ratio_of(0.95, 4)
    assert ratio / 4 / (1 + ratio / 4) == pytest.approx(0.95)
    assert ratio_of(1.0, 4) == math.inf
