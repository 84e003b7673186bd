"""Tests of independent runs against scipy's and against permutations written down again."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as sps

from ablate.report.statistics.inference.independent import joint, worlds
from ablate.report.statistics.inference.independent.best_set import best_set
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.statistics.inference.independent.joint import Family, max_t
from ablate.report.statistics.inference.independent.moments import deviates, welch_p
from ablate.report.statistics.inference.independent.worlds import Runs, divisions, shuffled, smallest_p

SIZES = st.lists(st.integers(3, 6), min_size=2, max_size=4)


def runs_of(groups: list[np.ndarray]) -> Runs:
    index = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return Runs(np.concatenate(groups)[:, None], index, len(groups))


def against_first(count: int) -> np.ndarray:
    weights = np.zeros((count - 1, count))
    weights[:, 0], weights[np.arange(count - 1), np.arange(1, count)] = -1.0, 1.0
    return weights


def family_of(groups: list[np.ndarray]) -> Family:
    return Family(runs_of(groups), np.zeros(len(groups) - 1, int), against_first(len(groups)))


@given(st.integers(0, 1000), st.integers(2, 9), st.integers(2, 9), st.sampled_from([1e-6, 1.0, 1e6]))
def test_a_difference_of_two_is_welchs(seed: int, n: int, m: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    one, other = scale * rng.normal(size=n), scale * rng.exponential(size=m)
    groups = Groups((other, one), np.array([1.0, -1.0]))
    expected = sps.ttest_ind(other, one, equal_var=False)
    ends = expected.confidence_interval(0.95)
    assert float(welch_p(groups.sums)[0]) == pytest.approx(expected.pvalue)
    assert groups.interval(0.95) == pytest.approx((ends.low, ends.high))
    assert float(groups.sums.freedom[0]) == pytest.approx(expected.df)


def test_interquartile_means_are_yuens() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.lognormal(size=9), rng.lognormal(size=13)
    groups = Groups((one, other), np.array([1.0, -1.0]), "iqm")
    expected = sps.ttest_ind(one, other, equal_var=False, trim=0.25)
    assert float(welch_p(groups.sums)[0]) == pytest.approx(expected.pvalue)


def test_a_weighted_sum_has_the_error_of_its_parts() -> None:
    rng = np.random.default_rng(1)
    values, weights = tuple(rng.normal(size=n) for n in (4, 7, 5)), np.array([0.5, 0.5, -1.0])
    found = Groups(values, weights).sums
    parts = weights**2 * [own.var(ddof=1) / len(own) for own in values]
    assert float(found.error[0]) == pytest.approx(math.sqrt(parts.sum()))
    assert float(found.freedom[0]) == pytest.approx(parts.sum() ** 2 / (parts**2 / [3, 6, 4]).sum())


def test_what_does_not_vary_and_what_is_single() -> None:
    same = Groups((np.full(4, 0.1 + 0.2), np.full(5, 0.3)), np.array([1.0, -1.0]))
    assert float(welch_p(same.sums)[0]) == 1.0
    apart = Groups((np.full(4, 2.0), np.full(5, 1.0)), np.array([1.0, -1.0]))
    assert (float(welch_p(apart.sums)[0]), apart.interval(0.95), apart.effect) == (0.0, (1.0, 1.0), math.inf)
    single = Groups((np.array([1.0]), np.arange(4.0)), np.array([1.0, -1.0]))
    assert float(single.sums.difference[0]) == -0.5
    assert np.isnan(single.interval(0.95)).all()


def test_the_share_of_pairs_that_one_wins() -> None:
    groups = Groups((np.array([1.0, 2.0]), np.array([0.0, 2.0, 3.0])), np.array([1.0, -1.0]))
    assert groups.p_better == pytest.approx((1 + 1 + 0.5) / 6)
    assert Groups(tuple(np.arange(3.0) for _ in range(3)), np.array([0.5, 0.5, -1.0])).p_better != 0.5


@given(SIZES)
def test_every_division_comes_once_and_the_observed_one_first(sizes: list[int]) -> None:
    if divisions(sizes) > 500:
        return
    groups = [np.arange(float(sum(sizes[:at])), sum(sizes[: at + 1])) for at in range(len(sizes))]
    every = [np.concatenate(values, axis=1) for (values,) in shuffled(runs_of(groups))]
    worlds_ = np.concatenate(every)
    assert (
        len(worlds_)
        == divisions(sizes)
        == len({tuple(map(frozenset, np.split(w, np.cumsum(sizes)[:-1]))) for w in worlds_})
    )
    assert worlds_[0].tolist() == list(range(sum(sizes)))


@given(st.integers(0, 100), st.integers(3, 5), st.integers(3, 5))
@settings(max_examples=15, deadline=None)
def test_p_of_two_is_that_of_all_divisions(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.exponential(size=n), rng.exponential(size=m) + rng.choice([0.0, 2.0])
    pooled = np.concatenate([one, other])

    def size(chosen: tuple[int, ...]) -> float:
        groups = Groups((np.delete(pooled, chosen), pooled[list(chosen)]), np.array([1.0, -1.0]))
        return abs(float(deviates(groups.sums)[0]))

    observed = size(tuple(range(n)))
    permuted = np.mean([size(c) >= observed * (1 - 1e-9) for c in itertools.combinations(range(n + m), n)])
    found = max_t(family_of([one, other]))
    welch = sps.ttest_ind(one, other, equal_var=False).pvalue
    assert found.p[0] == pytest.approx(max(permuted, welch))
    assert found.adjusted[0] >= found.p[0]
    assert found.p[0] >= smallest_p([n, m]) - 1e-12


def test_three_and_three_runs_cannot_claim_and_four_can() -> None:
    for n, reachable in ((3, False), (4, True)):
        found = max_t(family_of([np.arange(float(n)), np.arange(float(n)) + 100]))
        assert (found.adjusted[0] < 0.05) == reachable
        assert (found.level > 0) == reachable


def test_a_missing_value_leaves_the_other_quantities_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "RANDOM", 999)
    rng = np.random.default_rng(2)
    values, group = rng.normal(size=(15, 2)), np.repeat(np.arange(3), 5)
    values[group == 1, 0] += 5.0
    whole = Family(Runs(values, group, 3), np.array([0, 0, 1, 1]), np.tile(against_first(3), (2, 1)))
    complete = max_t(whole)
    values = values.copy()
    values[[2, 7], 1] = np.nan
    some = max_t(whole._replace(runs=Runs(values, group, 3)))
    assert (complete.adjusted < 0.05).tolist() == (some.adjusted < 0.05).tolist() == [True, False, False, False]
    values[group == 2, 1] = np.nan
    none = max_t(whole._replace(runs=Runs(values, group, 3)))
    assert np.isnan(none.p).tolist() == [False, False, False, True]


def test_drawn_runs_scatter_as_the_variants_do() -> None:
    rng = np.random.default_rng(3)
    one = rng.multivariate_normal([0, 0], [[1.0, 0.9], [0.9, 1.0]], size=6)
    other = 5.0 * rng.normal(size=(4, 2))
    runs = Runs(np.concatenate([one, other]), np.repeat([0, 1], [6, 4]), 2)
    batches = list(worlds.drawn(runs, 4000))
    first, second = (np.concatenate([batch[q][0] for batch in batches]) for q in (0, 1))
    assert first.shape == (4000, 6)
    assert np.cov(first.ravel(), second.ravel()) == pytest.approx(np.cov(one.T), rel=0.06, abs=0.05)
    wide = np.concatenate([batch[1][1] for batch in batches])
    assert wide.var() == pytest.approx(other[:, 1].var(ddof=1), rel=0.05)


@pytest.mark.parametrize("seed", [0, 1])
def test_scale_and_shift_change_no_p(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = [rng.normal(at, 1, 3) for at in (0, 1, 4)]
    before, after = (max_t(family_of(each)) for each in (groups, [1000 * own + 7 for own in groups]))
    assert after.adjusted == pytest.approx(before.adjusted, abs=0.003)


def test_a_family_costs_less_than_holm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many comparisons of the same runs are hardly more than one: their statistics are the same."""
    monkeypatch.setattr(worlds, "RANDOM", 1999)
    rng = np.random.default_rng(5)
    groups = [rng.normal(0, 1, 6), rng.normal(2.2, 1, 6)]
    one = family_of(groups)
    many = one._replace(quantity=np.zeros(20, int), weights=np.repeat(one.weights, 20, axis=0))
    _, holm, _, _ = joint.each_test(many)
    assert max_t(many).adjusted.max() == pytest.approx(max_t(one).adjusted[0])
    assert holm.min() > 10 * max_t(one).p[0] / 2


def test_the_best_of_independent_runs_is_named_and_few_runs_exclude_nobody() -> None:
    rng = np.random.default_rng(6)
    groups = [rng.normal(at, 0.3, n) for at, n in ((0.0, 8), (2.0, 5), (0.1, 12), (0.0, 2))]
    found = best_set(groups)
    assert found.behind.argmin() == 1
    assert (found.p < 0.025).tolist() == [True, False, True, False]
    nobody = best_set(groups, may=np.zeros((4, 4), bool))
    assert nobody.p.tolist() == [1.0] * 4
