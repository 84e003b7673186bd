"""Which variants a report names as the possible best ones; what is claimed about the baseline decides."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.effects_material import NAN, RULES, replicated

from ablate.report.statistics.answers.best import Best, best_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.effects_material import Values

SIX = [1.0, 1.3, 0.9, 1.1, 1.2, 1.0]
CLOSE = [1.1, 1.2, 1.0, 1.0, 1.4, 1.1]
FAR = [2.0, 2.3, 2.2, 2.1, 2.5, 1.9]
#: The other variants are better than the first one.
ALL_BETTER = {"b": 1, "c": 1}


def best(values: Values, claims: Mapping[str, int], direction: str = "lower", **rules: Any) -> Best:
    chosen = dataclasses.replace(RULES, **rules)
    found = best_of(replicated(values, direction), list(values), ("m", "f"), direction, chosen, claims)
    assert found is not None
    return found


def test_a_baseline_that_another_one_beats_is_left_out() -> None:
    found = best({"a": FAR, "b": SIX, "c": CLOSE}, ALL_BETTER)
    assert (found.metric, found.feature, found.name) == ("m", "f", "b")
    assert found.candidates == ("b", "c")


def test_a_baseline_that_no_verdict_excludes_stays_however_far_it_is_behind() -> None:
    assert best({"a": FAR, "b": SIX, "c": CLOSE}, {}).candidates == ("b", "a", "c")


def test_a_variant_that_a_verdict_excludes_is_left_out() -> None:
    assert best({"a": SIX, "b": CLOSE, "c": CLOSE}, {"b": -1}).candidates == ("a", "c")
    assert best({"a": SIX, "b": CLOSE, "c": CLOSE}, {"b": -1, "c": -1}).candidates == ("a",)


def test_one_that_another_one_beats_is_left_out_if_the_other_one_is_claimed_to_be_as_good() -> None:
    values = {"a": np.add(FAR, 1), "b": SIX, "c": FAR}
    assert best(values, ALL_BETTER).candidates == ("b",)
    assert best(values, {"b": 1}).candidates == ("b",)
    undecided = best(values, {"c": 1})
    assert undecided.candidates == ("b", "c"), "b cannot be told from the baseline, so it cannot be the only best one"
    assert undecided.name == "b"


def test_where_higher_is_better_it_is_the_other_way_round() -> None:
    negative: dict[str, list[float]] = {"a": [-x for x in FAR], "b": [-x for x in SIX], "c": [-x for x in CLOSE]}
    expected = best({"a": FAR, "b": SIX, "c": CLOSE}, ALL_BETTER)
    found = best(negative, ALL_BETTER, "higher")
    assert (found.name, found.candidates) == (expected.name, expected.candidates)
    assert best({"a": FAR, "b": SIX, "c": CLOSE}, {"b": -1, "c": -1}, "higher").candidates == ("a",)


def test_six_replicates_leave_out_one_of_any_number() -> None:
    for count in (2, 3, 5, 9):
        values = {"a": np.add(FAR, 1), "x": FAR, **{f"b{place}": np.add(SIX, place / 100) for place in range(count)}}
        found = best(values, dict.fromkeys([*values][1:], 1))
        assert found.p["x"] <= 4 / 2**6 + 1e-9
        assert ("x" in found.candidates) == (found.p["x"] >= 0.05)


def test_alpha_decides() -> None:
    values = {"a": np.add(FAR, 1), "b": SIX, "c": FAR}
    p = best(values, ALL_BETTER).p["c"]
    assert "c" in best(values, ALL_BETTER, alpha=p * 0.99).candidates
    assert "c" not in best(values, ALL_BETTER, alpha=p * 1.01).candidates


def test_without_a_better_direction_or_another_variant_there_is_none() -> None:
    values = {"a": SIX, "b": FAR}
    assert best_of(replicated(values, "none"), ["a", "b"], ("m", "f"), "none", RULES, {}) is None
    assert best_of(replicated({"a": SIX}), ["a"], ("m", "f"), "lower", RULES, {}) is None
    assert best_of(replicated({"a": SIX, "b": [NAN]}), ["a", "b"], ("m", "f"), "lower", RULES, {}) is None


def test_what_was_not_measured_is_no_candidate() -> None:
    assert best({"a": FAR, "b": SIX, "c": [NAN] * 6}, {"b": 1}).candidates == ("b",)
    assert best({"a": [NAN] * 6, "b": SIX, "c": FAR}, {}).candidates == ("b",), "without a baseline, leads decide"


def test_the_interquartile_mean_is_not_led_astray() -> None:
    values = {"a": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 90.0], "b": [2.0, 2.1, 2.2, 2.0, 2.1, 2.2, 2.0, 2.1]}
    assert best(values, {}).name == "b"
    assert best(values, {}, estimate="iqm").name == "a"


def test_who_loses_in_every_common_replicate_does_not_look_best() -> None:
    """The mean of the one rests on the easy replicates alone."""
    lucky = [1.5, 1.6, 1.7, 1.8, 1.6, 1.5, 1.6, 1.7, NAN, NAN]
    steady = [1.0, 1.1, 1.2, 1.3, 1.1, 1.0, 1.1, 1.2, 9.0, 9.0]
    assert np.nanmean(lucky) < np.nanmean(steady)
    assert best({"steady": steady, "lucky": lucky}, {}).name == "steady"


@pytest.mark.parametrize("estimate", ["mean", "iqm"])
def test_no_common_replicate_leaves_nobody_out(estimate: str) -> None:
    apart = best({"a": [5.0, NAN, 5.0], "b": [NAN, 1.0, NAN]}, {}, estimate=estimate)
    assert set(apart.candidates) == {"a", "b"}


TABLES = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 8), st.integers(2, 5)), elements=st.floats(-9, 9).map(lambda x: round(x, 2))
)


@given(TABLES, st.data())
@settings(max_examples=20)
def test_neither_the_order_nor_what_replicates_share_matters(table: np.ndarray, data: st.DataObject) -> None:
    rows = data.draw(st.permutations(range(table.shape[0])))
    columns = [0, *data.draw(st.permutations(range(1, table.shape[1])))]
    shift = data.draw(hnp.arrays(np.float64, (table.shape[0], 1), elements=st.sampled_from([-4.0, 0.0, 8.0])))
    before = best({f"v{place}": table[:, place] for place in range(table.shape[1])}, {})
    means = np.round(table.mean(0), 6)
    if (means == means.min()).sum() > 1:
        return  # of equal ones, the first in the study's order is named
    after = best({f"v{place}": np.round(table + shift, 2)[rows, place] for place in columns}, {})
    assert (after.name, set(after.candidates)) == (before.name, set(before.candidates))
    assert dict(after.p) == pytest.approx(dict(before.p))
