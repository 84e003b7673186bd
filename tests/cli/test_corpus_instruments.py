"""The corpus commands and the plan of a study with music of several instruments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.commands import columns
from support.midi_bytes import midi, off, on, program, track
from support.pop import NOTES, pop

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

#: What every message says of the pop piece.
COUNTS = (
    "5 instruments play its 1,296 notes (Drums 576, Acoustic Grand Piano 288, Electric Guitar (clean) 216, "
    "Electric Bass (finger) 144, String Ensemble 1 72), but tokenizer 'midilike' writes them all as one; choose "
)


@pytest.fixture
def piece(tmp_path: Path) -> str:
    path = tmp_path / "pop.mid"
    path.write_bytes(pop())
    return str(path)


def test_inspect_counts_notes_of_instruments_and_reports_a_tokenizer_without_them(ablate: Command, piece: str) -> None:
    done = ablate("corpus", "inspect", piece, "--tokenizer", "midilike")
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()]
    assert ["Drums", "128", "576", "1", "0"] in lines
    assert "1,008 of 1,296 notes come back for another instrument" in done.out
    assert COUNTS in done.out
    report = json.loads(ablate("corpus", "inspect", piece, "--tokenizer", "midilike", "--json").out)
    assert report["total"]["instruments"] == {str(number): notes for number, notes in NOTES.items()}
    assert COUNTS in report["problems"][0]


def test_inspect_with_instruments_in_the_tokens_changes_none(ablate: Command, piece: str) -> None:
    words = ["corpus", "inspect", piece, "--tokenizer", "midilike", "--option", "instruments=all", "--json"]
    report = json.loads(ablate(*words).out)
    assert report["problems"] == []
    trip = report["round_trip"]
    assert (trip["lost_notes"], trip["changed_instruments"]) == (0, 0)
    assert trip["duration_error"]["max"] <= 0.005 + 1e-9


def test_tokens_of_a_band_are_refused_until_a_choice_is_made(ablate: Command, piece: str) -> None:
    words = ["corpus", "tokens", piece, "--tokenizer", "midilike"]
    refused = ablate(*words)
    assert (refused.code, refused.out) == (1, "")
    assert COUNTS + "--instruments piano (288 notes), or --instruments merge (720 notes, as one piano)" in refused.err
    assert "a tokenizer that writes instruments: --option instruments=all" in refused.err
    chosen = ablate(*words, "--instruments", "bass")
    assert len(json.loads(chosen.out)) > 144
    assert "1,152 of 1,296 notes left out by --instruments bass: Drums 576, " in chosen.err
    assert json.loads(ablate(*words, "--option", "instruments=all").out)


def test_inspect_counts_once_what_a_choice_leaves_out(ablate: Command, piece: str, tmp_path: Path) -> None:
    (tmp_path / "short.mid").write_bytes(pop(bars=4))
    (tmp_path / "flute.mid").write_bytes(midi(track([(0, program(73)), (0, on(60)), (480, off(60))])))
    one = ablate("corpus", "inspect", piece, "--instruments", "merge").out
    assert "note: 576 of 1,296 notes left out by --instruments merge: Drums 576\n" in one
    words = ("corpus", "inspect", str(tmp_path), "--instruments", "bass,piano,flute")
    folder = " ".join(ablate(*words).out.split())
    assert "total: 960 of 1,441 notes left out by --instruments bass,piano,flute in 2 of 3 files: Drums 640, " in folder
    assert "problem: " not in one + folder
    report = json.loads(ablate(*words, "--json").out)
    assert report["total"]["unchosen"] == {"27": 240, "48": 80, "128": 640}
    assert [file["summary"]["unchosen"].get("128") for file in report["files"]] == [None, 576, 64]
    assert not any(file["problems"] for file in report["files"])


@pytest.mark.parametrize(
    ("choice", "code", "message"),
    [
        ("bas", 2, "--instruments bas: unknown instrument 'bas'; did you mean 'bass'?"),
        ("flute", 1, "pop.mid: has no note of --instruments flute, but Drums 576, "),
    ],
)
def test_a_choice_that_does_not_fit(ablate: Command, piece: str, choice: str, code: int, message: str) -> None:
    done = ablate("corpus", "tokens", piece, "--tokenizer", "midilike", "--instruments", choice)
    assert done.code == code
    assert message in done.err
    assert "\n" not in done.err.strip()


def test_the_plan_of_a_study_refuses_a_band_with_the_words_that_accept_it(ablate: Command, piece: str) -> None:
    words = ["study", "plan", "tau_sweep", "--profile", "smoke", "--corpus", piece]
    refused = ablate(*words)
    assert refused.code == 1
    assert COUNTS.replace("midilike", "midilike-classic") in refused.err
    assert "--set corpus.midi.instruments=merge (720 notes, as one piano)" in refused.err
    assert "--set tokenizer=midilike --set tokenizer.midilike.instruments=all" in refused.err


@pytest.mark.parametrize("words", [[], ["--tokenizer", "midilike"], ["--instruments", '["bass", 128]']])
def test_inspect_fits_the_width_that_is_asked_for(
    ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    names = ["pop.mid", f"{'long ' * 40}.mid", f"{'月光' * 30}.mid"]
    for name in names:
        (tmp_path / name).write_bytes(pop() if name.isascii() else b"none")
    whole = ablate("corpus", "inspect", str(tmp_path), *words).out
    assert all(name.split()[-1] in whole for name in names)
    monkeypatch.setenv("COLUMNS", "80")
    done = ablate("corpus", "inspect", str(tmp_path), *words)
    assert done.code == 0
    assert max(map(columns, done.out.splitlines())) <= 80
    assert "光…" in done.out
    report = json.loads(ablate("corpus", "inspect", str(tmp_path), *words, "--json").out)
    assert {file["name"] for file in report["files"]} == set(names)


@pytest.mark.parametrize(("value", "number"), [('["bass", 128]', 720), ('"bass, drums"', 720), ("128", 576)])
def test_instruments_are_chosen_as_in_a_study(ablate: Command, piece: str, value: str, number: int) -> None:
    done = ablate("corpus", "inspect", piece, "--instruments", value, "--json")
    assert json.loads(done.out)["total"]["notes"] == number
