from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ablate.names import level_name, same, short_names
from ablate.study.design import (
    Axis,
    Range,
    add_one_in,
    aliases,
    chosen_variant,
    factorial,
    fractional,
    leave_one_out,
    one_at_a_time,
)


def test_every_combination_once_the_last_axis_fastest() -> None:
    axes = [Axis("sampler.temperature.tau", (0.8, 1.0)), Axis("conditioner", ("none", "tempo"))]
    variants = factorial(axes, {"sampler.temperature.tau": 1.0, "conditioner": "none"})
    assert [v.name for v in variants] == [
        "tau=0.8, conditioner=none",
        "tau=0.8, conditioner=tempo",
        "tau=1.0, conditioner=none",
        "tau=1.0, conditioner=tempo",
    ]
    assert [v.baseline for v in variants] == [False, False, True, False]


def test_without_axes_there_is_one_variant_and_it_is_the_baseline() -> None:
    (only,) = factorial([], {})
    assert (only.name, only.levels, only.baseline) == ("base", {}, True)


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4, unique=True), min_size=1, max_size=4))
def test_names_are_unique_and_one_is_the_baseline(levels: list[list[int]]) -> None:
    axes = [Axis(f"a{i}.x", tuple(values)) for i, values in enumerate(levels)]
    variants = factorial(axes, {axis.path: axis.levels[0] for axis in axes})
    assert len({v.name for v in variants}) == len(variants) == math.prod(len(values) for values in levels)
    assert sum(v.baseline for v in variants) == 1


def test_short_names_are_unique() -> None:
    assert short_names(["sampler.temperature.tau"]) == {"sampler.temperature.tau": "tau"}
    assert short_names(["model.lstm.dropout", "model.gru.dropout", "training.steps"]) == {
        "model.lstm.dropout": "lstm.dropout",
        "model.gru.dropout": "gru.dropout",
        "training.steps": "steps",
    }
    # one path is the end of the other: the whole of it is its name
    assert short_names(["tempo", "labels.tempo"]) == {"tempo": "tempo", "labels.tempo": "labels.tempo"}


def test_names_of_levels() -> None:
    assert level_name("tempo") == "tempo"
    assert level_name(0.8) == "0.8"
    assert level_name(True) == "true"
    assert level_name([]) == "none"
    assert level_name(["a", "b"]) == "a+b"
    assert level_name({"tempo": {"source": "uniform"}, "density": {}}) == "tempo(source=uniform)+density"


def test_sameness_of_levels() -> None:
    assert same(1, 1.0)
    assert not same(1, True)
    assert not same("1", 1)


TWO = [Axis("augmenter", ("none", "tempo")), Axis("conditioner", ("none", "tempo")), Axis("a.x", (1, 2))]
BARE = {"augmenter": "none", "conditioner": "none", "a.x": 1}


def test_one_at_a_time_changes_one_axis_of_the_baseline() -> None:
    axes = [Axis("sampler.temperature.tau", (0.8, 1.0, 1.2)), Axis("conditioner", ("none", "tempo"))]
    baseline = {"sampler.temperature.tau": 1.0, "conditioner": "none"}
    variants = one_at_a_time(axes, baseline)
    assert [v.name for v in variants] == ["base", "tau=0.8", "tau=1.2", "conditioner=tempo"]
    assert variants[0].levels == baseline
    assert [v.baseline for v in variants] == [True, False, False, False]
    for variant in variants[1:]:
        assert sum(variant.levels[path] != level for path, level in baseline.items()) == 1


def test_parts_are_left_out_of_the_full_model_or_added_to_the_bare_one() -> None:
    full = {"augmenter": "tempo", "conditioner": "tempo", "a.x": 2}
    assert [v.name for v in leave_one_out(TWO, full)] == ["full", "without augmenter", "without conditioner", "x=1"]
    assert [v.name for v in add_one_in(TWO, BARE)] == [
        "bare",
        "with augmenter=tempo",
        "with conditioner=tempo",
        "with x=2",
    ]
    assert leave_one_out(TWO, full)[2].levels == {**full, "conditioner": "none"}
    assert add_one_in(TWO, BARE)[3].levels == {**BARE, "a.x": 2}


@given(st.integers(3, 6), st.data())
def test_a_half_fraction_is_balanced_and_its_aliases_are_real(count: int, data: st.DataObject) -> None:
    """Each level of each axis in half of the runs; a contrast equals that of its alias, with the sign shown."""
    axes = [Axis(f"a{i}.x{i}", ("low", "high")) for i in range(count)]
    baseline = {axis.path: data.draw(st.sampled_from(axis.levels)) for axis in axes}
    variants = fractional(axes, baseline)
    assert len(variants) == 2 ** (count - 1)
    assert sum(v.baseline for v in variants) == 1
    codes = np.array([[1 if v.levels[a.path] != baseline[a.path] else -1 for a in axes] for v in variants])
    np.testing.assert_array_equal(codes.sum(0), 0)
    labels = [axis.path.partition(".")[2] for axis in axes]
    for effect, alias in aliases(axes):
        columns = [
            np.prod([codes[:, labels.index(part)] for part in side.split(" x ")], axis=0)
            for side in (effect, alias.removeprefix("-"))
        ]
        sign = -1 if alias.startswith("-") else 1
        np.testing.assert_array_equal(columns[0], sign * columns[1])


def test_axes_of_more_levels_are_crossed_with_a_half_fraction() -> None:
    axes = [*TWO, Axis("b.y", (1, 2, 3))]
    variants = fractional(axes, {**BARE, "b.y": 1})
    assert len(variants) == 4 * 3
    assert [effect for effect, _ in aliases(axes)] == ["augmenter", "conditioner", "x"]
    assert dict(aliases(axes))["x"] == "-augmenter x conditioner"


def test_an_axis_that_exists_for_some_levels_makes_no_combination_twice() -> None:
    axes = [
        Axis("sampler", ("temperature", "top_p")),
        Axis("sampler.top_p.p", (0.8, 0.9), when={"sampler": ("top_p",)}),
    ]
    variants = factorial(axes, {"sampler": "temperature", "sampler.top_p.p": 0.9})
    assert [v.name for v in variants] == ["sampler=temperature", "sampler=top_p, p=0.8", "sampler=top_p, p=0.9"]
    assert [v.baseline for v in variants] == [True, False, False]
    assert variants[0].levels == {"sampler": "temperature"}
    chosen = chosen_variant(axes, {"sampler": "temperature", "sampler.top_p.p": 0.8}, {"sampler": "temperature"})
    assert chosen == variants[0]


def test_a_range_is_divided_evenly_or_by_equal_factors() -> None:
    assert Range(0.6, 1.4).levels(5) == (0.6, 0.8, 1.0, 1.2, 1.4)
    assert Range(1e-4, 1e-2, log=True).levels(3) == (1e-4, 1e-3, 1e-2)
    assert Range(1, 9).levels(3) == (1, 5, 9)
    assert Range(1, 2).levels(4) == (1, 2), "whole numbers come once"
    assert 0.6 in Range(0.6, 1.4)
    assert True not in Range(0, 1)
    assert not Range(0, 1, step=0.5).whole
