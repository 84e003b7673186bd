"""Boundaries over joint sign flips, against enumerations, and their rates in short simulations."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablate.report.statistics.inference import flips
from ablate.report.statistics.inference.sequential import Look, claimed, conditional_power, sequential, spending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray

ALPHA = 0.05


def normal(seed: int, m: int, n: int, d: float = 0.0) -> FloatArray:
    """Return differences of m variants from one baseline; the first has the standardised difference d."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(m, n)) - rng.normal(size=(1, n))
    values[0] += math.sqrt(2) * d
    return values


def enumerated(differences: FloatArray, looks: Sequence[Look]) -> tuple[list[float], list[float]]:
    """Return the limits and what is spent at each look, by brute force over all flips of the last look."""
    n = looks[-1].replicates
    limits: list[float] = []
    spent: list[float] = []
    rows = []
    for signs in itertools.product((1.0, -1.0), repeat=n):
        flipped = differences[:, :n] * signs
        parts = [flipped[:, : look.replicates] for look in looks]
        rows.append([np.max(np.abs(p.sum(1)) / np.sqrt((p**2).sum(1))) for p in parts])
    statistics = np.array(rows).round(9)
    crossed = np.zeros(len(statistics), bool)
    for place, look in enumerate(looks):
        allowed = math.floor((ALPHA * look.share) * len(statistics) + 1e-9) - int(crossed.sum())
        limit = np.inf
        for candidate in np.unique(statistics[~crossed, place])[::-1]:
            if (statistics[~crossed, place] >= candidate).sum() > allowed:
                limit = candidate
                break
        crossed |= statistics[:, place] > limit
        limits.append(float(limit))
        spent.append(float(crossed.mean()))
    return limits, spent


def test_what_is_spent_equals_an_enumeration() -> None:
    differences = normal(3, 3, 10, 0.4)
    looks = [Look(6, 0.6), Look(8, 0.8), Look(10, 1.0)]
    _, spent = enumerated(differences, looks)
    assert sequential(differences, looks).spent == pytest.approx(spent)
    assert spent == sorted(spent)
    assert spent[-1] <= ALPHA


def test_claims_equal_an_enumeration() -> None:
    looks = [Look(6, 0.6), Look(10, 1.0)]
    for seed in range(20):
        differences = normal(seed, 3, 10, 1.0)
        limits, _ = enumerated(differences, looks)
        observed = np.stack(
            [np.abs(d.sum(1)) / np.sqrt((d**2).sum(1)) for d in (differences[:, :6], differences)], axis=1
        ).round(9)
        first_step = (observed > limits).any(axis=1)
        claims = claimed(differences, looks)
        assert list(sequential(differences, looks).adjusted < ALPHA) == list(claims)
        assert claims.any() == first_step.any()
        assert claims[first_step].all(), "step-down may only add claims"


def test_a_single_look_with_all_of_alpha_is_max_t() -> None:
    for seed in range(5):
        differences = normal(seed, 4, 9, 1.2)
        joint = flips.max_t(differences).adjusted
        adjusted = sequential(differences, [Look(9, 1.0)]).adjusted
        assert list(adjusted < ALPHA) == list(joint < ALPHA)
        assert adjusted.min() == pytest.approx(joint.min(), rel=0.006)


def test_a_claim_stays_at_later_looks() -> None:
    differences = normal(1, 4, 12, 2.5)
    looks = [Look(n, n / 12) for n in (6, 8, 10, 12)]
    p = [sequential(differences, looks[: k + 1]).adjusted[0] for k in range(4)]
    assert p == sorted(p, reverse=True)


def test_an_undeclared_look_spends_only_what_is_left() -> None:
    differences = normal(2, 2, 12)
    spent = sequential(differences, [Look(8, 1.0), Look(10, math.nan), Look(12, math.nan)]).spent
    assert spent[0] == pytest.approx(6 / 128)  # the steps of p do not reach 0.05
    assert (np.diff(spent) >= 0).all()
    assert spent[-1] <= ALPHA


def test_a_look_that_could_claim_nothing_costs_nothing() -> None:
    differences = normal(2, 2, 8, 3.0)
    alone = sequential(differences, [Look(8, 1.0)])
    after_two = sequential(differences, [Look(2, 1.0), Look(8, math.nan)])
    assert after_two.adjusted[0] == pytest.approx(alone.adjusted[0])
    assert list(after_two.spent) == [0.0, alone.spent[0]]


def test_a_look_without_a_share_adds_no_claim() -> None:
    differences = np.array([[0.1, -0.2, 0.1, 0.3, -0.1, 0.2, 5.0, 6.0, 5.5, 5.2]])
    test = sequential(differences, [Look(6, 1.0), Look(10, 0.0)])
    assert test.adjusted[0] > ALPHA
    assert test.spent[1] == test.spent[0]


def test_missing_replicates_and_comparisons() -> None:
    differences = normal(4, 3, 8, 2.0)
    differences[1, 3] = np.nan
    differences[2] = np.nan
    adjusted = sequential(differences, [Look(6, 0.75), Look(8, 1.0)]).adjusted
    assert np.isnan(adjusted[2])
    assert np.isfinite(adjusted[:2]).all()
    whole = sequential(differences[:2], [Look(6, 0.75), Look(8, 1.0)]).adjusted
    assert list(adjusted[:2]) == pytest.approx(list(whole))


def test_spending() -> None:
    assert [spending(x) for x in (-1, 0, 0.25, 1, 2)] == [0, 0, 0.25, 1, 1]
    early = spending(1 / 3, "obrien-fleming")
    assert early * ALPHA == pytest.approx(0.00068, abs=2e-5)  # 2 (1 - Phi(1.96 / sqrt(1/3)))
    assert spending(1.0, "obrien-fleming") == 1.0


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.sampled_from(["linear", "obrien-fleming"]))
@settings(max_examples=30)
def test_spending_grows(one: float, other: float, rule: str) -> None:
    low, high = sorted((one, other))
    assert 0 <= spending(low, rule) <= spending(high, rule) <= 1  # type: ignore[arg-type]


def test_conditional_power() -> None:
    assert conditional_power(math.inf, 8, 24, 0.05) == 1.0
    assert conditional_power(0.0, 8, 24, 0.0125) < 0.01
    assert conditional_power(1.0, 8, 24, 0.0125) > 0.95
    assert conditional_power(0.3, 24, 24, 0.0125) == 0.0
    rng = np.random.default_rng(0)
    sums = 8 * 0.4 + rng.normal(16 * 0.4, 4, 100_000)  # the other 16 replicates, if 0.4 is the true effect
    simulated = (np.abs(sums) / math.sqrt(24) >= 2.0687).mean()  # t of 23 degrees of freedom
    assert conditional_power(0.4, 8, 24, 0.05) == pytest.approx(simulated, abs=0.01)
    # a wide margin decides what a difference cannot
    assert conditional_power(0.0, 8, 24, 0.0125, margin=2.0) > 0.95


class TestRates:
    """Short forms of the tables in docs/explanation/simulations.md."""

    def claims(self, studies: int, d: float, looks: Sequence[Look]) -> tuple[float, float]:
        """Return the share of studies that claim the first (any if d is 0), and the mean replicates used."""
        found, used = [], []
        for seed in range(studies):
            differences = normal(1000 + seed, 4, looks[-1].replicates, d)
            for place in range(len(looks)):
                claims = claimed(differences, looks[: place + 1])
                if claims[0] if d else claims.any():
                    break
            found.append(bool(claims[0] if d else claims.any()))
            used.append(looks[place].replicates)
        return float(np.mean(found)), float(np.mean(used))

    def test_declared_looks_keep_the_level(self) -> None:
        false, used = self.claims(60, 0.0, [Look(n, n / 12) for n in (6, 9, 12)])
        assert false <= 0.135  # 0.05 and three standard errors
        assert used > 11

    def test_declared_looks_find_a_difference_with_fewer_replicates(self) -> None:
        found, used = self.claims(60, 1.5, [Look(n, n / 16) for n in (8, 12, 16)])
        assert found > 0.9
        assert used < 12

    def test_undeclared_looks_keep_the_level(self) -> None:
        looks = [Look(8, 1.0), *(Look(n, math.nan) for n in range(9, 13))]
        false, _ = self.claims(60, 0.0, looks)
        assert false <= 0.135  # three standard errors


def test_an_undeclared_look_spends_half_of_what_is_left() -> None:
    """After a first look with half of alpha; the steps of p are far smaller."""
    looks = [Look(10, 0.5), Look(12, math.nan), Look(14, math.nan)]
    first, second, third = sequential(normal(5, 3, 14), looks).spent
    assert first == pytest.approx(ALPHA / 2, abs=0.002)
    assert second - first == pytest.approx((ALPHA - first) / 2, abs=0.001)
    assert third - second == pytest.approx((ALPHA - second) / 2, abs=0.001)
