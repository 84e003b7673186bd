"""Which variants may be the best one, against tests of every other one written down again."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.effects_material import NAN, RULES, replicated

from ablate.report.statistics.answers.best import Best, best_of

if TYPE_CHECKING:
    from support.effects_material import Values

TABLES = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 8), st.integers(2, 5)), elements=st.floats(-9, 9).map(lambda x: round(x, 2))
)


def best(values: Values, direction: str = "lower", **rules: Any) -> Best:
    chosen = dataclasses.replace(RULES, **rules)
    found = best_of(replicated(values, direction), list(values), ("m", "f"), direction, chosen)
    assert found is not None
    return found


def named(table: np.ndarray) -> dict[str, np.ndarray]:
    return {f"v{place}": table[:, place] for place in range(table.shape[1])}


def p_by_hand(table: np.ndarray, place: int) -> float:
    """The share of assignments of signs under which some other variant leads over this one as far; lower is better."""
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(table))))
    others = np.delete(table, place, axis=1)
    behind = np.nan_to_num(table[:, [place]] - others)
    scale = np.sqrt((behind**2).sum(0))
    scale[scale == 0] = 1.0
    return float(((signs @ behind / scale).max(1) >= (behind.sum(0) / scale).max() - 1e-9).mean())


SIX = [1.0, 1.3, 0.9, 1.1, 1.2, 1.0]
CLOSE = [1.1, 1.2, 1.0, 1.0, 1.4, 1.1]
FAR = [2.0, 2.3, 2.2, 2.1, 2.5, 1.9]


class TestByHand:
    def test_who_is_behind_every_time_is_left_out(self) -> None:
        found = best({"a": FAR, "b": SIX, "c": CLOSE})
        assert (found.metric, found.feature, found.name) == ("m", "f", "b")
        assert found.candidates == ("b", "c")
        table = np.array([FAR, SIX, CLOSE]).T
        assert dict(found.p) == pytest.approx({"a": p_by_hand(table, 0), "c": p_by_hand(table, 2)})
        assert found.p["a"] < 0.05

    def test_where_higher_is_better_it_is_the_other_way_round(self) -> None:
        negative: dict[str, list[float]] = {"a": [-x for x in FAR], "b": [-x for x in SIX], "c": [-x for x in CLOSE]}
        assert best(negative, "higher") == best({"a": FAR, "b": SIX, "c": CLOSE})
        assert best({"a": FAR, "b": SIX, "c": CLOSE}, "higher").name == "a"

    def test_six_replicates_leave_out_one_of_any_number(self) -> None:
        for count in (2, 3, 5, 9):
            found = best({"a": FAR, **{f"b{place}": np.add(SIX, place / 100) for place in range(count)}})
            assert found.p["a"] <= 2 / 2**6
            assert "a" not in found.candidates

    def test_alpha_decides(self) -> None:
        values = {"a": FAR, "b": SIX, "c": CLOSE}
        p = best(values).p["a"]
        assert "a" in best(values, alpha=p * 0.99).candidates
        assert "a" not in best(values, alpha=p * 1.01).candidates

    def test_without_a_better_direction_or_another_variant_there_is_none(self) -> None:
        values = {"a": SIX, "b": FAR}
        assert best_of(replicated(values, "none"), ["a", "b"], ("m", "f"), "none", RULES) is None
        assert best_of(replicated({"a": SIX}), ["a"], ("m", "f"), "lower", RULES) is None
        assert best_of(replicated({"a": SIX, "b": [NAN]}), ["a", "b"], ("m", "f"), "lower", RULES) is None

    def test_what_was_not_measured_is_no_candidate(self) -> None:
        found = best({"a": FAR, "b": SIX, "c": [NAN] * 6})
        assert found.candidates == ("b",)
        assert found.p == pytest.approx({"a": 1 / 2**6})

    def test_the_interquartile_mean_is_not_led_astray(self) -> None:
        values = {"a": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 90.0], "b": [2.0, 2.1, 2.2, 2.0, 2.1, 2.2, 2.0, 2.1]}
        assert best(values).name == "b"
        assert best(values, estimate="iqm").name == "a"


class TestMissingReplicates:
    def test_pairs_are_those_that_both_have(self) -> None:
        table = np.array([[*FAR[:4], NAN, NAN], SIX, CLOSE]).T
        found = best({"a": table[:, 0], "b": SIX, "c": CLOSE})
        assert found.p["a"] == pytest.approx(p_by_hand(table, 0))
        assert found.candidates == ("b", "a", "c"), "four replicates cannot leave anybody out"

    def test_who_loses_in_every_common_replicate_is_not_the_best(self) -> None:
        """a has the better mean, for replicates that b does not have."""
        values = {"a": [2.0, 2.1, 2.2, 2.0, 0.1, 0.0, 0.2, 0.1], "b": [1.5, 1.4, 1.6, 1.5, NAN, NAN, NAN, NAN]}
        assert np.nanmean(values["a"]) < np.nanmean(values["b"])
        assert best(values).name == "b"

    @pytest.mark.parametrize("estimate", ["mean", "iqm"])
    def test_no_common_replicate_leaves_nobody_out(self, estimate: str) -> None:
        apart = best({"a": [5.0, NAN, 5.0], "b": [NAN, 1.0, NAN]}, estimate=estimate)
        assert dict(apart.p) == {"b": 1.0}
        assert set(apart.candidates) == {"a", "b"}

    def test_who_loses_wherever_both_are_does_not_look_best(self) -> None:
        """The mean of the one rests on the easy replicates alone."""
        lucky = [1.5, 1.6, 1.7, 1.8, 1.6, 1.5, 1.6, 1.7, NAN, NAN]
        steady = [1.0, 1.1, 1.2, 1.3, 1.1, 1.0, 1.1, 1.2, 9.0, 9.0]
        found = best({"steady": steady, "lucky": lucky})
        assert (found.name, found.candidates) == ("steady", ("steady",))
        assert best({"steady": [-x for x in steady], "lucky": [-x for x in lucky]}, "higher") == found


class TestProperties:
    @given(TABLES, st.sampled_from(["lower", "higher"]))
    @settings(max_examples=25)
    def test_every_p_is_counted_by_hand(self, table: np.ndarray, direction: str) -> None:
        found = best(named(table), direction)
        sign = 1 if direction == "lower" else -1
        means = (sign * table).mean(0)
        assert means[int(found.name[1:])] == pytest.approx(means.min())
        for name, p in found.p.items():
            assert p == pytest.approx(p_by_hand(sign * table, int(name[1:])))
        left = {name for name, p in found.p.items() if p < RULES.alpha}
        assert set(found.candidates) == {found.name, *found.p} - left
        assert found.candidates[0] == found.name

    @given(TABLES, st.data())
    @settings(max_examples=20)
    def test_neither_the_order_nor_what_replicates_share_matters(self, table: np.ndarray, data: st.DataObject) -> None:
        rows = data.draw(st.permutations(range(table.shape[0])))
        columns = data.draw(st.permutations(range(table.shape[1])))
        shift = data.draw(hnp.arrays(np.float64, (table.shape[0], 1), elements=st.sampled_from([-4.0, 0.0, 8.0])))
        before = best(named(table))
        means = np.round(table.mean(0), 6)
        if (means == means.min()).sum() > 1:
            return  # of equal ones, the first in the study's order is named
        values = {f"v{place}": np.round(table + shift, 2)[rows, place] for place in columns}
        after = best(values)
        assert after.name == before.name
        assert set(after.candidates) == set(before.candidates)
        assert dict(after.p) == pytest.approx(dict(before.p))

    @given(TABLES)
    @settings(max_examples=20)
    def test_a_stricter_alpha_leaves_out_fewer(self, table: np.ndarray) -> None:
        strict, lax = (set(best(named(table), alpha=alpha).candidates) for alpha in (0.01, 0.2))
        assert lax <= strict


def test_equal_variants_are_all_candidates() -> None:
    found = best({"a": [1.0] * 8, "b": [1.0] * 8, "c": [2.0] * 8})
    assert found.candidates == ("a", "b")
    assert found.p["b"] == 1.0


def test_many_variants_take_fewer_random_signs_and_leave_out_the_same() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(16, 14)) + np.linspace(0, 3, 14)
    found = best(named(table))
    assert found.name == "v0"
    assert "v13" not in found.candidates
