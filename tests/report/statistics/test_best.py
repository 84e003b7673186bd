"""Which variants may be the best one, against tests of every other one written down again."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support.effects_material import NAN, RULES, replicated

from ablate.report.statistics.best import Best, best_of, exclusion_p

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def one_sided(behind: Sequence[float]) -> float:
    """The share of assignments of signs that put it at least as far behind."""
    values = np.array(behind)
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(values))))
    return float((signs @ values >= values.sum() - 1e-9).mean())


SIX = [1.0, 1.3, 0.9, 1.1, 1.2, 1.0]
CLOSE = [1.1, 1.2, 1.0, 1.0, 1.4, 1.1]
FAR = [2.0, 2.3, 2.2, 2.1, 2.5, 1.9]


class TestByHand:
    def test_who_is_behind_every_time_is_left_out(self) -> None:
        found = best({"a": FAR, "b": SIX, "c": CLOSE})
        assert (found.metric, found.feature, found.name) == ("m", "f", "b")
        assert found.candidates == ("b", "c")
        assert dict(found.p) == pytest.approx({"a": 2 / 2**6, "c": 2 * one_sided(np.subtract(CLOSE, SIX).tolist())})

    def test_where_higher_is_better_it_is_the_other_way_round(self) -> None:
        negative: dict[str, list[float]] = {"a": [-x for x in FAR], "b": [-x for x in SIX], "c": [-x for x in CLOSE]}
        assert best(negative, "higher") == best({"a": FAR, "b": SIX, "c": CLOSE})
        assert best({"a": FAR, "b": SIX, "c": CLOSE}, "higher").name == "a"

    def test_more_others_ask_for_more(self) -> None:
        """Six replicates leave out one of two others (2/64), not one of four (4/64)."""
        assert best({"a": FAR, "b": SIX, "c": SIX}).candidates == ("b", "c")
        five = best({"a": FAR, "b": SIX, "c": SIX, "d": SIX, "e": SIX})
        assert five.p["a"] == pytest.approx(4 / 2**6)
        assert five.candidates == ("b", "a", "c", "d", "e")

    def test_alpha_decides(self) -> None:
        values = {"a": FAR, "b": SIX, "c": SIX}
        assert "a" in best(values, alpha=0.03).candidates
        assert "a" not in best(values, alpha=0.04).candidates

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
        found = best({"a": [*FAR[:4], NAN, NAN], "b": SIX, "c": CLOSE})
        assert found.p["a"] == pytest.approx(2 / 2**4)
        assert found.candidates == ("b", "a", "c"), "four replicates cannot leave anybody out"

    def test_one_common_replicate_leaves_nobody_out(self) -> None:
        found = best({"a": [5.0, NAN, NAN], "b": [1.0, 1.0, 1.0], "c": [NAN, NAN, NAN]})
        assert math.isnan(found.p["a"])
        assert found.candidates == ("b", "a")
        apart = best({"a": [5.0, NAN, 5.0], "b": [NAN, 1.0, NAN]})
        assert math.isnan(apart.p["a"])
        assert apart.candidates == ("b", "a")

    def test_who_leads_wherever_both_are_is_never_left_out(self) -> None:
        """The mean of the one rests on the easy replicates alone, and is the best for that."""
        lucky = [1.5, 1.6, 1.7, 1.8, 1.6, 1.5, 1.6, 1.7, NAN, NAN]
        steady = [1.0, 1.1, 1.2, 1.3, 1.1, 1.0, 1.1, 1.2, 9.0, 9.0]
        found = best({"steady": steady, "lucky": lucky})
        assert found.name == "lucky"
        assert found.p["steady"] == 1.0
        assert found.candidates == ("lucky", "steady")
        assert best({"steady": [-x for x in steady], "lucky": [-x for x in lucky]}, "higher") == found


class TestProperties:
    @given(TABLES, st.sampled_from(["lower", "higher"]))
    @settings(max_examples=25)
    def test_every_p_is_a_one_sided_test_times_the_others(self, table: np.ndarray, direction: str) -> None:
        found = best(named(table), direction)
        sign = 1 if direction == "lower" else -1
        means = (sign * table).mean(0)
        place = int(found.name[1:])
        assert means[place] == pytest.approx(means.min())
        for name, p in found.p.items():
            behind = sign * (table[:, int(name[1:])] - table[:, place])
            if behind.sum() > 1e-6:
                assert p == pytest.approx(min(1.0, len(found.p) * one_sided(behind.tolist())))
            else:
                assert p >= 0.5
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


def test_nobody_is_behind_by_nothing() -> None:
    assert exclusion_p([np.zeros(8), np.ones(1), np.empty(0)], RULES)[0] == 1.0
    assert all(math.isnan(p) for p in exclusion_p([np.zeros(8), np.ones(1), np.empty(0)], RULES)[1:])
    assert exclusion_p([], RULES) == []
