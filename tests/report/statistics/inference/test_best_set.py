"""Which variants may be the best one, against tests of every other one written down again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ablate.report.statistics.inference.best_set import behind, best_set, candidates

NAN = float("nan")
TABLES = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 5), st.integers(2, 8)), elements=st.floats(-9, 9).map(lambda x: round(x, 2))
)


def p_by_hand(values: np.ndarray, place: int) -> float:
    """The share of assignments of signs under which some other variant leads over this one as far; higher is better."""
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=values.shape[1])))
    leads = np.nan_to_num(np.delete(values, place, axis=0) - values[place]).T
    scale = np.sqrt((leads**2).sum(0))
    scale[scale == 0] = 1.0
    return float(((signs @ leads / scale).max(1) >= (leads.sum(0) / scale).max() - 1e-9).mean())


@given(TABLES)
@settings(max_examples=25)
def test_every_p_is_counted_by_hand(values: np.ndarray) -> None:
    found = best_set(values)
    assert found.p == pytest.approx([p_by_hand(values, place) for place in range(len(values))])
    assert found.behind == pytest.approx(behind(values))


def test_pairs_are_those_that_both_have() -> None:
    values = -np.array([[2.0, 2.3, 2.2, 2.1, NAN, NAN], [1.0, 1.3, 0.9, 1.1, 1.2, 1.0], [1.1, 1.2, 1.0, 1.0, 1.4, 1.1]])
    assert best_set(values).p[0] == pytest.approx(p_by_hand(values, 0))


def test_equal_variants_are_no_worse_than_each_other() -> None:
    assert best_set(np.array([[1.0] * 8, [1.0] * 8, [0.0] * 8])).p == pytest.approx([1.0, 1.0, 1 / 2**8])


def test_who_may_not_lead_excludes_nobody() -> None:
    values = np.arange(3.0)[:, None] + np.random.default_rng(0).normal(0, 0.01, (3, 8))
    everyone, nobody = best_set(values).p, best_set(values, may=np.zeros((3, 3), bool)).p
    assert everyone[:2] == pytest.approx(1 / 2**8)
    assert nobody.tolist() == [1.0] * 3
    only_middle = np.zeros((3, 3), bool)
    only_middle[1, 0] = True
    assert best_set(values, may=only_middle).p.tolist() == pytest.approx([everyone[0], 1.0, 1.0])


def test_many_variants_take_fewer_random_signs_and_leave_out_the_same() -> None:
    values = -(np.random.default_rng(0).normal(size=(14, 16)) + np.linspace(0, 3, 14)[:, None])
    found = best_set(values)
    assert found.behind.argmin() == 0
    assert found.p[13] < 0.05


CASES = st.integers(2, 6).flatmap(
    lambda count: st.tuples(
        hnp.arrays(np.int64, count, elements=st.integers(-1, 1)),
        hnp.arrays(np.float64, count, elements=st.sampled_from([0.001, 0.02, 0.03, 1.0])),
        st.integers(0, count - 1),
        st.integers(0, count - 1),
    )
)


@given(CASES)
def test_the_candidates_never_contradict_a_claim(case: tuple[np.ndarray, np.ndarray, int, int]) -> None:
    claims, p, baseline, first = case
    claims[baseline] = 0
    if claims[first] < 0 or (first == baseline and (claims > 0).any()):
        return  # no claim may exclude the first one
    kept = candidates(claims, baseline, p, first, 0.05)
    assert kept[first]
    assert not kept[claims < 0].any()
    assert kept[baseline] == (not (claims > 0).any())
    if kept.sum() == 1:
        (alone,) = np.flatnonzero(kept)
        others = np.delete(claims, alone)
        assert (others < 0).all() if alone == baseline else claims[alone] == 1


def test_two_others_are_compared_at_half_of_alpha() -> None:
    claims = np.array([0, 1, 1, 1])
    assert candidates(claims, 0, np.array([1.0, 1.0, 0.024, 0.026]), 1, 0.05).tolist() == [False, True, False, True]


def test_without_a_baseline_the_leads_decide_alone() -> None:
    assert candidates(np.array([0, 0]), None, np.array([1.0, 0.01]), 0, 0.05).tolist() == [True, False]
