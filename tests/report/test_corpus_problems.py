"""Problems in the files of a corpus, from a real folder to every place where a report shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.midi_bytes import midi, off, on, track
from support.outputs_material import Parsed

import ablate as library

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from support.commands import Command

STUDY = """
question = "Which files were skipped?"
replicates = 1
[corpus.midi]
path = "music"
skip_bad = true
[tokenizer.midilike]
[model.lstm]
hidden = 8
embedding = 8
[training]
steps = 2
batch = 2
window = 16
[generation]
samples = 1
tokens = 200
[sampler.temperature]
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
"""
WARNING = "the corpus has only 20 notes: the study can run, but no verdict about music is possible; give more music"
BAD = "<b>&bad.mid"


def test_a_skipped_file_is_in_every_part_of_the_report(
    ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablate.report.formats.audio.available", lambda: False)  # sound takes seconds
    folder = tmp_path / "music"
    folder.mkdir()
    notes = [(12 + 2 * step, 64, 0.25 * step, 0.25 * step + 0.2) for step in range(40)]
    (folder / "good.mid").write_bytes(library.Performance.from_notes(notes).midi_bytes())
    for name in (BAD, *(f"worse-{number:02}.mid" for number in range(11))):
        (folder / name).write_bytes(b"MThd")
    (folder / "hanging.mid").write_bytes(midi(track([(0, on(60)), (0, on(62)), (480, off(60))])))
    (tmp_path / "skipped.toml").write_text(STUDY, encoding="utf-8")
    outcome = ablate("study", "run", "skipped.toml", "--workers", "1")
    assert outcome.code == 0, outcome.err
    assert "load corpus: 12 of 14 files and 1 of 42 notes left out\nload corpus: <b>&bad.mid: left out" in outcome.err
    assert outcome.err.count("tokenizer 'midilike' cannot write 5 of 41 notes") == 1
    assert (
        "left out or odd\n"
        "  - Corpus: 12 of 14 files and 1 of 42 notes left out.\n"
        "  - Tokenizer 'midilike' cannot write 5 of 41 notes (12.2 %): pitches 12 to 20 are below its range of 21 to "
        "108; set tokenizer.midilike.low=12.\n"
        "  - 13 problems with files; the report lists them all.\n\n"
    ) in outcome.out
    again = ablate("study", "run", "skipped.toml", "--workers", "1", "--json", "--no-report")
    facts = json.loads(again.out)
    assert len(facts["problems"]) == 13
    assert facts["left_out"][0] == "Corpus: 12 of 14 files and 1 of 42 notes left out."
    shown = json.loads(ablate("study", "show", "skipped", "--json").out)
    assert [shown[key] for key in ("left_out", "problems")] == [facts[key] for key in ("left_out", "problems")]
    assert "  - Corpus: 12 of 14 files and 1 of 42 notes left out.\n" in ablate("study", "show", "skipped").out

    report = tmp_path / ".ablate/reports/skipped"
    page = (report / "index.html").read_text(encoding="utf-8")
    read = Parsed(page)
    assert "Some music was left out, or its files are odd." in read.text
    assert "Corpus: 12 of 14 files and 1 of 42 notes left out." in read.text
    assert "Tokenizer 'midilike' cannot write 5 of 41 notes (12.2 %)" in read.text
    assert f"{BAD}: left out: " in read.text
    assert "b" not in read.tags
    assert "3 more of 13 problems" in read.text, "the others are folded"
    assert all(f"worse-{number:02}.mid: left out: " in read.text for number in range(11))

    assert ablate("study", "report", "skipped", "--format", "md").code == 0
    markdown = (report / "report.md").read_text(encoding="utf-8")
    assert r"- \<b\>\&bad.mid: left out: " in markdown
    assert "- Corpus: 12 of 14 files and 1 of 42 notes left out.\n" in markdown
    assert "- and 3 more of 13 problems; the HTML report lists all.\n" in markdown

    results = library.load_results("skipped", tmp_path / ".ablate")
    problems = results.verdicts().problems
    assert len(problems) == 13
    assert problems[0].startswith(f"{BAD}: left out: ")
    assert results.verdicts().left_out == tuple(facts["left_out"])
    assert "13 problems with files: see verdicts().problems" in results._repr_html_()


def test_a_phrase_of_ones_own_is_named_and_warned_of(
    ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablate.report.formats.audio.available", lambda: False)  # sound takes seconds
    notes = [(60 + step % 7, 64, 0.25 * step, 0.25 * step + 0.2) for step in range(20)]
    (tmp_path / "my phrase.mid").write_bytes(library.Performance.from_notes(notes).midi_bytes())
    (tmp_path / "short.toml").write_text(STUDY.replace('"music"', '"my phrase.mid"'), encoding="utf-8")
    assert f"note: {WARNING}\n" in _unfolded(ablate("study", "plan", "short.toml").out)
    outcome = ablate("study", "run", "short.toml", "--workers", "1")
    assert outcome.code == 0, outcome.err
    assert f"load corpus: {WARNING}\n" in outcome.err
    read = Parsed((tmp_path / ".ablate/reports/short/index.html").read_text(encoding="utf-8"))
    assert "Ablation study on my phrase.mid" in read.text
    assert "for this music (my phrase.mid)" in read.text
    assert "The corpus has only 20 notes, so no verdict about music is possible" in read.text


def _unfolded(text: str) -> str:
    """Return text without the ends of lines that the width of the terminal has made."""
    return text.replace("\n  ", " ")
