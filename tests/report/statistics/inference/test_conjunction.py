"""Partial conjunction: in how many blocks does a comparison hold?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as sps

from ablate.report.statistics.inference.conjunction import (
    claims,
    enough_replicates,
    one_sided,
    partial_conjunction,
    reachable,
)

P_VALUES = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=6)


@pytest.mark.parametrize("values", [[0.3, 0.1, -0.2, 0.5], [1.0, 1.0, 1.0], [-1.0, 0.2, 0.1, 0.0, 2.0]])
def test_one_side_counts_all_assignments_of_signs(values: list[float]) -> None:
    row = np.array(values)
    sums = [float(np.dot(signs, row)) for signs in itertools.product((1, -1), repeat=len(row))]
    expected = np.mean([total >= row.sum() - 1e-12 for total in sums])
    assert one_sided(row[None])[0] == pytest.approx(expected)


def test_one_side_of_missing_replicates_and_of_nothing() -> None:
    rows = np.array([[1.0, np.nan, 2.0, 3.0], [np.nan] * 4, [0.0] * 4])
    assert one_sided(rows).tolist() == [1 / 8, 1.0, 1.0]


def test_fisher_s_combination_of_the_largest_p_values() -> None:
    p = np.array([0.5, 0.01, 0.04, 0.02])
    for k in range(1, 5):
        largest = np.sort(p)[k - 1 :]
        expected = sps.combine_pvalues(largest, method="fisher").pvalue
        assert partial_conjunction(p)[k - 1] == pytest.approx(expected)


@given(P_VALUES)
def test_more_blocks_are_never_easier_to_claim(p: list[float]) -> None:
    found = partial_conjunction(np.array(p))
    assert (np.diff(found) >= 0).all()
    assert found[-1] >= max(p) - 1e-12


@given(P_VALUES, st.integers(0, 5), st.floats(0.1, 1.0))
def test_a_smaller_p_never_lowers_a_claim(p: list[float], which: int, factor: float) -> None:
    smaller = np.array(p)
    smaller[which % len(p)] *= factor
    assert (partial_conjunction(smaller) <= partial_conjunction(np.array(p)) + 1e-12).all()


def test_claims_are_corrected_for_the_comparisons_that_are_open() -> None:
    every = np.full(3, 0.001)
    first, second = np.array([0.001, 0.02, 0.03]), np.array([0.03, 0.04, 0.2])
    alone = claims(second[None], 0.05)
    assert (alone.blocks.tolist(), alone.p.tolist()) == ([2], [0.04])
    both = claims(np.stack([first, second]), 0.05)
    assert both.blocks.tolist() == [2, 0]
    assert both.p.tolist() == [0.04, 0.06]
    # a comparison that is claimed for all blocks does not count any more
    assert claims(np.stack([every, second]), 0.05).blocks.tolist() == [3, 2]


def test_claims_of_no_comparison() -> None:
    assert len(claims(np.empty((0, 3)), 0.05).blocks) == 0


@pytest.mark.parametrize(
    ("replicates", "blocks", "family", "expected"),
    [(3, 4, 1, 0), (4, 4, 1, 2), (5, 4, 1, 3), (6, 4, 1, 4), (6, 4, 4, 3)],
)
def test_few_replicates_limit_the_claims(replicates: int, blocks: int, family: int, expected: int) -> None:
    assert reachable(replicates, blocks, family, 0.05) == expected


def test_replicates_that_are_enough_for_all_blocks() -> None:
    assert [enough_replicates(4, family, 0.05) for family in (1, 2, 4)] == [6, 7, 8]
    assert enough_replicates(2, 10**12, 0.05) is None
