"""The corpus ``midi``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate.errors import CorpusError, InvalidOptions
from ablate.music.midi import READER_VERSION
from ablate.music.performance import PEDAL_DTYPE, Performance
from ablate.testing import CorpusContract
from ablate_midi import ablate_corpora
from ablate_midi.options import MidiOptions

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.interfaces import Corpus

(SPEC,) = ablate_corpora()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files: two of one name, and a bad one."""
    pedals = np.array([(0.25, 64, 127, 0), (2.0, 64, 0, 0)], PEDAL_DTYPE)
    performance = Performance.from_notes([(60, 64, 0.0, 0.5), (64, 64, 0.0, 0.25)], pedals=pedals)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.mid").write_bytes(performance.midi_bytes())
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    return tmp_path


class TestContract(CorpusContract):
    spec = SPEC
    options = (
        {"path": "a/same.mid"},
        {"path": ".", "skip_bad": True},
        {"path": "a", "reader": "pretty_midi", "sustain": "extend"},
    )

    @pytest.fixture(autouse=True)
    def _inside(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)


def build(path: Path, **options: object) -> Corpus:
    corpus: Corpus = SPEC.build(SPEC.parse({"path": str(path), **options}))
    return corpus


def test_the_record() -> None:
    assert (SPEC.name, SPEC.path_option, SPEC.options) == ("midi", "path", MidiOptions)


@pytest.mark.parametrize("wrong", [{}, {"path": ""}, {"path": "x", "reader": "mido"}, {"path": "x", "sustain": True}])
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidOptions):
        SPEC.parse(wrong)


def test_a_bad_file_is_an_error_unless_skipped(folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"1 of 3 files cannot be read: bad\.mid: is cut short"):
        build(folder).load()
    corpus = build(folder, skip_bad=True)
    assert [p.name for p in corpus.load()] == ["a/same", "b/same"]
    assert corpus.problems == ("bad.mid: left out: is cut short inside its header; get a whole copy of it",)


def test_the_order_of_notes_is_the_readers(folder: Path) -> None:
    file = folder / "a" / "same.mid"
    assert build(file).load()[0].notes["pitch"].tolist() == [60, 64]
    assert build(file, reader="pretty_midi").load()[0].notes["pitch"].tolist() == [64, 60]


def test_sustain_lengthens_notes(folder: Path) -> None:
    file = folder / "a" / "same.mid"
    assert build(file).load()[0].notes["end"].tolist() == [0.5, 0.25]
    assert build(file, sustain="extend").load()[0].notes["end"].tolist() == [2.0, 2.0]


def test_identity_follows_contents_and_options_not_the_place(folder: Path, tmp_path: Path) -> None:
    first, second = (build(folder / name / "same.mid") for name in "ab")
    assert first.identity() == second.identity()
    others = [
        build(folder / "a" / "same.mid", reader="pretty_midi"),
        build(folder / "a" / "same.mid", sustain="extend"),
        build(folder / "a" / "same.mid", longest_pause=60.0),
        build(folder, skip_bad=True),
    ]
    assert len({corpus.identity() for corpus in (first, *others)}) == 5
    assert build(folder / "a" / "same.mid").identity() == first.identity()


def test_the_version_is_that_of_the_reader() -> None:
    assert SPEC.version == str(READER_VERSION), "music is read again by a new reader"


def test_a_file_with_a_long_pause_is_left_out_or_allowed(folder: Path) -> None:
    hours = Performance.from_notes([(60, 64, 0.0, 0.5), (62, 64, 9000.0, 9000.5)])
    (folder / "a" / "hours.mid").write_bytes(hours.midi_bytes())
    with pytest.raises(CorpusError, match=r"hours\.mid: has a pause of 2\.5 hours after 0\.5 s, longer than 1 hour"):
        build(folder / "a").load()
    corpus = build(folder / "a", skip_bad=True)
    assert [p.name for p in corpus.load()] == ["same"]
    assert corpus.problems[0].startswith("hours.mid: left out: has a pause of 2.5 hours")
    assert [p.name for p in build(folder / "a", longest_pause=9000.0).load()] == ["hours", "same"]


def test_offering_it_imports_nothing_heavy() -> None:
    code = "import ablate_midi, sys; list(ablate_midi.ablate_corpora()); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
