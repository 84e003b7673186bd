"""Two groups of replicates without shared seeds: against an enumeration written again, scipy, and simulated nulls."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as sps
from support.effects_material import holm_by_hand

from ablate.report.statistics.inference import unpaired
from ablate.report.statistics.inference.unpaired import two_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.report.statistics.inference.intervals import Estimate

NAN = float("nan")


def size_of_t(one: Sequence[float], other: Sequence[float], trim: float) -> float:
    found = sps.ttest_ind(other, one, equal_var=False, trim=trim).statistic
    return 0.0 if math.isnan(found) else abs(float(found))


def by_hand(one: list[list[float]], other: list[list[float]], trim: float = 0.0) -> tuple[list[float], list[float]]:
    """The p of each row over all divisions of the replicates, and the p of step-down max-T, both in plain Python."""
    pooled = [a + b for a, b in zip(one, other, strict=True)]
    size, total = len(one[0]), len(pooled[0])
    divisions = list(itertools.combinations(range(total), size))
    table = [
        [size_of_t([row[i] for i in chosen], [row[i] for i in range(total) if i not in chosen], trim) for row in pooled]
        for chosen in divisions
    ]
    observed = table[0]
    own = [sum(row[j] >= observed[j] * (1 - 1e-9) for row in table) / len(table) for j in range(len(pooled))]
    adjusted, last = [0.0] * len(pooled), 0.0
    remaining = sorted(range(len(pooled)), key=lambda j: -observed[j])
    while remaining:
        bound = observed[remaining[0]] * (1 - 1e-9)
        last = max(last, sum(max(row[j] for j in remaining) >= bound for row in table) / len(table))
        adjusted[remaining.pop(0)] = last
    return own, adjusted


@pytest.mark.parametrize(("estimate", "trim"), [("mean", 0.0), ("iqm", 0.25)])
def test_p_is_that_of_every_division_tried_in_turn(estimate: Estimate, trim: float) -> None:
    rng = np.random.default_rng(5)
    one, other = rng.normal(size=(3, 4)), rng.normal([[0.0], [1.5], [3.0]], 2.0, size=(3, 5))
    found = two_sample(one, other, estimate)
    own, adjusted = by_hand(one.tolist(), other.tolist(), trim)
    welch = [float(sps.ttest_ind(b, a, equal_var=False, trim=trim).pvalue) for a, b in zip(one, other, strict=True)]
    assert found.p.tolist() == pytest.approx(np.maximum(own, welch))
    assert found.adjusted.tolist() == pytest.approx(np.maximum(adjusted, holm_by_hand(welch)))
    assert (found.adjusted >= found.p - 1e-12).all()


@pytest.mark.parametrize(("estimate", "trim"), [("mean", 0.0), ("iqm", 0.25)])
@given(data=st.data())
@settings(max_examples=25)
def test_intervals_are_welchs_and_yuens(estimate: Estimate, trim: float, data: st.DataObject) -> None:
    numbers = st.lists(st.integers(-1000, 1000), min_size=2, max_size=12, unique=True)
    one, other = (np.array(data.draw(numbers), float) for _ in range(2))
    result = sps.ttest_ind(other, one, equal_var=False, trim=trim)
    if not math.isfinite(result.statistic):
        return
    found = two_sample(one[None], other[None], estimate)
    expected = result.confidence_interval(0.95)
    assert found.p[0] >= result.pvalue * (1 - 1e-9)
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))


def test_an_example_by_hand() -> None:
    """3 and 3 replicates that do not overlap: 2 of the 20 divisions are as extreme."""
    found = two_sample(np.array([[1.0, 2.0, 3.0]]), np.array([[11.0, 12.0, 13.0]]))
    assert found.p[0] == pytest.approx(2 / 20)
    assert found.difference[0] == 10.0
    half = sps.t.ppf(0.975, 4) * math.sqrt(2 / 3)
    assert (found.low[0], found.high[0]) == pytest.approx((10 - half, 10 + half))
    assert found.effect[0] == pytest.approx(10 * (1 - 3 / 15))


def test_a_missing_replicate_is_left_out_of_its_row_only() -> None:
    one, other = np.array([[1.0, 2.0, 4.0, NAN], [5.0, 1.0, 2.0, 9.0]]), np.array([[3.0, 7.0], [2.0, 2.5]])
    found, short = two_sample(one, other), two_sample(one[:1, :3], other[:1])
    assert [getattr(found, key)[0] for key in ("difference", "low", "high", "effect")] == pytest.approx(
        [getattr(short, key)[0] for key in ("difference", "low", "high", "effect")]
    )
    assert not np.isnan(found.p).any()


def test_one_replicate_has_a_difference_and_nothing_else() -> None:
    found = two_sample(np.array([[1.0]]), np.array([[3.0, 4.0]]))
    assert found.difference[0] == 2.5
    assert all(math.isnan(getattr(found, key)[0]) for key in ("low", "high", "effect", "p", "adjusted"))
    assert math.isnan(two_sample(np.array([[NAN]]), np.array([[3.0, 4.0]])).difference[0])


def test_equal_constants_do_not_differ_and_unequal_ones_do() -> None:
    found = two_sample(np.array([[0.1] * 4, [0.1] * 4]), np.array([[0.1] * 4, [0.3] * 4]))
    assert found.p.tolist() == pytest.approx([1.0, 2 / 70])
    assert found.difference.tolist() == pytest.approx([0.0, 0.2])


def test_beyond_the_exact_ones_random_divisions_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(2, 6)), rng.normal(0.8, size=(2, 6))
    exact = two_sample(one, other)
    monkeypatch.setattr(unpaired, "EXACT_UP_TO", 1)
    drawn, again = two_sample(one, other), two_sample(one, other)
    assert drawn.p.tolist() == again.p.tolist()
    assert drawn.p.tolist() == pytest.approx(exact.p.tolist(), abs=0.02)
    assert drawn.p.min() >= 1 / (unpaired.RANDOM + 1)


def test_the_order_of_replicates_and_the_unit_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=(2, 5)), rng.normal(1.0, size=(2, 5))
    p = two_sample(one, other).p.tolist()
    assert two_sample(one[:, ::-1], other[:, ::-1]).p.tolist() == pytest.approx(p)
    assert two_sample(1e-9 * one, 1e-9 * other).p.tolist() == pytest.approx(p)
    assert two_sample(other, one).p.tolist() == pytest.approx(p)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_false_claims_of_four_comparisons_are_at_most_as_stated(scale: float) -> None:
    """For one distribution, and for normal values of which one group is four times noisier."""
    rng = np.random.default_rng(11)
    studies = 300
    false = sum(
        two_sample(rng.normal(size=(4, 6)), scale * rng.normal(size=(4, 6))).adjusted.min() < 0.05
        for _ in range(studies)
    )
    assert false / studies <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
