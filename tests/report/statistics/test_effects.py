"""Effects are what they are called, worked out again by other means."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps
from support.effects_material import (
    NAN,
    RULES,
    crossed,
    holm_by_hand,
    judged,
    max_t_by_hand,
    measured,
    replicated,
    sign_flip_by_hand,
)

from ablate.report.data.variants import Variants
from ablate.report.statistics import verdicts
from ablate.report.statistics.comparisons.trends import trend_weights
from ablate.report.statistics.comparisons.weights import against_baseline, factorial_effects, study_contrasts
from ablate.report.statistics.effects import estimates, judge
from ablate.report.statistics.inference.equivalence import equivalence
from ablate.report.statistics.margins import Margin
from ablate.report.statistics.replicates import Replicates
from ablate.study.design import Axis, factorial

Q = ("m", "f")
QUANTITY = list(Q)
NUMBERS = st.floats(-50, 50).map(lambda x: round(x, 3))


class TestReplicates:
    def test_only_replicates_with_all_variants_count(self) -> None:
        values = {"a": [1.0, 2.0, NAN, 4.0], "b": [2.0, NAN, 7.0, 8.0], "c": [0.0, 1.0, 1.0, 3.0]}
        found = replicated(values)
        assert found.differences(*Q, {"b": 1.0, "a": -1.0}).tolist() == pytest.approx([1.0, NAN, NAN, 4.0], nan_ok=True)
        third = found.differences(*Q, {"c": 1.0, "a": -1.0})
        assert third.tolist() == pytest.approx([-1.0, -1.0, NAN, -1.0], nan_ok=True)
        both = found.differences(*Q, {"a": 1.0, "b": 1.0, "c": -2.0})
        assert both.tolist() == pytest.approx([3.0, NAN, NAN, 6.0], nan_ok=True)

    def test_a_variant_without_values_has_no_differences(self) -> None:
        found = replicated({"a": [1.0, 2.0], "b": [NAN, NAN]})
        assert found.differences(*Q, {"b": 1.0, "a": -1.0}).tolist() == pytest.approx([NAN, NAN], nan_ok=True)

    def test_samples_are_averaged_inside_their_replicate(self) -> None:
        found = replicated({"a": [[1.0, 3.0], [5.0, 5.0]], "b": [[10.0, 10.0, 40.0], [0.0, 2.0, 4.0]]})
        assert found.differences(*Q, {"b": 1.0, "a": -1.0}).tolist() == [18.0, -3.0]

    def test_equal_values_differ_by_nothing_at_all(self) -> None:
        """A third of 0.1 three times is not 0.1, and would be a difference of one sign in every replicate."""
        axes = [Axis("part0.c", (0, 1)), Axis("part1.a", (0, 1, 2))]
        variants = factorial(axes, {"part0.c": 0, "part1.a": 0})
        values = {v.name: [(0.1, 0.3, 0.7)[v.levels["part1.a"]]] * 8 for v in variants}
        effects = list(factorial_effects(*crossed(variants), {}))
        found = judged(replicated(values), effects).set_index("comparison")
        assert found.loc["c=1", "difference"] == 0.0
        assert found.loc["c=1", ["p", "verdict"]].tolist() == [1.0, "alike"]
        assert found.loc["a=1", "verdict"] == "worse"


VALUES = hnp.arrays(np.float64, st.tuples(st.integers(2, 7), st.integers(2, 4)), elements=NUMBERS)


def ours(margin: float) -> dict[tuple[str, str], Margin]:
    return {Q: Margin(margin)}


def judge_table(table: np.ndarray, direction: str = "lower", **rules: Any) -> pd.DataFrame:
    """Each column but the first against the first one, a variant each."""
    names = [f"v{place}" for place in range(table.shape[1])]
    values = {name: table[:, place] for place, name in enumerate(names)}
    pairs = list(against_baseline(Variants({name: {} for name in names}, "v0")))
    margins = rules.pop("margins", {})
    return judged(replicated(values, direction), pairs, margins, dataclasses.replace(RULES, **rules))


class TestCompared:
    @given(VALUES, st.floats(0.1, 60))
    @settings(max_examples=25)
    def test_every_number_worked_out_again(self, table: np.ndarray, margin: float) -> None:
        found = judge_table(table, margins=ours(margin))
        differences = (table[:, 1:] - table[:, :1]).T
        n = table.shape[0]
        raw = [sign_flip_by_hand(each) for each in differences]
        assert found["n"].tolist() == [n] * len(differences)
        assert found["difference"].tolist() == pytest.approx(differences.mean(1).tolist(), abs=1e-9)
        assert found["p"].tolist() == pytest.approx(raw)
        assert found["p_adjusted"].tolist() == pytest.approx(max_t_by_hand(differences))
        assert found["family"].tolist() == [len(raw)] * len(raw)
        assert found["margin_of"].tolist() == ["the study's margin"] * len(raw)
        for row, each in zip(found.to_dict("records"), differences, strict=True):
            se = each.std(ddof=1) / math.sqrt(n)
            assume(se == 0 or se > 1e-6)
            half = sps.t.ppf(0.975, n - 1) * se
            assert (row["low"], row["high"]) == pytest.approx((each.mean() - half, each.mean() + half), abs=1e-6)
            if se:
                hedges = 1 - 3 / (4 * (n - 1) - 1)
                assert row["effect"] == pytest.approx(each.mean() / each.std(ddof=1) * hedges, abs=1e-9)

    @given(VALUES, st.floats(0.1, 60))
    @settings(max_examples=25)
    def test_equivalence_is_corrected_for_the_family_and_verdicts_follow(
        self, table: np.ndarray, margin: float
    ) -> None:
        differences = (table[:, 1:] - table[:, :1]).T
        found = judge_table(table, margins=ours(margin))
        alone = equivalence(differences, np.full(len(differences), margin))
        assert found["p_equivalent"].tolist() == pytest.approx(holm_by_hand(alone.p.tolist()), abs=1e-9)
        assert found["withheld"].tolist() == alone.reason
        for row in found.to_dict("records"):
            assert row["verdict"] == verdicts.decide(row, 0.05)

    def test_how_often_it_is_better_goes_with_the_direction(self) -> None:
        table = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 0.0], [0.0, -1.0]])
        lower, higher = (judge_table(table, direction=way).iloc[0] for way in ("lower", "higher"))
        assert lower["p_better"] == pytest.approx(1.5 / 4)
        assert higher["p_better"] == pytest.approx(2.5 / 4)
        assert lower["p_better_low"] == pytest.approx(1 - higher["p_better_high"])
        assert 0 < higher["p_better_low"] < 0.625 < higher["p_better_high"] < 1

    def test_effect_equivalence_and_difference_are_about_the_estimate_in_use(self) -> None:
        """30 differences near +1.25 and 10 near -1.75: their mean is 0.5, their interquartile mean 1.25."""
        differences = np.r_[np.full(30, 1.25), np.full(10, -1.75)] + 0.001 * np.arange(40)
        table = np.column_stack([np.zeros(40), differences])
        row = judge_table(table, margins=ours(1.0), estimate="iqm").iloc[0]
        assert row["difference"] == pytest.approx(1.265, abs=0.01)
        assert row["low"] > 1.0
        assert row["p_equivalent"] > 0.99
        assert row["effect"] > 5
        assert row["verdict"] == "worse"

    @given(VALUES, st.data())
    @settings(max_examples=20)
    def test_the_order_of_variants_and_replicates_is_nothing(self, table: np.ndarray, data: st.DataObject) -> None:
        before = judge_table(table)
        rows = data.draw(st.permutations(range(table.shape[0])))
        columns = data.draw(st.permutations(range(1, table.shape[1])))
        after = judge_table(table[rows][:, [0, *columns]])
        numbers = ["difference", "low", "high", "p", "p_adjusted", "n", "family", "level"]
        expected = before.loc[[column - 1 for column in columns], numbers].to_numpy(float)
        assert after[numbers].to_numpy(float) == pytest.approx(expected, abs=1e-9)

    @given(VALUES, st.data())
    @settings(max_examples=20)
    def test_what_a_replicate_gives_to_every_variant_is_no_difference(
        self, table: np.ndarray, data: st.DataObject
    ) -> None:
        """Of such a shift, the variants' own means know; the pairs do not."""
        shift = data.draw(hnp.arrays(np.float64, (table.shape[0], 1), elements=NUMBERS))
        numbers = ["difference", "low", "high", "p", "p_adjusted"]
        after, before = (judge_table(np.round(each, 3))[numbers].to_numpy(float) for each in (table + shift, table))
        assert after == pytest.approx(before, abs=1e-6)

    @given(VALUES, st.sampled_from([0.25, 2.0, 1024.0]))
    @settings(max_examples=20)
    def test_a_unit_scales_differences_and_leaves_p_effect_and_verdict(self, table: np.ndarray, factor: float) -> None:
        before = judge_table(table, margins=ours(2.0))
        after = judge_table(table * factor, margins=ours(2.0 * factor))
        for name in ("difference", "low", "high"):
            assert after[name].tolist() == pytest.approx((before[name] * factor).tolist())
        for name in ("p", "p_adjusted", "p_equivalent", "effect"):
            assert after[name].tolist() == pytest.approx(before[name].tolist(), nan_ok=True)
        assert after["verdict"].tolist() == before["verdict"].tolist()

    def test_a_sign_swaps_better_and_worse(self) -> None:
        rng = np.random.default_rng(1)
        table = rng.normal(size=(10, 4)) + np.array([0.0, -3.0, 3.0, 0.1])
        swap = {"better": "worse", "worse": "better"}
        before = judge_table(table)["verdict"].tolist()
        assert before[:2] == ["better", "worse"]
        assert judge_table(-table)["verdict"].tolist() == [swap.get(each, each) for each in before]
        assert judge_table(table, "higher")["verdict"].tolist() == [swap.get(each, each) for each in before]
        assert judge_table(table, "none")["verdict"].tolist()[:2] == ["lower", "higher"]

    def test_samples_never_count_as_replicates(self) -> None:
        """Ten times the samples with the same mean are the same study."""
        rng = np.random.default_rng(2)
        few: dict[str, Any] = {name: rng.normal(size=(6, 2)) for name in "abc"}
        many = {name: np.tile(values, (1, 10)) for name, values in few.items()}
        pairs = list(against_baseline(Variants({"a": {}, "b": {}, "c": {}}, "a")))
        columns = ["n", "difference", "low", "high", "p", "p_adjusted", "effect"]
        one, other = (judged(replicated(each), pairs)[columns].to_numpy(float) for each in (few, many))
        assert other == pytest.approx(one)
        assert one[:, 0].tolist() == [6, 6]

    def test_comparisons_of_more_and_of_fewer_replicates_are_one_family(self) -> None:
        rng = np.random.default_rng(3)
        values = {"a": rng.normal(size=8), "b": rng.normal(2, 1, 8), "c": rng.normal(3, 1, 8), "d": rng.normal(0, 1, 8)}
        values["c"][[1, 4]] = NAN
        found = judged(replicated(values), against_baseline(Variants({k: {} for k in values}, "a")))
        everything = [values[name] - values["a"] for name in "bcd"]
        differences = [each[~np.isnan(each)] for each in everything]
        assert found["n"].tolist() == [8, 6, 8]
        assert found["difference"].tolist() == pytest.approx([float(each.mean()) for each in differences])
        raw = [sign_flip_by_hand(each) for each in differences]
        assert found["p"].tolist() == pytest.approx(raw)
        assert found["p_adjusted"].tolist() == pytest.approx(max_t_by_hand(everything))

    def test_a_single_replicate_tells_nothing_and_is_in_no_family(self) -> None:
        found = judge_table(np.array([[1.0, 2.0, 3.0]]))
        assert found["difference"].tolist() == [1.0, 2.0]
        assert found[["low", "high", "effect", "p", "p_adjusted", "p_equivalent"]].isna().all(axis=None)
        assert found["family"].tolist() == [0, 0]
        assert set(found["verdict"]) == {"inconclusive"}
        values = {"a": np.arange(6.0), "b": np.arange(6.0) + 1, "c": np.array([9.0, *[NAN] * 5])}
        mixed = judged(replicated(values), against_baseline(Variants({k: {} for k in values}, "a")))
        assert mixed["family"].tolist() == [1, 1]
        assert mixed.loc[0, "p_adjusted"] == pytest.approx(2 / 2**6), "what cannot be tested takes no share of alpha"

    def test_each_role_is_one_family_of_every_kind_and_quantity(self) -> None:
        rng = np.random.default_rng(4)
        roles = {("m", "f"): "primary", ("m", "g"): "secondary", ("other", "f"): "secondary", ("n", "f"): "exploratory"}
        names, shifts = ("a", "b", "c"), np.array([[0.0], [1.0], [0.5]])
        tables = {key: dict(zip(names, rng.normal(size=(3, 7)) + shifts, strict=True)) for key in roles}
        found = Replicates(pd.concat([measured(values, *key) for key, values in tables.items()]))
        variants = Variants({name: {"p.x": place} for place, name in enumerate(names)}, "a")
        contrasts = study_contrasts({"b - c": {"b": 1, "c": -1}}, variants)
        chosen = [*against_baseline(variants), *contrasts, *trend_weights(variants, {"p.x": "x"})]
        rows = judged(found, chosen, roles=roles)
        sizes = {"primary": 4, "secondary": 8}
        for role, size in sizes.items():
            part = rows[rows["role"] == role]
            assert set(part["family"]) == {size}
            assert set(part["kind"]) == {"variant", "contrast", "trend"}
            assert part["p_adjusted"].tolist() == pytest.approx(max_t_by_hand(part["values"].tolist()))
        explored = rows[rows["role"] == "exploratory"]
        assert explored["kind"].tolist() == ["variant", "variant", "contrast"]
        assert explored[["p_adjusted", "level", "p_equivalent"]].isna().all(axis=None)
        assert set(explored["verdict"]) == {""}
        assert explored["p"].tolist() == pytest.approx([sign_flip_by_hand(each) for each in explored["values"]])

    def test_the_margin_of_a_difference_is_not_that_of_a_slope(self) -> None:
        rng = np.random.default_rng(6)
        values = {name: 0.001 * rng.normal(size=8) for name in "abc"}
        variants = Variants({name: {"p.x": place} for place, name in enumerate(values)}, "a")
        chosen = [*against_baseline(variants), *trend_weights(variants, {"p.x": "x"})]
        rows = judged(replicated(values), chosen, ours(50.0)).set_index("kind")
        assert set(rows.loc["variant", "verdict"]) == {"equivalent"}
        assert rows.loc["trend", ["margin", "p_equivalent"]].isna().all()
        assert rows.loc["trend", "verdict"] == "inconclusive"

    def test_one_quantity_has_a_margin_and_another_has_none(self) -> None:
        rng = np.random.default_rng(5)
        values = {"a": rng.normal(size=8), "b": rng.normal(size=8)}
        found = Replicates(pd.concat([measured(values, "m", feature) for feature in ("f", "g")]))
        rows = judged(found, against_baseline(Variants({"a": {}, "b": {}}, "a")), ours(50.0))
        assert rows["verdict"].tolist() == ["equivalent", "inconclusive"]
        assert rows["margin"].isna().tolist() == [False, True]
        assert rows["margin_of"].tolist() == ["the study's margin", ""]
        assert rows["p_equivalent"].isna().tolist() == [False, True]

    def test_only_the_quantities_asked_for(self) -> None:
        found = Replicates(pd.concat([measured({"a": [1.0, 2.0], "b": [2.0, 2.5]}, "m", f) for f in ("f", "g")]))
        asked = found.quantities[found.quantities["feature"] == "g"].assign(direction="higher", role="primary")
        rows = judge(found, list(against_baseline(Variants({"a": {}, "b": {}}, "a"))), {}, RULES, asked)
        assert rows[["feature", "direction"]].to_numpy().tolist() == [["g", "higher"]]

    def test_nothing_to_compare_is_an_empty_frame_with_every_column(self) -> None:
        there = judge_table(np.arange(8.0).reshape(4, 2))
        pairs = list(against_baseline(Variants({"v0": {}, "v1": {}}, "v0")))
        nothing = judged(replicated({"v0": [1.0, 2.0]}), [])
        unmeasured = judged(Replicates(measured({"v0": [NAN], "v1": [NAN]})), pairs)
        for empty in (nothing, unmeasured):
            assert empty.empty
            assert set(empty.columns) == set(there.columns)

    def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end(self) -> None:
        table = np.zeros((8, 2))
        table[:, 1] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0, 900.0]
        (row,) = judge_table(table, estimate="iqm").to_dict("records")
        assert row["difference"] == pytest.approx(np.mean([3, 4, 5, 6]))
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=8)))
        middles = np.sort(signs * table[:, 1], axis=1)[:, 2:-2].mean(1)
        assert row["p"] == pytest.approx(2 * (middles >= row["difference"] - 1e-9).mean())
        assert 1.0 <= row["low"] < row["difference"] < row["high"] <= 900.0
        assert judge_table(table)["difference"].tolist() == pytest.approx([table[:, 1].mean()])


def test_every_variant_by_itself_has_a_mean_with_its_interval() -> None:
    values = {"a": [[1.0, 3.0], [4.0, 6.0], [7.0, 11.0]], "b": [[2.0], [NAN], [NAN]], "c": [[1.0, 1.0]] * 3}
    found = estimates(measured(values), RULES).set_index("variant")
    means = np.array([2.0, 5.0, 9.0])
    half = sps.t.ppf(0.975, 2) * means.std(ddof=1) / math.sqrt(3)
    assert found.loc["a", "estimate"] == pytest.approx(means.mean())
    assert (found.loc["a", "low"], found.loc["a", "high"]) == pytest.approx((means.mean() - half, means.mean() + half))
    assert found["method"].tolist() == ["t", "none", "t"]
    assert found.loc["b", "estimate"] == 2.0
    assert found["low"].isna().tolist() == [False, True, False]
    assert (found.loc["c", "low"], found.loc["c", "high"]) == (1.0, 1.0)
    assert found["n"].tolist() == [3, 1, 3]


def test_a_variants_interquartile_mean_is_of_its_replicates() -> None:
    values = {"a": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1000.0], "b": [1.0] * 8}
    found = estimates(measured(values), dataclasses.replace(RULES, estimate="iqm")).set_index("variant")
    assert found["estimate"].tolist() == pytest.approx([4.5, 1.0])
    assert found.loc["a", "method"] == "Yuen"
