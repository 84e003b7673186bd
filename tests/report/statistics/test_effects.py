"""Effects are what they are called, worked out again by other means."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps
from support.effects_material import NAN, RULES, crossed, holm_by_hand, measured, replicated, sign_flip_by_hand

from ablate.report.statistics import verdicts
from ablate.report.statistics.effects import (
    MOST_EFFECTS,
    Replicates,
    Variants,
    Weights,
    against_baseline,
    compared,
    crossed_effects,
    estimates,
    named_contrasts,
)
from ablate.settings import StatisticsSettings
from ablate.study.design import Axis, Variant, aliases, factorial, fractional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Q = ("m", "f")
QUANTITY = list(Q)
NUMBERS = st.floats(-50, 50).map(lambda x: round(x, 3))


def axes_of(counts: Sequence[int]) -> list[Axis]:
    """Axes of so many levels, whose names are not in alphabetical order."""
    return [
        Axis(f"part{i}.{name}", tuple(range(count)))
        for i, (name, count) in enumerate(zip("cabd", counts, strict=False))
    ]


def full(counts: Sequence[int], baseline: Sequence[int]) -> list[Variant]:
    axes = axes_of(counts)
    return factorial(axes, {axis.path: level for axis, level in zip(axes, baseline, strict=True)})


def effects_of(variants: list[Variant], given_aliases: Mapping[str, str] | None = None) -> list[Weights]:
    return list(crossed_effects(*crossed(variants), given_aliases or {}))


def applied(effect: Weights, values: Mapping[str, float]) -> float:
    return sum(values[name] * weight for name, weight in effect.weights.items())


def by_levels(variants: list[Variant]) -> dict[tuple[int, ...], str]:
    return {tuple(variant.levels.values()): variant.name for variant in variants}


def by_loops(variants: list[Variant], values: Mapping[str, float], changed: Mapping[int, int]) -> float:
    """The mean over every combination of the other axes of how the change by one axis changes with the other."""
    base = next(tuple(variant.levels.values()) for variant in variants if variant.baseline)
    runs = {levels: values[name] for levels, name in by_levels(variants).items()}
    others = [range(max(levels[place] for levels in runs) + 1) for place in range(len(base)) if place not in changed]
    found = []
    for rest in itertools.product(*others):
        total = 0.0
        for on in itertools.product((False, True), repeat=len(changed)):
            place_of_rest = iter(rest)
            switched = dict(zip(changed, on, strict=True))
            levels = tuple(
                (changed[place] if switched[place] else base[place]) if place in changed else next(place_of_rest)
                for place in range(len(base))
            )
            total += (-1) ** on.count(False) * runs[levels]
        found.append(total)
    return float(np.mean(found))


@st.composite
def designs(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """How many levels each axis has, and which one is the baseline's."""
    counts = draw(st.lists(st.integers(2, 4), min_size=2, max_size=3))
    return counts, [draw(st.integers(0, count - 1)) for count in counts]


class TestFullFactorials:
    @given(designs(), st.integers(0, 2**32 - 1))
    @settings(max_examples=25)
    def test_effects_are_means_of_differences_worked_out_in_loops(
        self, design: tuple[list[int], list[int]], seed: int
    ) -> None:
        counts, base = design
        variants = full(counts, base)
        values = {
            v.name: float(x)
            for v, x in zip(variants, np.random.default_rng(seed).normal(size=len(variants)), strict=True)
        }
        found = {(each.kind, each.name): applied(each, values) for each in effects_of(variants)}
        changes = [(place, level) for place, n in enumerate(counts) for level in range(n) if level != base[place]]
        names = {(place, level): f"{'cabd'[place]}={level}" for place, level in changes}
        expected = {("main effect", names[one]): by_loops(variants, values, dict([one])) for one in changes}
        expected |= {
            ("interaction", f"{names[one]} x {names[other]}"): by_loops(variants, values, dict([one, other]))
            for one, other in itertools.combinations(changes, 2)
            if one[0] != other[0]
        }
        assert found == pytest.approx(expected)

    @pytest.mark.parametrize("count", [2, 3, 4])
    def test_of_two_levels_they_are_a_regressions_coefficients(self, count: int) -> None:
        """With codes -1 (baseline) and 1 a main effect is twice its coefficient, an interaction four times."""
        base = [1, 0, 1, 0][:count]
        variants = full([2] * count, base)
        y = np.random.default_rng(count).normal(size=len(variants))
        codes = np.array(
            [[1 if a != b else -1 for a, b in zip(v.levels.values(), base, strict=True)] for v in variants]
        )
        terms = [subset for size in range(count + 1) for subset in itertools.combinations(range(count), size)]
        fitted = np.linalg.lstsq(np.stack([codes[:, list(term)].prod(1) for term in terms], 1), y, rcond=None)[0]
        coefficients = dict(zip(terms, fitted, strict=True))
        values = dict(zip((v.name for v in variants), y, strict=True))
        found = [applied(each, values) for each in effects_of(variants)]
        main = [2 * coefficients[place,] for place in range(count)]
        assert found == pytest.approx(
            main + [4 * coefficients[pair] for pair in itertools.combinations(range(count), 2)]
        )

    @pytest.mark.parametrize("counts", [(2, 2), (2, 3), (3, 2, 2)])
    def test_main_effects_are_an_additive_regressions_coefficients(self, counts: tuple[int, ...]) -> None:
        """As every combination is there once, dummies of the levels are estimated apart from one another."""
        variants = full(counts, [0] * len(counts))
        y = np.random.default_rng(len(counts)).normal(size=len(variants))
        levels = np.array([list(v.levels.values()) for v in variants])
        dummies = [levels[:, place] == level for place, n in enumerate(counts) for level in range(1, n)]
        fitted = np.linalg.lstsq(np.stack([np.ones(len(y)), *dummies], 1).astype(float), y, rcond=None)[0]
        values = dict(zip((v.name for v in variants), y, strict=True))
        found = [applied(each, values) for each in effects_of(variants) if each.kind == "main effect"]
        assert found == pytest.approx(list(fitted[1:]))

    @given(designs(), st.integers(0, 2**32 - 1))
    @settings(max_examples=20)
    def test_where_parts_add_up_no_interaction_is_left(self, design: tuple[list[int], list[int]], seed: int) -> None:
        counts, base = design
        variants, rng = full(counts, base), np.random.default_rng(seed)
        parts = [rng.normal(size=n) for n in counts]
        values = {
            v.name: sum(float(part[level]) for part, level in zip(parts, v.levels.values(), strict=True))
            for v in variants
        }
        for each in effects_of(variants):
            if each.kind == "interaction":
                assert applied(each, values) == pytest.approx(0.0, abs=1e-12)
            else:
                label, _, level = each.name.partition("=")
                place = "cabd".index(label)
                assert applied(each, values) == pytest.approx(parts[place][int(level)] - parts[place][base[place]])

    @given(designs())
    @settings(max_examples=20)
    def test_weights_add_up_to_nothing_and_their_sizes_to_what_is_compared(
        self, design: tuple[list[int], list[int]]
    ) -> None:
        for each in effects_of(full(*design)):
            assert sum(each.weights.values()) == pytest.approx(0.0, abs=1e-12)
            assert sum(map(abs, each.weights.values())) == pytest.approx(2 if each.kind == "main effect" else 4)

    def test_a_level_is_compared_with_the_baselines(self) -> None:
        names = [(each.name, each.versus) for each in effects_of(full([3, 2], [1, 1])) if each.kind == "main effect"]
        assert names == [("c=0", "c=1"), ("c=2", "c=1"), ("a=0", "a=1")]

    @given(designs(), st.data())
    @settings(max_examples=25)
    def test_a_missing_variant_takes_the_effects_that_need_it_along_and_no_other(
        self, design: tuple[list[int], list[int]], data: st.DataObject
    ) -> None:
        variants = full(*design)
        gone = data.draw(st.sampled_from([variant for variant in variants if not variant.baseline]))
        needing = {(each.kind, each.name) for each in effects_of(variants) if gone.name in each.weights}
        left = {(each.kind, each.name) for each in effects_of([v for v in variants if v is not gone])}
        assert left == {(each.kind, each.name) for each in effects_of(variants)} - needing
        assert needing

    def test_no_interaction_is_made_of_half_a_square(self) -> None:
        """Without two of four variants for one level of a third axis, weights would still add up to nothing."""
        variants = full([2, 2, 2], [0, 0, 0])
        left = [v for v in variants if tuple(v.levels.values()) not in {(0, 0, 1), (1, 0, 1)}]
        assert ("interaction", "c=1 x a=1") not in {(each.kind, each.name) for each in effects_of(left)}

    def test_of_too_many_levels_nothing_is_said(self) -> None:
        assert next(crossed_effects(*crossed(full([MOST_EFFECTS, 2], [0, 0])), {}))
        assert not effects_of(full([MOST_EFFECTS + 1, 2], [0, 0]))


class TestConditionalAxes:
    def test_what_exists_for_one_level_only_has_an_effect_there_and_no_interaction(self) -> None:
        axes = [
            Axis("conditioner", ("none", "tempo")),
            Axis("conditioner.tempo.source", ("label", "shuffled"), when={"conditioner": ("tempo",)}),
        ]
        base = {"conditioner": "none", "conditioner.tempo.source": "label"}
        (only,) = effects_of(factorial(axes, base))
        assert (only.kind, only.name) == ("main effect", "source=shuffled")
        assert dict(only.weights) == {"conditioner=tempo, source=shuffled": 1, "conditioner=tempo, source=label": -1}

    def test_levels_of_different_axes_are_no_common_ground(self) -> None:
        """What exists with one sampler and what exists with the other may have the same levels by chance."""
        axes = [
            Axis("sampler", ("a", "b")),
            Axis("sampler.a.x", (1, 2), when={"sampler": ("a",)}),
            Axis("sampler.b.y", (1, 2), when={"sampler": ("b",)}),
        ]
        found = effects_of(factorial(axes, {"sampler": "a", "sampler.a.x": 1, "sampler.b.y": 1}))
        assert [(each.kind, each.name) for each in found] == [("main effect", "x=2"), ("main effect", "y=2")]


class TestHalfFractions:
    @given(st.integers(3, 5), st.integers(0, 2**32 - 1))
    @settings(max_examples=20)
    def test_an_estimate_is_the_effect_and_its_aliass(self, count: int, seed: int) -> None:
        """Values made of every effect there is, coded -1 (baseline) and 1; all but two of them cancel."""
        rng = np.random.default_rng(seed)
        axes = axes_of([2] * count) if count < 5 else [*axes_of([2] * 4), Axis("part4.e", (0, 1))]
        base = {axis.path: int(rng.integers(2)) for axis in axes}
        variants, labels = fractional(axes, base), [axis.path[-1] for axis in axes]
        true = {
            frozenset(term): float(rng.normal())
            for size in range(count + 1)
            for term in itertools.combinations(labels, size)
        }

        def value(variant: Variant) -> float:
            codes = {path[-1]: 1 if level != base[path] else -1 for path, level in variant.levels.items()}
            return sum(size * math.prod(codes[label] for label in term) for term, size in true.items())

        values = {variant.name: value(variant) for variant in variants}
        found = effects_of(variants, dict(aliases(axes)))
        assert len(found) == count + math.comb(count, 2)
        for each in found:
            own = frozenset(part.partition("=")[0] for part in each.name.split(" x "))
            assert each.alias, "every effect of a half fraction has one"
            alias, sign = frozenset(each.alias.removeprefix("-").split(" x ")), -1 if each.alias.startswith("-") else 1
            assert alias == frozenset(labels) - own
            assert applied(each, values) == pytest.approx(2 ** len(own) * (true[own] + sign * true[alias]))
            assert sum(each.weights.values()) == pytest.approx(0.0)
            assert len(each.weights) == len(variants)

    def test_of_three_axes_a_main_effect_comes_less_half_the_interaction_of_the_others(self) -> None:
        """In the units of a full factorial's effects."""
        axes = axes_of([2, 2, 2])
        base = {axis.path: 0 for axis in axes}
        everything = factorial(axes, base)
        values = {v.name: float(x) for v, x in zip(everything, np.random.default_rng(3).normal(size=8), strict=True)}
        whole = {each.name: applied(each, values) for each in effects_of(everything)}
        # without the interaction of all three, which only shifts every value of the half by as much
        codes = {v.name: math.prod(1 if level else -1 for level in v.levels.values()) for v in everything}
        third = sum(codes[name] * value for name, value in values.items()) / 8
        values = {name: value - third * codes[name] for name, value in values.items()}
        half = {each.name: applied(each, values) for each in effects_of(fractional(axes, base), dict(aliases(axes)))}
        assert half["c=1"] == pytest.approx(whole["c=1"] - whole["a=1 x b=1"] / 2)
        assert half["a=1 x b=1"] == pytest.approx(whole["a=1 x b=1"] - 2 * whole["c=1"])

    def test_an_axis_of_more_levels_is_crossed_with_it(self) -> None:
        axes = axes_of([2, 2, 2, 3])
        variants = fractional(axes, {axis.path: 0 for axis in axes})
        size = {"c": 1.0, "a": 2.0, "b": 4.0}
        values = {
            v.name: sum(size.get(path[-1], 0.0) * level for path, level in v.levels.items())
            + (0.0, 10.0, 30.0)[v.levels["part3.d"]]
            for v in variants
        }
        found = {(each.kind, each.name): applied(each, values) for each in effects_of(variants, dict(aliases(axes)))}
        assert found["main effect", "d=1"] == pytest.approx(10)
        assert found["main effect", "d=2"] == pytest.approx(30)
        assert found["main effect", "b=1"] == pytest.approx(4)
        assert found["interaction", "b=1 x d=2"] == pytest.approx(0)

    def test_less_than_half_says_nothing(self) -> None:
        axes = axes_of([2, 2, 2, 2])
        variants = fractional(axes, {axis.path: 0 for axis in axes})
        assert not effects_of(variants[:-2], dict(aliases(axes)))


class TestSimpleComparisons:
    def test_each_other_variant_is_compared_with_the_baseline(self) -> None:
        variants = Variants({"a": {}, "b": {}, "c": {}}, "b")
        found = list(against_baseline(variants))
        assert [(each.kind, each.name, each.versus) for each in found] == [("variant", "a", "b"), ("variant", "c", "b")]
        assert [dict(each.weights) for each in found] == [{"a": 1, "b": -1}, {"c": 1, "b": -1}]

    def test_a_contrast_is_there_if_all_its_variants_are(self) -> None:
        variants = Variants({"a": {}, "b": {}, "c": {}}, "a")
        given_contrasts: dict[str, dict[str, float]] = {
            "both": {"b": 1, "c": -1},
            "gone": {"b": 1, "d": -1},
            "half": {"a": -1, "b": 0.5, "c": 0.5},
        }
        found = list(named_contrasts(given_contrasts, variants))
        assert [(each.kind, each.name, each.versus) for each in found] == [
            ("contrast", "both", ""),
            ("contrast", "half", ""),
        ]
        assert dict(found[1].weights) == {"a": -1.0, "b": 0.5, "c": 0.5}

    def test_the_baselines_level_is_an_axiss_first(self) -> None:
        variants = Variants({"a": {"x": 1, "y": 5}, "b": {"x": 3, "y": 5}, "c": {"x": 2, "y": 5, "z": 0}}, "b")
        assert variants.of_axis("x") == [3, 1, 2]
        assert variants.of_axis("z") == [0]
        assert variants.axes == ["x"], "what has one level is not varied"


class TestReplicates:
    def test_only_replicates_with_all_variants_count(self) -> None:
        values = {"a": [1.0, 2.0, NAN, 4.0], "b": [2.0, NAN, 7.0, 8.0], "c": [0.0, 1.0, 1.0, 3.0]}
        found = replicated(values)
        assert found.differences(*Q, {"b": 1.0, "a": -1.0}).tolist() == [1.0, 4.0]
        assert found.differences(*Q, {"c": 1.0, "a": -1.0}).tolist() == [-1.0, -1.0, -1.0]
        assert found.differences(*Q, {"a": 1.0, "b": 1.0, "c": -2.0}).tolist() == [3.0, 6.0]

    def test_a_variant_without_values_has_no_differences(self) -> None:
        found = replicated({"a": [1.0, 2.0], "b": [NAN, NAN]})
        assert len(found.differences(*Q, {"b": 1.0, "a": -1.0})) == 0

    def test_samples_are_averaged_inside_their_replicate(self) -> None:
        found = replicated({"a": [[1.0, 3.0], [5.0, 5.0]], "b": [[10.0, 10.0, 40.0], [0.0, 2.0, 4.0]]})
        assert found.differences(*Q, {"b": 1.0, "a": -1.0}).tolist() == [18.0, -3.0]

    def test_equal_values_differ_by_nothing_at_all(self) -> None:
        """A third of 0.1 three times is not 0.1, and would be a difference of one sign in every replicate."""
        variants = full([2, 3], [0, 0])
        values = {v.name: [(0.1, 0.3, 0.7)[v.levels["part1.a"]]] * 8 for v in variants}
        found = compared(replicated(values), effects_of(variants), {}, RULES).set_index("comparison")
        assert found.loc["c=1", "difference"] == 0.0
        assert found.loc["c=1", "p"] == 1.0
        assert found.loc["a=1", "verdict"] == "worse"


VALUES = hnp.arrays(np.float64, st.tuples(st.integers(2, 7), st.integers(2, 4)), elements=NUMBERS)


def told(table: np.ndarray, direction: str = "lower", **rules: Any) -> pd.DataFrame:
    """Each column but the first against the first one, a variant each."""
    names = [f"v{place}" for place in range(table.shape[1])]
    values = {name: table[:, place] for place, name in enumerate(names)}
    pairs = list(against_baseline(Variants({name: {} for name in names}, "v0")))
    margins = rules.pop("margins", {})
    return compared(replicated(values, direction), pairs, margins, dataclasses.replace(RULES, **rules))


class TestCompared:
    @given(VALUES, st.floats(0.1, 60))
    @settings(max_examples=25)
    def test_every_number_worked_out_again(self, table: np.ndarray, margin: float) -> None:
        found = told(table, margins={Q: (margin, "ours")})
        differences = (table[:, 1:] - table[:, :1]).T
        n = table.shape[0]
        raw = [sign_flip_by_hand(each) for each in differences]
        assert found["n"].tolist() == [n] * len(differences)
        assert found["difference"].tolist() == pytest.approx(differences.mean(1).tolist(), abs=1e-9)
        assert found["p"].tolist() == pytest.approx(raw)
        assert found["p_holm"].tolist() == pytest.approx(holm_by_hand(raw))
        assert found["family"].tolist() == [len(raw)] * len(raw)
        assert found["open"].tolist() == [sum(p >= 0.05 for p in holm_by_hand(raw))] * len(raw)
        assert found["smallest_p"].tolist() == pytest.approx([2 / 2**n] * len(raw))
        assert found["margin_of"].tolist() == ["ours"] * len(raw)
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
    def test_equivalence_is_two_t_tests_corrected_and_verdicts_follow(self, table: np.ndarray, margin: float) -> None:
        differences, n = (table[:, 1:] - table[:, :1]).T, table.shape[0]
        assume((np.ptp(differences, axis=1) > 1e-6).all())
        found = told(table, margins={Q: (margin, "ours")})
        se = differences.std(axis=1, ddof=1) / math.sqrt(n)
        outside = [sps.t.sf((margin - abs(d)) / s, n - 1) for d, s in zip(differences.mean(1), se, strict=True)]
        assert found["p_equivalent"].tolist() == pytest.approx(holm_by_hand([float(p) for p in outside]), abs=1e-9)
        for row in found.to_dict("records"):
            args = (row["difference"], "lower", row["p_holm"], row["p_equivalent"])
            assert row["verdict"] == verdicts.decide(*args, 0.05)

    @given(VALUES, st.data())
    @settings(max_examples=20)
    def test_the_order_of_variants_and_replicates_is_nothing(self, table: np.ndarray, data: st.DataObject) -> None:
        before = told(table)
        rows = data.draw(st.permutations(range(table.shape[0])))
        columns = data.draw(st.permutations(range(1, table.shape[1])))
        after = told(table[rows][:, [0, *columns]])
        numbers = ["difference", "low", "high", "p", "p_holm", "n", "family", "open"]
        expected = before.loc[[column - 1 for column in columns], numbers].to_numpy(float)
        assert after[numbers].to_numpy(float) == pytest.approx(expected, abs=1e-9)

    @given(VALUES, st.data())
    @settings(max_examples=20)
    def test_what_a_replicate_gives_to_every_variant_is_no_difference(
        self, table: np.ndarray, data: st.DataObject
    ) -> None:
        """Of such a shift, the variants' own means know; the pairs do not."""
        shift = data.draw(hnp.arrays(np.float64, (table.shape[0], 1), elements=NUMBERS))
        numbers = ["difference", "low", "high", "p", "p_holm"]
        after, before = (told(np.round(each, 3))[numbers].to_numpy(float) for each in (table + shift, table))
        assert after == pytest.approx(before, abs=1e-6)

    @given(VALUES, st.sampled_from([0.25, 2.0, 1024.0]))
    @settings(max_examples=20)
    def test_a_unit_scales_differences_and_leaves_p_effect_and_verdict(self, table: np.ndarray, factor: float) -> None:
        before = told(table, margins={Q: (2.0, "ours")})
        after = told(table * factor, margins={Q: (2.0 * factor, "ours")})
        for name in ("difference", "low", "high"):
            assert after[name].tolist() == pytest.approx((before[name] * factor).tolist())
        for name in ("p", "p_holm", "p_equivalent", "effect"):
            assert after[name].tolist() == pytest.approx(before[name].tolist(), nan_ok=True)
        assert after["verdict"].tolist() == before["verdict"].tolist()

    def test_a_sign_swaps_better_and_worse(self) -> None:
        rng = np.random.default_rng(1)
        table = rng.normal(size=(10, 4)) + np.array([0.0, -3.0, 3.0, 0.1])
        swap = {"better": "worse", "worse": "better"}
        before = told(table)["verdict"].tolist()
        assert before[:2] == ["better", "worse"]
        assert told(-table)["verdict"].tolist() == [swap.get(each, each) for each in before]
        assert told(table, "higher")["verdict"].tolist() == [swap.get(each, each) for each in before]
        assert told(table, "none")["verdict"].tolist()[:2] == ["lower", "higher"]

    def test_samples_never_count_as_replicates(self) -> None:
        """Ten times the samples with the same mean are the same study."""
        rng = np.random.default_rng(2)
        few: dict[str, Any] = {name: rng.normal(size=(6, 2)) for name in "abc"}
        many = {name: np.tile(values, (1, 10)) for name, values in few.items()}
        pairs = list(against_baseline(Variants({"a": {}, "b": {}, "c": {}}, "a")))
        columns = ["n", "difference", "low", "high", "p", "p_holm", "effect"]
        one, other = (compared(replicated(each), pairs, {}, RULES)[columns].to_numpy(float) for each in (few, many))
        assert other == pytest.approx(one)
        assert one[:, 0].tolist() == [6, 6]

    def test_comparisons_of_more_and_of_fewer_replicates_are_one_family(self) -> None:
        rng = np.random.default_rng(3)
        values = {"a": rng.normal(size=8), "b": rng.normal(2, 1, 8), "c": rng.normal(3, 1, 8), "d": rng.normal(0, 1, 8)}
        values["c"][[1, 4]] = NAN
        found = compared(replicated(values), list(against_baseline(Variants({k: {} for k in values}, "a"))), {}, RULES)
        differences = [each[~np.isnan(each)] for each in (values[name] - values["a"] for name in "bcd")]
        assert found["n"].tolist() == [8, 6, 8]
        assert found["difference"].tolist() == pytest.approx([float(each.mean()) for each in differences])
        raw = [sign_flip_by_hand(each) for each in differences]
        assert found["p"].tolist() == pytest.approx(raw)
        assert found["p_holm"].tolist() == pytest.approx(holm_by_hand(raw))
        assert found["smallest_p"].tolist() == pytest.approx([2 / 2**8, 2 / 2**6, 2 / 2**8])

    def test_a_single_replicate_tells_nothing_and_is_in_no_family(self) -> None:
        found = told(np.array([[1.0, 2.0, 3.0]]))
        assert found["difference"].tolist() == [1.0, 2.0]
        assert found[["low", "high", "effect", "p", "p_holm", "p_equivalent"]].isna().all(axis=None)
        assert found["family"].tolist() == [0, 0]
        assert found["open"].tolist() == [0, 0]
        assert set(found["verdict"]) == {"cannot tell"}
        values = {"a": np.arange(6.0), "b": np.arange(6.0) + 1, "c": np.array([9.0, *[NAN] * 5])}
        mixed = compared(replicated(values), list(against_baseline(Variants({k: {} for k in values}, "a"))), {}, RULES)
        assert mixed["family"].tolist() == [1, 1]
        assert mixed.loc[0, "p_holm"] == pytest.approx(2 / 2**6), "what cannot be tested takes no share of alpha"

    def test_families_are_a_metrics_feature_or_the_whole_study_and_always_one_kind(self) -> None:
        rng = np.random.default_rng(4)
        quantities = [("m", "f"), ("m", "g"), ("other", "f")]
        names, shifts = ("a", "b", "c"), np.array([[0.0], [1.0], [0.5]])
        tables = {key: dict(zip(names, rng.normal(size=(3, 7)) + shifts, strict=True)) for key in quantities}
        found = Replicates(pd.concat([measured(values, *key) for key, values in tables.items()]))
        variants = Variants({name: {} for name in names}, "a")
        chosen = [*against_baseline(variants), *named_contrasts({"b - c": {"b": 1, "c": -1}}, variants)]
        for rules, keys in ((RULES, ["kind", "metric", "feature"]), (StatisticsSettings(family="study"), ["kind"])):
            rows = compared(found, chosen, {}, rules)
            assert len(rows) == 9
            for _, part in rows.groupby(keys):
                assert part["p_holm"].tolist() == pytest.approx(holm_by_hand(part["p"].tolist()))
                assert set(part["family"]) == {len(part)}
            sizes = rows.groupby("kind")["family"].first().to_dict()
            assert sizes == ({"variant": 2, "contrast": 1} if rules is RULES else {"variant": 6, "contrast": 3})

    def test_one_quantity_has_a_margin_and_another_has_none(self) -> None:
        rng = np.random.default_rng(5)
        values = {"a": rng.normal(size=8), "b": rng.normal(size=8)}
        found = Replicates(pd.concat([measured(values, "m", feature) for feature in ("f", "g")]))
        rows = compared(found, list(against_baseline(Variants({"a": {}, "b": {}}, "a"))), {Q: (50.0, "ours")}, RULES)
        assert rows["verdict"].tolist() == ["no difference that matters", "cannot tell"]
        assert rows["margin"].isna().tolist() == [False, True]
        assert rows["margin_of"].tolist() == ["ours", ""]
        assert rows["p_equivalent"].isna().tolist() == [False, True]

    def test_only_the_quantities_asked_for(self) -> None:
        found = Replicates(pd.concat([measured({"a": [1.0, 2.0], "b": [2.0, 2.5]}, "m", f) for f in ("f", "g")]))
        asked = found.quantities[found.quantities["feature"] == "g"].assign(direction="higher")
        rows = compared(found, list(against_baseline(Variants({"a": {}, "b": {}}, "a"))), {}, RULES, asked)
        assert rows[["feature", "direction"]].to_numpy().tolist() == [["g", "higher"]]

    def test_nothing_to_compare_is_an_empty_frame_with_every_column(self) -> None:
        there = told(np.arange(8.0).reshape(4, 2))
        pairs = list(against_baseline(Variants({"v0": {}, "v1": {}}, "v0")))
        nothing = compared(replicated({"v0": [1.0, 2.0]}), [], {}, RULES)
        unmeasured = compared(Replicates(measured({"v0": [NAN], "v1": [NAN]})), pairs, {}, RULES)
        for empty in (nothing, unmeasured):
            assert empty.empty
            assert set(empty.columns) == set(there.columns)

    def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end(self) -> None:
        table = np.zeros((8, 2))
        table[:, 1] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0, 900.0]
        (row,) = told(table, estimate="iqm").to_dict("records")
        assert row["difference"] == pytest.approx(np.mean([3, 4, 5, 6]))
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=8)))
        middles = np.sort(signs * table[:, 1], axis=1)[:, 2:-2].mean(1)
        assert row["p"] == pytest.approx(2 * (middles >= row["difference"] - 1e-9).mean())
        assert 1.0 <= row["low"] < row["difference"] < row["high"] <= 900.0
        assert told(table)["difference"].tolist() == pytest.approx([table[:, 1].mean()])


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
    assert found.loc["a", "method"] == "BCa"
