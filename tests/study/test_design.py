from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from ablate.study.design import Axis, factorial, level_name, same, short_names


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


def test_short_names_tell_paths_apart() -> None:
    assert short_names(["sampler.temperature.tau"]) == {"sampler.temperature.tau": "tau"}
    assert short_names(["model.lstm.dropout", "model.gru.dropout", "training.steps"]) == {
        "model.lstm.dropout": "lstm.dropout",
        "model.gru.dropout": "gru.dropout",
        "training.steps": "steps",
    }
    # one path is the end of the other: the whole of it is its name
    assert short_names(["tempo", "labels.tempo"]) == {"tempo": "tempo", "labels.tempo": "labels.tempo"}


def test_levels_for_people() -> None:
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
