from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from ablate.cli.terminal_tables import render_table

RUNS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")) | st.just(" "), max_size=40)


def test_columns_stand_under_their_headers() -> None:
    assert render_table(["name", "n"], [["tau=0.6", 8], ["a", None], ["two\nlines", 12]], right=1).splitlines() == [
        " name         n",
        " ──────────────",
        " tau=0.6      8",
        " a",
        " two lines   12",
    ]


def test_wide_characters_take_two_columns() -> None:
    lines = render_table(["a", "b"], [["音楽", "x"], ["ab", "y"]]).splitlines()
    assert lines[2:] == [" 音楽   x", " ab     y"]


def test_without_rows_there_are_headers() -> None:
    assert render_table(["a", "b"], []).splitlines()[0] == " a   b"


def test_words_are_broken_last() -> None:
    rows = [["metric", "a long text that can be folded", "memorization.longest"]]
    for width in (60, 50, 42):
        lines = render_table(["kind", "summary", "name"], rows, width=width).splitlines()
        assert max(map(len, lines)) <= width
        assert lines[2].endswith("memorization.longest")
    narrow = render_table(["kind", "summary", "distribution"], rows, width=32)
    assert "distribution" in narrow
    assert "memorization.longest" not in narrow


@given(st.lists(st.tuples(RUNS, RUNS, RUNS), max_size=5), st.integers(40, 100))
def test_a_table_is_as_narrow_as_asked_and_loses_no_word(rows: list[tuple[str, str, str]], width: int) -> None:
    folded = render_table(["one", "two", "three"], rows, width=width)
    letters = "".join("".join(map("".join, rows)).split())
    assert sorted("".join(folded.split()).replace("─", "")) == sorted(letters.replace("─", "") + "onetwothree")
    if letters.isascii():
        assert max(map(len, folded.splitlines())) <= width
