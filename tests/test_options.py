"""Options: the values that are accepted, and the messages for the others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.errors import InvalidOptions
from ablate.options import OptionField, describe, option, plain, shown, validate


@dataclass(frozen=True)
class Options:
    """One option of every type."""

    tau: float = option(1.0, ge=0, doc="A number with one bound.")
    share: float = option(0.5, gt=0, lt=1, doc="A number with two.")
    count: int = option(3, ge=1, le=1_000_000, doc="A whole number.")
    flag: bool = option(False, doc="Yes or no.")
    name: str = option("x", min_length=1, doc="Text.")
    mode: Literal["zeros", "random"] = option("zeros", doc="A choice.")
    limit: float | None = option(None, gt=0, doc="A number or nothing.")
    width: float | Literal["auto"] = option("auto", ge=0, doc="A number or a word.")
    sizes: tuple[int, ...] = option((8,), ge=1, min_length=1, doc="Numbers.")
    span: tuple[float, float] = option((0.0, 1.0), doc="Two numbers.")
    names: tuple[str, ...] = option((), doc="Texts.")


@dataclass(frozen=True)
class Needy:
    """A required option."""

    path: str = option(doc="A path.")
    size: int = option(doc="A size.")


def problems(values: dict[str, Any], options: type[Any] = Options) -> list[tuple[str, str]]:
    with pytest.raises(InvalidOptions) as refused:
        validate(options, values)
    return refused.value.problems


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("tau", -1, "must be a number ≥ 0, not -1"),
        ("tau", "1", 'must be a number ≥ 0, not "1"'),
        ("tau", True, "must be a number ≥ 0, not true"),
        ("tau", float("nan"), "must be a number ≥ 0, not nan"),
        ("tau", float("inf"), "must be a number ≥ 0, not inf"),
        ("tau", None, "must be a number ≥ 0, not none"),
        ("tau", {"a": 1}, "must be a number ≥ 0, not a table"),
        ("tau", 10**400, f"must be a number ≥ 0, not 1{'0' * 79}…"),
        ("tau", dt.date(2020, 1, 31), "must be a number ≥ 0, not date 2020-01-31"),
        ("share", 1, "must be a number > 0 and < 1, not 1"),
        ("count", 0, "must be a whole number ≥ 1, not 0"),
        ("count", 1_000_001, "must be a whole number ≥ 1 and ≤ 1000000, not 1000001"),
        ("count", 2.0, "must be a whole number ≥ 1, not 2.0"),
        ("count", True, "must be a whole number ≥ 1, not true"),
        ("count", "2", 'must be a whole number ≥ 1, not "2"'),
        ("flag", 1, "must be true or false, not 1"),
        ("flag", "true", 'must be true or false, not "true"'),
        ("name", "", 'must be text of 1 or more characters, not ""'),
        ("name", 7, "must be text of 1 or more characters, not 7"),
        ("mode", "zero", 'must be "zeros" or "random", not "zero"'),
        ("limit", 0, "must be a number > 0, not 0"),
        ("width", -1, 'must be a number ≥ 0 or "auto", not -1'),
        ("width", "wide", 'must be a number ≥ 0 or "auto", not "wide"'),
        ("sizes", [], "must be a list of 1 or more whole numbers ≥ 1, not []"),
        ("sizes", [4, 0], "must be a list of 1 or more whole numbers ≥ 1, not [4, 0]"),
        ("sizes", [4, "8"], 'must be a list of 1 or more whole numbers ≥ 1, not [4, "8"]'),
        ("sizes", 4, "must be a list of 1 or more whole numbers ≥ 1, not 4; write [4]"),
        ("span", [0.5], "must be a list of 2 numbers, not [0.5]"),
        ("span", [0, float("nan")], "must be a list of 2 numbers, not [0, nan]"),
        ("names", ["a", 1], 'must be a list of text, not ["a", 1]'),
        ("names", ["a", dt.time(12)], 'must be a list of text, not ["a", time 12:00:00]'),
    ],
)
def test_values_that_do_not_fit_get_a_message(key: str, value: Any, message: str) -> None:
    assert problems({key: value}) == [(key, message)]


def test_text_that_is_no_unicode_is_refused() -> None:
    # as a command line hands it over that is not UTF-8
    ((key, _),) = problems({"name": "\udc80"})
    assert key == "name"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tau", 2, 2.0),
        ("limit", None, None),
        ("limit", 1, 1.0),
        ("width", "auto", "auto"),
        ("width", 3, 3.0),
        ("sizes", [1, 2], (1, 2)),
        ("span", [0, 1], (0.0, 1.0)),
    ],
)
def test_values_that_fit_get_the_declared_type(key: str, value: Any, expected: Any) -> None:
    given = getattr(validate(Options, {key: value}), key)
    assert given == expected
    assert type(given) is type(expected)


def test_options_that_are_not_set_have_their_defaults() -> None:
    assert validate(Options, {}) == Options()


def test_an_unknown_key_gets_a_suggestion() -> None:
    assert problems({"pth": 1, "path": "a", "size": 1}, Needy) == [
        ("pth", "unknown key; did you mean 'path'? (known: path, size)")
    ]


def test_an_unknown_key_of_a_component_without_options() -> None:
    @dataclass(frozen=True)
    class Nothing:
        """No options."""

    assert problems({"tau": 1}, Nothing) == [("tau", "unknown key (known: none)")]


def test_every_problem_is_reported_at_once() -> None:
    assert problems({"sise": 1, "path": 3}, Needy) == [
        ("sise", "unknown key; did you mean 'size'? (known: path, size)"),
        ("path", "must be text, not 3"),
        ("size", "is required"),
    ]


@dataclass(frozen=True)
class Range:
    """Two options that depend on each other."""

    low: int = option(0, doc="From.")
    high: int = option(9, doc="To.")

    def __post_init__(self) -> None:
        """Check both."""
        if self.low > self.high:
            raise ValueError(f"low is above high ({self.low} > {self.high})")


def test_options_that_contradict_each_other() -> None:
    assert validate(Range, {"low": 9}) == Range(9, 9)
    assert problems({"low": 10}, Range) == [("", "low is above high (10 > 9)")]


def test_bounds_of_a_list_hold_for_its_items() -> None:
    @dataclass(frozen=True)
    class Listed:
        sizes: list[int] = option(ge=1, doc="Sizes.")  # noqa: RUF009 - no call that makes a list

    assert validate(Listed, {"sizes": []}).sizes == []
    assert problems({"sizes": [0]}, Listed) == [("sizes", "must be a list of whole numbers ≥ 1, not [0]")]


def test_a_mutable_default_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match="use a tuple"):
        option([1], doc="Sizes.")


def test_description() -> None:
    assert describe(Options) == [
        OptionField("tau", "float", 1.0, False, "≥ 0", "A number with one bound."),
        OptionField("share", "float", 0.5, False, "> 0, < 1", "A number with two."),
        OptionField("count", "int", 3, False, "≥ 1, ≤ 1000000", "A whole number."),
        OptionField("flag", "true | false", False, False, "", "Yes or no."),
        OptionField("name", "text", "x", False, "length ≥ 1", "Text."),
        OptionField("mode", '"zeros" | "random"', "zeros", False, "", "A choice."),
        OptionField("limit", "float", None, False, "> 0", "A number or nothing."),
        OptionField("width", 'float | "auto"', "auto", False, "≥ 0", "A number or a word."),
        OptionField("sizes", "list of int", (8,), False, "≥ 1, length ≥ 1", "Numbers."),
        OptionField("span", "list of float", (0.0, 1.0), False, "", "Two numbers."),
        OptionField("names", "list of text", (), False, "", "Texts."),
    ]


def test_description_of_a_required_option_and_of_a_plain_field() -> None:
    @dataclass(frozen=True)
    class Mixed:
        size: int = option(doc="A size.")
        bare: tuple[int, ...] = field(default_factory=tuple)

    assert describe(Mixed) == [
        OptionField("size", "int", None, True, "", "A size."),
        OptionField("bare", "list of int", (), False, "", ""),
    ]
    assert validate(Mixed, {"size": 1}) == Mixed(1, ())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "none"),
        (0.05, "0.05"),
        (1e-6, "1e-06"),
        (3, "3"),
        ("ä b", '"ä b"'),
        ((1, "a"), '[1, "a"]'),
    ],
)
def test_values_are_shown_as_a_study_file_has_them(value: Any, text: str) -> None:
    assert shown(value) == text


def _numbers(**bounds: Any) -> st.SearchStrategy[float]:
    return st.floats(allow_nan=False, allow_infinity=False, **bounds)


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "tau": _numbers(min_value=0) | st.integers(0, 2**53),  # what a float holds exactly
        "share": _numbers(min_value=0, max_value=1, exclude_min=True, exclude_max=True),
        "count": st.integers(1, 1_000_000),
        "flag": st.booleans(),
        "name": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        "mode": st.sampled_from(["zeros", "random"]),
        "limit": st.none() | _numbers(min_value=0, exclude_min=True),
        "width": st.just("auto") | _numbers(min_value=0),
        "sizes": st.lists(st.integers(1, 2**70), min_size=1),
        "span": st.tuples(_numbers(), _numbers()).map(list),
        "names": st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    },
)


@given(VALUES)
def test_options_survive_the_way_through_plain_values(values: dict[str, Any]) -> None:
    options = validate(Options, values)
    assert validate(Options, plain(options)) == options


@given(VALUES)
def test_options_keep_their_values(values: dict[str, Any]) -> None:
    assert plain(Options()) | values == plain(validate(Options, values))
