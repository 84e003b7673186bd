from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import given
from support.commands import columns

from ablate.cli.folding import fold_sentence, shortened
from ablate.cli.study.stored.states import print_states, ranges
from ablate.cli.terminal_tables import render_table, render_tables
from ablate.store.records import RunRecord, StudyRecord, VariantRecord

if TYPE_CHECKING:
    import pytest

RUNS = st.text(st.characters(exclude_categories=("C", "Z", "M")) | st.just(" "), max_size=40)


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


def test_a_number_stays_beside_its_sign() -> None:
    text = "x is 1.2 ± 0.3 (95 % interval), p = 0.03"
    for width in range(14, 40):
        lines = fold_sentence(text, width=width).splitlines()
        assert " ".join(lines) == text
        assert not any(line.startswith(("%", "±", "0.3 ", "=", "0.03")) for line in lines)


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
    assert render_table(["kind", "summary", "distribution"], [*rows, ["model", "", "rnn"]], width=36).splitlines() == [
        " kind           metric",
        " summary        a long text that can",
        "                be folded",
        " distribution   memorization.longest",
        " ───────────────────────────────────",
        " kind           model",
        " distribution   rnn",
    ]
    # without room for the headers words are broken
    assert "distribution" not in render_table(["kind", "summary", "distribution"], rows, width=20)


@given(st.lists(st.tuples(RUNS, RUNS, RUNS), max_size=5), st.integers(40, 100))
def test_a_table_is_as_narrow_as_asked_and_loses_no_word(rows: list[tuple[str, str, str]], width: int) -> None:
    folded = render_table(["one", "two", "three"], rows, width=width)
    letters = "".join("".join(map("".join, rows)).split()).replace("─", "")
    headers = [word for row in rows for word, cell in zip(("one", "two", "three"), row, strict=True) if cell.strip()]
    printed = sorted("".join(folded.split()).replace("─", ""))
    # a table, or lists of cells
    assert printed in (sorted(f"{letters}onetwothree"), sorted(letters + "".join(headers)))
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


def test_sentences_that_have_no_room_are_below_their_rows() -> None:
    rows = [["metric", "Seconds in which nothing sounds, as a share of all.", "music"], ["model", "", "rnn"]]
    wide = render_table(["kind", "summary", "plugin"], rows, width=80, prose=1).splitlines()
    assert wide[2].split("   ")[1] == rows[0][1]
    narrow = render_table(["kind", "summary", "plugin"], rows, width=40, prose=1).splitlines()
    assert narrow == [
        " kind     plugin",
        "    summary",
        " ───────────────",
        " metric   music",
        "    Seconds in which nothing sounds, as",
        "    a share of all.",
        " model    rnn",
    ]


def test_paths_stay_in_one_line_to_be_copied() -> None:
    path = "music/my own folder/" + "tau_sweep-tau=1.0-r0-00.mid"
    rows = [[path, "64", "15.0"]]
    for width in (20, 40, 60, None):
        assert path in render_table(["file", "notes", "seconds"], rows, right=2, width=width, path=0)
    assert render_table(["file", "notes", "seconds"], rows, right=2, width=40, path=0).splitlines() == [
        " notes   seconds",
        "    file",
        " ───────────────",
        "    64      15.0",
        f"    {path}",
    ]


def test_many_replicates_are_numbers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    variants = [VariantRecord(name, "", {"tau": name}, baseline=name == "0.8") for name in ("0.8", "1.0")]
    runs = [RunRecord(v.name, r, {}, {}, "done") for v in variants for r in range(40)]
    runs[4:7] = [dataclasses.replace(run, state="failed") for run in runs[4:7]]
    runs[79] = dataclasses.replace(runs[79], state="pending")
    study = StudyRecord("s", {}, "default", "", 1)
    for width in ("60", "80", ""):
        monkeypatch.setenv("COLUMNS", width)
        print_states(study, variants, runs)
        assert capsys.readouterr().out.splitlines()[1:] == [
            " variant          done   failed    pending",
            " ─────────────────────────────────────────",
            " 0.8 (baseline)   37     3 (4-6)",
            " 1.0              39               1 (39)",
            "",
        ]
    print_states(study, variants, [run for run in runs if run.replicate < 3])
    assert "replicate 0   replicate 1   replicate 2" in capsys.readouterr().out


def test_no_terminal_is_too_narrow() -> None:
    for width in range(1, 8):
        for text in ("a sentence of words", "月光 音楽 ab"):
            folded = fold_sentence(text, "    ", width=width)
            assert "".join(folded.split()) == "".join(text.split())
            assert render_table(["kind", "summary"], [["a", text]], width=width, prose=1)


def test_replicates_as_ranges() -> None:
    assert ranges(["0", "1", "2", "5", "7", "8"]) == "0-2, 5, 7, 8"
    assert ranges(["seed-1", "seed-2"]) == "seed-1, seed-2"
    assert ranges([str(n) for n in range(0, 40, 2)]) == "0, 2, 4, 6, 8, 10 and 14 more"
