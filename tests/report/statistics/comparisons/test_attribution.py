"""Shares are Shapley values: the mean change over every order in which the parts can be added."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.effects_material import NAN, crossed, replicated

from ablate.report.data.variants import Variants
from ablate.report.statistics.comparisons.attribution import (
    DEPENDENCE,
    FIRST,
    LAST,
    MOST,
    REST,
    SHARE,
    TOTAL,
    Layout,
    Part,
    attribution,
    both,
    layout,
    pair_weights,
)
from ablate.report.statistics.comparisons.shapley import combinations, shapley
from ablate.study.design import Axis, Variant, factorial, fractional, leave_one_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.statistics.comparisons.shapley import On
    from ablate.report.statistics.comparisons.weights import Weights

Q = ("m", "f")
NUMBERS = st.floats(-50, 50).map(lambda x: round(x, 3))


def switches(count: int, more: tuple[Axis, ...] = ()) -> list[Axis]:
    """Axes of two levels, whose names are not in alphabetical order."""
    return [*(Axis(f"part{place}.{'cabfed'[place]}", ("none", "on")) for place in range(count)), *more]


def full(count: int, more: tuple[Axis, ...] = ()) -> list[Variant]:
    axes = switches(count, more)
    return factorial(axes, {axis.path: axis.levels[0] for axis in axes})


def half(count: int, more: tuple[Axis, ...] = ()) -> list[Variant]:
    axes = switches(count, more)
    return fractional(axes, {axis.path: axis.levels[0] for axis in axes})


def laid_out(variants: list[Variant]) -> Layout:
    return layout(*crossed(variants), {})


def applied(weights: Mapping[str, float], values: Mapping[str, float]) -> float:
    return math.fsum(values[name] * weight for name, weight in weights.items())


def by_kind(study: Layout) -> dict[tuple[str, str], Weights]:
    found = list(attribution(study))
    assert len({(one.kind, one.name) for one in found}) == len(found)
    return {(one.kind, one.name): one for one in found}


def by_orders(count: int, game: Mapping[On, float]) -> list[float]:
    """Shapley values as their definition has them: the mean over every order of adding the parts."""
    gains = np.zeros(count)
    orders = list(itertools.permutations(range(count)))
    for order in orders:
        for place, part in enumerate(order):
            before = frozenset(order[:place])
            gains[part] += game[before | {part}] - game[before]
    return list(gains / len(orders))


@st.composite
def games(draw: st.DrawFn) -> tuple[int, dict[On, float]]:
    """The value of every combination of one to six parts."""
    count = draw(st.integers(1, 6))
    cells = combinations(count)
    return count, dict(zip(cells, draw(st.lists(NUMBERS, min_size=len(cells), max_size=len(cells))), strict=True))


def additive(count: int, coefficients: Mapping[On, float], codes: tuple[float, float]) -> dict[On, float]:
    """The values of a model of main effects and interactions, with levels coded as given: off, on."""
    return {
        on: sum(c * math.prod(codes[part in on] for part in term) for term, c in coefficients.items())
        for on in combinations(count)
    }


class TestShapley:
    @settings(max_examples=60, deadline=None)
    @given(games())
    def test_every_order_gives_the_same_values(self, game: tuple[int, dict[On, float]]) -> None:
        count, values = game
        expected = by_orders(count, values)
        found = [sum(float(w) * values[on] for on, w in shapley(count, part).items()) for part in range(count)]
        assert found == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("count", range(1, 9))
    def test_the_weights_add_up_to_the_total_exactly(self, count: int) -> None:
        for on in combinations(count):
            together = sum(shapley(count, part)[on] for part in range(count))
            assert together == (len(on) == count) - (len(on) == 0)

    @settings(max_examples=30, deadline=None)
    @given(games(), st.data())
    def test_a_part_that_changes_nothing_has_no_share(
        self, game: tuple[int, dict[On, float]], data: st.DataObject
    ) -> None:
        count, values = game
        dummy = data.draw(st.integers(0, count - 1))
        values = {on: values[on - {dummy}] for on in values}
        assert sum(float(w) * values[on] for on, w in shapley(count, dummy).items()) == pytest.approx(0, abs=1e-9)

    @settings(max_examples=30, deadline=None)
    @given(games())
    def test_two_parts_with_the_same_effect_have_the_same_share(self, game: tuple[int, dict[On, float]]) -> None:
        count, values = game
        if count < 2:
            return
        swapped = {on: frozenset({0: 1, 1: 0}.get(part, part) for part in on) for on in values}
        values = {on: (values[on] + values[swapped[on]]) / 2 for on in values}
        one, other = (sum(float(w) * values[on] for on, w in shapley(count, part).items()) for part in (0, 1))
        assert one == pytest.approx(other, abs=1e-9)


class TestWeights:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(2, 6), st.data())
    def test_of_a_factorial(self, count: int, data: st.DataObject) -> None:
        """Shares, total, leave-one-out and add-one-in, worked out from the values of the variants."""
        study = laid_out(full(count))
        cells = combinations(count)
        game = dict(zip(cells, data.draw(st.lists(NUMBERS, min_size=2**count, max_size=2**count)), strict=True))
        values = {names[0]: game[on] for on, names in study.cells.items()}
        found = {key: applied(one.weights, values) for key, one in by_kind(study).items()}
        everything, none = frozenset(range(count)), frozenset[int]()
        expected = by_orders(count, game)
        for place, part in enumerate(study.parts):
            last = game[everything] - game[everything - {place}]
            first = game[frozenset({place})] - game[none]
            assert found[SHARE, part.name] == pytest.approx(expected[place], abs=1e-9)
            assert found[FIRST, part.name] == pytest.approx(first, abs=1e-9)
            assert found[LAST, part.name] == pytest.approx(last, abs=1e-9)
            dependence = part.name if count > 2 else both(study)
            assert found[DEPENDENCE, dependence] == pytest.approx(last - first, abs=1e-9)
        assert found[TOTAL, study.full] == pytest.approx(game[everything] - game[none], abs=1e-9)
        assert not any(kind == REST for kind, _ in found)

    @pytest.mark.parametrize("count", [2, 3, 4])
    def test_where_effects_add_up_all_three_agree(self, count: int) -> None:
        study = laid_out(full(count))
        game = additive(count, {frozenset({part}): 1.5 + part for part in range(count)}, (0.0, 1.0))
        values = {names[0]: game[on] for on, names in study.cells.items()}
        for (kind, name), one in by_kind(study).items():
            place = next((place for place, part in enumerate(study.parts) if part.name == name), None)
            if place is not None:
                assert applied(one.weights, values) == pytest.approx(0 if kind == DEPENDENCE else 1.5 + place)

    def test_an_interaction_belongs_to_both_parts_in_equal_shares(self) -> None:
        """Two parts that each do nothing alone, and 6 together."""
        study = laid_out(full(2))
        values = {names[0]: 6.0 * (len(on) == 2) for on, names in study.cells.items()}
        found = {key: applied(one.weights, values) for key, one in by_kind(study).items()}
        assert [found[SHARE, part.name] for part in study.parts] == [3.0, 3.0]
        assert [found[FIRST, part.name] for part in study.parts] == [0.0, 0.0]
        assert [found[LAST, part.name] for part in study.parts] == [6.0, 6.0]
        assert applied(pair_weights(study, 0, 1), values) == 6.0

    def test_the_other_axes_are_averaged(self) -> None:
        variants = full(2, (Axis("size.g", (1, 2, 3)),))
        study = laid_out(variants)
        assert study.over == ("g",)
        assert (study.bare, study.full, study.left_out) == ("", "", 0)
        effect = {1: 3.0, 2: 6.0, 3: 0.0}
        values = {
            v.name: effect[v.levels["size.g"]] * (v.levels["part0.c"] == "on") + 100 * v.levels["size.g"]
            for v in variants
        }
        found = {key: applied(one.weights, values) for key, one in by_kind(study).items()}
        assert found[SHARE, "c=on"] == pytest.approx(3.0)
        assert found[SHARE, "a=on"] == pytest.approx(0.0, abs=1e-9)
        assert found[TOTAL, "all parts"] == pytest.approx(3.0)

    def test_a_combination_that_is_missing_leaves_its_block_out_and_counts_it(self) -> None:
        variants = [v for v in full(2, (Axis("size.g", (1, 2, 3)),)) if v.name != "c=on, a=on, g=3"]
        study = laid_out(variants)
        assert study.left_out == 3
        assert all(len(names) == 2 for names in study.cells.values())

    @pytest.mark.parametrize("kind", ["no parts", "one part", "leave one out", "too many"])
    def test_no_attribution(self, kind: str) -> None:
        axes = switches(3)
        made = {
            "no parts": factorial([Axis("size.g", (1, 2, 3))], {"size.g": 1}),
            "one part": full(1),
            "leave one out": leave_one_out(axes, {axis.path: "on" for axis in axes}),
            "too many": [
                Variant(f"v{row}", {f"a.p{part}": row == part for part in range(MOST + 1)}, row == MOST + 1)
                for row in range(MOST + 2)
            ],
        }
        study = laid_out(made[kind])
        assert not study.cells
        assert not list(attribution(study))

    def test_an_axis_that_exists_under_some_levels_only_is_no_part(self) -> None:
        axes = [*switches(2), Axis("part0.c.source", ("label", "shuffled"), when={"part0.c": ("on",)})]
        variants = factorial(axes, {"part0.c": "none", "part1.a": "none", "part0.c.source": "label"})
        assert not laid_out(variants).cells


class TestHalfFraction:
    @pytest.mark.parametrize("count", [3, 4, 5, 6])
    def test_shares_without_interactions_of_three_or_more(self, count: int) -> None:
        """With three parts, two-way interactions are mixed in too."""
        rng = np.random.default_rng(count)
        orders = (1,) if count == 3 else (1, 2)
        terms = {on: rng.normal() for on in combinations(count) if len(on) in orders}
        game = additive(count, terms, (-1.0, 1.0))
        study = laid_out(half(count))
        assert study.half
        values = {names[0]: game[on] for on, names in study.cells.items()}
        found = {key: applied(one.weights, values) for key, one in by_kind(study).items()}
        expected = by_orders(count, game)
        everything, none = frozenset(range(count)), frozenset[int]()
        total = next(value for (kind, _), value in found.items() if kind == TOTAL)
        assert total == pytest.approx(game[everything] - game[none])
        assert found.get((REST, "interactions of three or more parts"), 0.0) == pytest.approx(0.0, abs=1e-9)
        for place, part in enumerate(study.parts):
            assert found[SHARE, part.name] == pytest.approx(expected[place])
            if count >= 5:
                last = game[everything] - game[everything - {place}]
                first = game[frozenset({place})] - game[none]
                assert found[FIRST, part.name] == pytest.approx(first)
                assert found[LAST, part.name] == pytest.approx(last)
                assert found[DEPENDENCE, part.name] == pytest.approx(last - first)
            else:
                assert (FIRST, part.name) not in found

    @pytest.mark.parametrize("count", [3, 4, 5, 6])
    def test_shares_and_rest_add_up_whatever_the_truth(self, count: int) -> None:
        rng = np.random.default_rng(count)
        study = laid_out(half(count))
        values = {names[0]: rng.normal() for names in study.cells.values()}
        found = {key: applied(one.weights, values) for key, one in by_kind(study).items()}
        parts = sum(value for (kind, _), value in found.items() if kind in (SHARE, REST))
        assert parts == pytest.approx(next(value for (kind, _), value in found.items() if kind == TOTAL))
        if count % 2 == 0:
            difference = values[study.full] - values[study.bare]
            assert parts == pytest.approx(difference)
        else:
            assert study.full == ""
        assert ((REST, "interactions of three or more parts") in found) == (count == 6)

    def test_what_is_mixed_in_is_named(self) -> None:
        found = by_kind(laid_out(half(3)))
        assert found[SHARE, "c=on"].alias == "-a x b"
        found = by_kind(laid_out(half(4)))
        assert found[SHARE, "c=on"].alias == "a x b x f"

    @pytest.mark.parametrize("count", [3, 4])
    def test_an_alias_is_really_mixed_in(self, count: int) -> None:
        """The interaction of all other parts, coded -1 and +1, changes the share by itself, with the sign shown."""
        study = laid_out(half(count))
        game = additive(count, {frozenset(range(1, count)): 0.5}, (-1.0, 1.0))
        values = {names[0]: game[on] for on, names in study.cells.items()}
        one = by_kind(study)[SHARE, "c=on"]
        assert applied(one.weights, values) == pytest.approx(-1.0 if one.alias.startswith("-") else 1.0)

    def test_with_an_axis_of_more_levels(self) -> None:
        study = laid_out(half(3, (Axis("size.g", (1, 2, 3)),)))
        assert study.half
        assert all(len(names) == 3 for names in study.cells.values())


class TestNamedParts:
    VARIANTS = Variants(
        {name: {"variants": name} for name in ("neither", "x", "y", "both", "placebo")},
        "neither",
    )
    PARTS = {"neither": [], "x": ["x"], "y": ["y"], "both": ["x", "y"]}  # noqa: RUF012 - a constant of the test

    def test_named_variants_with_parts(self) -> None:
        study = layout(self.VARIANTS, {"variants": "variants"}, self.PARTS)
        assert study.parts == (Part("x", "x"), Part("y", "y"))
        assert (study.bare, study.full) == ("neither", "both")
        found = by_kind(study)
        assert found[SHARE, "x"].weights == {"neither": -0.5, "x": 0.5, "y": -0.5, "both": 0.5}
        assert found[TOTAL, "both"].versus == "neither"
        assert not any("placebo" in one.weights for one in found.values())

    def test_crossed_with_an_axis_of_two_levels(self) -> None:
        levels = {
            f"{name}, {level}": {"variants": name, "augmenter": level}
            for name in ("neither", "x", "y", "both", "placebo")
            for level in ("none", "tempo")
        }
        study = layout(Variants(levels, "neither, none"), {"variants": "v", "augmenter": "augmenter"}, self.PARTS)
        assert [part.name for part in study.parts] == ["x", "y", "augmenter=tempo"]
        assert len(study.cells) == 8
        assert (study.bare, study.full) == ("neither, none", "both, tempo")

    def test_in_a_design_that_crosses_nothing_only_named_variants_have_parts(self) -> None:
        """One axis at a time: the other axis has one complete set of combinations, at the baseline's level."""
        levels = {name: {"variants": name, "augmenter": "none"} for name in ("neither", "x", "y", "both")}
        levels["augmenter=tempo"] = {"variants": "neither", "augmenter": "tempo"}
        variants, labels = Variants(levels, "neither"), {"variants": "v", "augmenter": "augmenter"}
        study = layout(variants, labels, self.PARTS, crossed=False)
        assert [part.name for part in study.parts] == ["x", "y"]
        assert (study.over, study.left_out) == (("augmenter",), 1)
        assert not layout(variants, labels, self.PARTS).cells, "crossed, most combinations would be missing"

    def test_short_names_of_the_ends_are_used(self) -> None:
        assert layout(self.VARIANTS, {"variants": "variants"}, self.PARTS).ends == "neither and both"
        assert laid_out(full(2)).ends == "the bare and the full model"
        assert laid_out(half(3)).ends == "the bare and the full model"

    def test_without_parts_named_variants_are_averaged(self) -> None:
        levels = {
            f"{name}, {a}, {b}": {"variants": name, "a": a, "b": b} for name in "uvw" for a in (0, 1) for b in (0, 1)
        }
        study = layout(Variants(levels, "u, 0, 0"), {"variants": "variants", "a": "a", "b": "b"}, {})
        assert study.over == ("variants",)
        assert [part.name for part in study.parts] == ["a=1", "b=1"]


def test_every_row_is_computed_in_the_same_replicates() -> None:
    """A replicate without one of the variants is left out of the total too, or the shares would not add up."""
    study = laid_out(full(2))
    rng = np.random.default_rng(1)
    values = {names[0]: rng.normal(size=6) for names in study.cells.values()}
    values["c=none, a=on"][2] = NAN
    replicates = replicated(values)
    rows = {key: replicates.differences(*Q, one.weights) for key, one in by_kind(study).items()}
    assert all(np.flatnonzero(np.isnan(row)).tolist() == [2] for row in rows.values())
    shares = sum(row for (kind, _), row in rows.items() if kind == SHARE)
    assert shares == pytest.approx(rows[TOTAL, "c=on, a=on"], nan_ok=True)
