"""Words of a command with placeholders."""

from __future__ import annotations

import pytest

from ablate.study.program.placeholders import filled, is_value, names_in, text_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--lr={lr}", "--lr=0.001"),
        ("model.width={model.width}", "model.width=8"),
        ("{lr}{lr}", "0.0010.001"),
        ("{{lr}}", "{lr}"),
        ('{"a": 1}', '{"a": 1}'),
        ("{out}/x", "{out}/x"),
        ("{}", "{}"),
    ],
)
def test_filled(text: str, expected: str) -> None:
    assert filled(text, {"lr": 0.001, "model.width": 8}) == expected


def test_what_is_doubled_stays_so_until_the_last_time() -> None:
    once = filled("{lr} {{lr}} {out}", {"lr": 1}, last=False)
    assert (once, filled(once, {"out": "o"})) == ("1 {{lr}} {out}", "1 {lr} o")
    assert list(names_in("{lr} {{lr}} {out}")) == ["lr", "out"]


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (1e-5, "1e-05"), (3, "3"), ("a b", "a b"), ([1, "a"], '[1,"a"]')]
)
def test_values_as_programs_read_them(value: object, text: str) -> None:
    assert is_value(value)
    assert text_of(value) == text


@pytest.mark.parametrize("value", [{}, None, [[1]], [{}]])
def test_values_that_no_argument_has(value: object) -> None:
    assert not is_value(value)
