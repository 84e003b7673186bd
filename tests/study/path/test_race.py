"""Races: which changes are dropped."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.study.path.race import EXACT_UP_TO, clearly_worse


def test_four_losses_in_four_replicates_are_clear_at_a_tenth_and_three_are_not() -> None:
    """One of 16 assignments of signs has all deficits on this side."""
    leader = np.zeros(4)
    always, thrice = np.array([1.0, 2.0, 1.5, 1.0]), np.array([1.0, 2.0, 1.5, -1.0])
    assert clearly_worse(np.array([leader, always]), 1 / 16).tolist() == [False, True]
    assert clearly_worse(np.array([leader, always]), 0.06).tolist() == [False, False]
    assert clearly_worse(np.array([leader, thrice]), 0.1).tolist() == [False, False]


def test_the_leader_itself_and_a_candidate_like_it_stay() -> None:
    assert not clearly_worse(np.zeros((3, 8)), 0.4).any()


def test_a_missing_replicate_counts_as_no_difference() -> None:
    with_gap = np.array([[0.0] * 5, [1.0, 1.0, 1.0, 1.0, np.nan]])
    assert clearly_worse(with_gap, 1 / 16).tolist() == [False, True]
    assert clearly_worse(with_gap, 0.06).tolist() == [False, False]


@pytest.mark.parametrize("replicates", [EXACT_UP_TO, EXACT_UP_TO + 1, 20])
def test_many_replicates_are_drawn_with_the_same_result_each_time(replicates: int) -> None:
    rng = np.random.default_rng(1)
    deficits = np.vstack([np.zeros(replicates), rng.normal(1.5, 1, replicates), rng.normal(0, 1, replicates)])
    first = clearly_worse(deficits, 0.05)
    assert first.tolist() == [False, True, False]
    assert (clearly_worse(deficits, 0.05) == first).all()


@given(st.integers(2, 5), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_it_agrees_with_an_enumeration(candidates: int, replicates: int, seed: int) -> None:
    deficits = np.random.default_rng(seed).normal(0.5, 1, (candidates, replicates))
    deficits[0] = 0.0

    def statistics(signs: tuple[int, ...]) -> list[float]:
        flipped = [[sign * value for sign, value in zip(signs, row, strict=True)] for row in deficits[1:]]
        return [sum(row) / sum(value**2 for value in row) ** 0.5 for row in flipped]

    maxima = [max(statistics(signs)) for signs in itertools.product((1, -1), repeat=replicates)]
    observed = statistics((1,) * replicates)
    p = [sum(largest >= each - 1e-9 for largest in maxima) / len(maxima) for each in observed]
    assert clearly_worse(deficits, 0.2).tolist() == [False, *(each <= 0.2 for each in p)]
