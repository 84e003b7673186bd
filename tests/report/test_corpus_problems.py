"""Problems in the files of a corpus, from a real folder to every place where a report shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
BAD = "<b>&bad.mid"


def test_a_skipped_file_is_in_every_part_of_the_report(
    ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablate.report.formats.audio.available", lambda: False)  # sound takes seconds
    folder = tmp_path / "music"
    folder.mkdir()
    notes = [(60 + step, 64, 0.25 * step, 0.25 * step + 0.2) for step in range(40)]
    (folder / "good.mid").write_bytes(library.Performance.from_notes(notes).midi_bytes())
    for name in (BAD, *(f"worse-{number:02}.mid" for number in range(11))):
        (folder / name).write_bytes(b"MThd")
    (tmp_path / "skipped.toml").write_text(STUDY, encoding="utf-8")
    outcome = ablate("study", "run", "skipped.toml", "--workers", "1")
    assert outcome.code == 0, outcome.err
    assert "corpus: 12 problems with its files; the report lists them\n" in outcome.out

    report = tmp_path / ".ablate/reports/skipped"
    page = (report / "index.html").read_text(encoding="utf-8")
    read = Parsed(page)
    assert "Some files of the corpus were skipped or have problems." in read.text
    assert f"{BAD}: left out: " in read.text
    assert "b" not in read.tags
    assert "2 more of 12 problems" in read.text, "the others are folded"
    assert all(f"worse-{number:02}.mid: left out: " in read.text for number in range(11))

    assert ablate("study", "report", "skipped", "--format", "md").code == 0
    markdown = (report / "report.md").read_text(encoding="utf-8")
    assert r"- \<b\>\&bad.mid: left out: " in markdown
    assert "- and 2 more of 12 problems; the HTML report lists all.\n" in markdown

    results = library.load_results("skipped", tmp_path / ".ablate")
    problems = results.verdicts().problems
    assert len(problems) == 12
    assert problems[0].startswith(f"{BAD}: left out: ")
    assert "12 problems with files of the corpus: see verdicts().problems" in results._repr_html_()
