"""Names as text that can be printed and stored."""

from __future__ import annotations

import json
import os

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ablate.printable import escaped_json, has_bytes, name_problem, piece_text, printable, readable

ORDINARY = (
    "月光 第1楽章",
    "Dvořák — Humoresque",
    "שלום \u200f مرحبا",
    "👩\u200d👩\u200d👧",
    "نی\u200cست",
    "100% #?&\\ -",
    "e\u0301",
    "",
)


@pytest.mark.parametrize("name", ORDINARY)
def test_names_in_any_script_stay(name: str) -> None:
    assert printable(name) == name
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),
        ("line\nbreak\ttab\0", r"line\x0abreak\x09tab\x00"),
        ("\x1b[31mred\x7f\x85", r"\x1b[31mred\x7f\x85"),
        ("mirrored \u202egnp\u2066", r"mirrored \u202egnp\u2066"),
        ("\u2028\uffff\ud83c", r"\u2028\uffff\ud83c"),
    ],
)
def test_what_cannot_be_printed_is_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert shown in name_problem(name)


@given(st.text(st.characters()))
def test_every_name_can_be_stored_and_printed_in_a_line(name: str) -> None:
    shown = printable(name)
    assert shown.encode().decode() == shown
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown
    assert has_bytes(name) == any("\ud800" <= char <= "\udfff" for char in name)
    assert piece_text(piece_text(name)) == piece_text(name)


def test_accents_of_pieces_are_composed() -> None:
    assert piece_text("Dvor\u030ca\u0301k") == "Dvořák"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "夜 ± ─ é 🎵"),
        ("ascii", r"\u591c +/- - \xe9 \U0001f3b5"),
        ("iso8859-1", r"\u591c ± - é \U0001f3b5"),
        ("cp1252", r"\u591c ± - é \U0001f3b5"),
        (None, "夜 ± ─ é 🎵"),
    ],
)
def test_what_an_encoding_lacks_is_written_in_another_way(encoding: str | None, shown: str) -> None:
    assert readable("夜 ± ─ é 🎵", encoding) == shown


@given(st.text())
def test_json_gives_every_name_back_and_has_no_escape_codes(name: str) -> None:
    text = escaped_json(json.dumps({"name": name}, indent=1, ensure_ascii=False))
    assert json.loads(text) == {"name": name}
    assert text.replace("\n", "") == printable(text.replace("\n", ""))
