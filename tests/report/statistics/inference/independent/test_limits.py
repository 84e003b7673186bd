"""Margins and numbers of runs for independent runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ablate.report.statistics.inference import equivalence as paired
from ablate.report.statistics.inference.independent import power
from ablate.report.statistics.inference.independent.equivalence import (
    Limit,
    equivalence,
    power_of,
    runs_for_equivalence,
)
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.statistics.inference.independent.joint import Family, max_t
from ablate.report.statistics.inference.independent.worlds import Runs

PAIR = np.array([1.0, -1.0])


def close(seed: int = 0, n: int = 8, apart: float = 0.0) -> Groups:
    rng = np.random.default_rng(seed)
    one, base = rng.normal(10 + apart, 0.1, n), rng.normal(10, 0.1, n)
    return Groups((one, base), PAIR)


def test_close_variants_are_inside_and_apart_they_are_not() -> None:
    assert equivalence(close(), Limit(1.0)).p < 0.01
    assert equivalence(close(apart=1.0), Limit(1.0)).p > 0.05
    assert equivalence(close(apart=3.0), Limit(1.0)).p > 0.5


def test_one_sample_against_a_constant_is_the_paired_test() -> None:
    """With one group that has a weight, the correction for skewness is that of pairs."""
    values = np.random.default_rng(1).exponential(size=10)
    expected = paired.equivalence(values[None], np.array([3.0]))
    assert equivalence(Groups((values,), np.array([1.0])), Limit(3.0)).p == pytest.approx(float(expected.p[0]))


def test_a_share_of_a_noisy_baseline_is_less_sure_than_the_number() -> None:
    groups = close(n=10)
    base = groups.values[1]
    share = Limit(0.05, base)
    assert share.value("mean") == pytest.approx(0.05 * base.mean())
    noisy = np.random.default_rng(2).normal(10, 2.5, 10)
    by_share = equivalence(Groups((groups.values[0], noisy), PAIR), Limit(0.4, noisy))
    by_number = equivalence(Groups((groups.values[0], noisy), PAIR), Limit(Limit(0.4, noisy).value("mean")))
    assert by_share.p != by_number.p
    third = equivalence(groups, Limit(0.05, 10 + np.linspace(-5, 5, 10)))
    assert third.p > equivalence(groups, Limit(0.5)).p, "the margin's own scatter counts"


@pytest.mark.parametrize(
    ("groups", "limit", "reason"),
    [
        (Groups((np.arange(5.0), np.arange(9.0)), PAIR), Limit(1.0), "5 runs are too few for it, 6 of each variant"),
        (Groups((np.arange(1.0), np.arange(9.0)), PAIR), Limit(1.0), "1 run is too few for it"),
        (Groups((np.array([0.0] * 5 + [1, 2, 3]), np.arange(8.0)), PAIR), Limit(9.0), "5 of 8 runs of a variant have"),
        (Groups((np.arange(8.0), np.arange(8.0)), PAIR), Limit(0.1, np.arange(4.0)), "4 runs are too few"),
    ],
)
def test_a_verdict_is_withheld_with_the_reason(groups: Groups, limit: Limit, reason: str) -> None:
    found = equivalence(groups, limit)
    assert found.p == 1.0
    assert found.reason.startswith(reason)


def test_without_a_margin_there_is_no_p() -> None:
    assert math.isnan(equivalence(close(), Limit(0.1, np.array([-1.0, 1.0]))).p)


def test_the_runs_for_an_equivalence_have_the_power_that_is_promised() -> None:
    groups = close(n=12)
    needed = runs_for_equivalence(groups, 0.2, 0.05, 0.8)
    assert needed is not None
    assert power_of(groups, 0.2, needed, 0.05) >= 0.8 > power_of(groups, 0.2, needed - 1, 0.05)
    assert runs_for_equivalence(groups, 1e-4, 0.05, 0.8) is None


def test_the_detectable_difference_is_found_as_often_as_promised() -> None:
    """By Welch's t of normal runs whose scatter is known to be that of the study."""
    groups = Groups((np.linspace(-1, 1, 7), np.linspace(-3, 3, 9)), PAIR)
    sds = np.sqrt(groups.variances)
    size = power.detectable(groups, 0.05, 0.8)
    rng, found = np.random.default_rng(0), 0
    for _ in range(400):
        one, other = rng.normal(size, sds[0], 7), rng.normal(0, sds[1], 9)
        low, high = Groups((one, other), PAIR).interval(0.95)
        found += low > 0 or high < 0
    assert found / 400 == pytest.approx(0.8, abs=0.07)
    assert power.detectable(groups, 0.001, 0.8) > size


def test_more_runs_are_needed_for_less_and_the_range_contains_both_ends() -> None:
    groups = Groups((np.linspace(-1, 1, 6) + 1, np.linspace(-1, 1, 6)), PAIR)
    numbers = [power.needed(groups, size, 0.05, 0.8) for size in (2.0, 1.0, 0.5)]
    assert None not in numbers
    assert numbers == sorted(numbers)
    few, many = power.runs_range(groups, 0.05, 0.8)
    assert few is not None
    assert many is None or few < many
    assert power.needed(groups, 1e-6, 0.05, 0.8) is None


def test_two_variants_need_four_runs_each_and_more_need_three() -> None:
    assert power.fewest_runs(0.05, two=True) == 4
    assert power.fewest_runs(0.05, two=False) == 3
    groups = [np.arange(3.0), np.arange(3.0) + 50, np.arange(3.0)]
    weights = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    family = Family(Runs(np.concatenate(groups)[:, None], np.repeat([0, 1, 2], 3), 3), np.zeros(2, int), weights)
    assert max_t(family).adjusted[0] < 0.05
