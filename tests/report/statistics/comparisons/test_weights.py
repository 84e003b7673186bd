"""The weights of comparisons: effects are what they are called, worked out again by other means."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.effects_material import crossed

from ablate.report.data.variants import Variants
from ablate.report.statistics.comparisons.weights import (
    MOST_EFFECTS,
    Weights,
    against_baseline,
    factorial_effects,
    study_contrasts,
)
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
    return list(factorial_effects(*crossed(variants), given_aliases or {}))


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
        assert next(factorial_effects(*crossed(full([MOST_EFFECTS, 2], [0, 0])), {}))
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
        found = list(study_contrasts(given_contrasts, variants))
        assert [(each.kind, each.name, each.versus) for each in found] == [
            ("contrast", "both", ""),
            ("contrast", "half", ""),
        ]
        assert dict(found[1].weights) == {"a": -1.0, "b": 0.5, "c": 0.5}

    def test_the_baselines_level_is_an_axiss_first(self) -> None:
        variants = Variants({"a": {"x": 1, "y": 5}, "b": {"x": 3, "y": 5}, "c": {"x": 2, "y": 5, "z": 0}}, "b")
        assert variants.axis_levels("x") == [3, 1, 2]
        assert variants.axis_levels("z") == [0]
        assert variants.axes == ["x"], "what has one level is not varied"
