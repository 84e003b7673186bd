from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from support.commands import columns

from ablate.cli.folding import fold_sentence, shortened
from ablate.cli.terminal_tables import render_table, render_tables

RUNS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")) | st.just(" "), max_size=40)


def test_columns_stand_under_their_headers() -> None:
    assert render_table(["name", "n"], [["tau=0.6", 8], ["a", None], ["two\nlines", 12]], right=1).splitlines() == [
        " name         n",
        " ──────────────",
        " tau=0.6      8",
        " a",
        " two lines   12",
    ]


def test_sentences_are_folded_between_words_on_a_terminal_only() -> None:
    text = "ours is better than lstm: loss −0.115 (95 % interval)"  # noqa: RUF001 - as verdicts are printed
    assert fold_sentence(text, "  - ", width=None) == f"  - {text}"
    lines = fold_sentence(text, "  - ", width=30).splitlines()
    assert max(map(len, lines)) <= 30
    assert [line[:4] for line in lines] == ["  - ", "    ", "    "]
    assert " ".join(line[4:] for line in lines) == text


def test_wide_characters_take_two_columns() -> None:
    lines = render_table(["a", "b"], [["音楽", "x"], ["ab", "y"]]).splitlines()
    assert lines[2:] == [" 音楽   x", " ab     y"]


@given(
    st.text(st.sampled_from("月光 第ピ🎹ab é\u0301\u200d-שلا"), min_size=1, max_size=120),
    st.integers(min_value=12, max_value=40),
)
def test_names_in_any_script_fit_the_width_and_stay_whole(name: str, width: int) -> None:
    lines = render_table(["a", "n"], [[name, "1"]], right=1, width=width).splitlines()
    assert all(columns(line) <= width for line in lines)
    assert "".join("".join(lines[2:]).split()).replace("1", "", 1) == "".join(name.split())
    folded = fold_sentence(name, "- ", width=width).splitlines()
    assert "".join("".join(folded)[2:].split()) == "".join(name.split())


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


def test_columns_that_do_not_fit_follow_in_further_tables() -> None:
    headers = ["variant", "distance.average", "setdistance.pitch_classes overlap", "likelihood.nll test_per_note"]
    rows = [["model=lstm(embedding=32, hidden=48)", "1.40 ± 0.42 (n=2)", "0.5 ± 0.1 (n=2)", "21.8 ± 0.7 (n=2)"]]
    first, second = render_tables(headers, rows, parts=3, right=3, width=80).split("\n\n")
    assert first.splitlines()[3:] == [
        " model=lstm(embedding=32,       1.40 ± 0.42 (n=2)                0.5 ± 0.1 (n=2)",
        " hidden=48)",
    ]
    assert second.splitlines() == [
        " variant                               likelihood.nll test_per_note",
        " ──────────────────────────────────────────────────────────────────",
        " model=lstm(embedding=32, hidden=48)               21.8 ± 0.7 (n=2)",
    ]
    assert render_tables(headers, rows, parts=3, right=3) == render_table(headers, rows, right=3)
    assert render_tables(headers, rows, parts=0, right=3) == render_table(headers, rows, right=3)


def test_a_name_loses_its_middle_by_columns() -> None:
    assert shortened("月光第二楽章", 11) == "月光…楽章"
    assert shortened("月光第二楽章", 12) == "月光第二楽章"


def test_a_table_is_divided_only_where_its_lines_are_too_long() -> None:
    rows = [["a.mid", "1", "2", "3"]]
    assert "\n\n" not in render_tables(["file", "n", "m", "k"], rows, parts=3, right=3, width=15)
