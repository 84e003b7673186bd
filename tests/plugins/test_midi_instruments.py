"""The option ``instruments`` of the corpus ``midi``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import midi, off, on, program, scale, track
from support.pop import NOTES, pop

from ablate.errors import CorpusError, InvalidOptions
from ablate.music.instruments import counts
from ablate_midi import ablate_corpora

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.interfaces import Corpus

(SPEC,) = ablate_corpora()


def build(path: Path, **options: object) -> Corpus:
    corpus: Corpus = SPEC.build(SPEC.parse({"path": str(path), **options}))
    return corpus


@pytest.fixture(scope="module")
def pop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("music") / "pop.mid"
    path.write_bytes(pop())
    return path


@pytest.mark.parametrize(
    ("choice", "expected", "why"),
    [
        ("all", NOTES, ""),
        ("piano", {0: 288}, '1,008 notes by corpus.midi.instruments = "piano": Drums 576, '),
        ("merge", {0: 720}, '576 notes by corpus.midi.instruments = "merge": Drums 576'),
        ("bass, Drums", {33: 144, 128: 576}, '576 notes by corpus.midi.instruments = "bass, Drums"'),
        (33, {33: 144}, "1,152 notes by corpus.midi.instruments = 33: Drums 576, "),
        (["ensemble", 0], {0: 288, 48: 72}, '936 notes by corpus.midi.instruments = ["ensemble", 0]'),
    ],
)
def test_a_choice_keeps_its_instruments_and_counts_the_rest(
    pop_file: Path, choice: object, expected: dict[int, int], why: str
) -> None:
    corpus = build(pop_file, instruments=choice)
    (piece,) = corpus.load()
    assert counts(piece.notes) == expected
    assert corpus.problems == ()
    assert bool(corpus.left_out_why) == bool(why)
    assert corpus.left_out_why.startswith(why)
    assert corpus.left_out == {"files": 0, "notes": 1296 - sum(expected.values())}


def test_the_choice_is_a_part_of_the_identity_however_it_is_written(pop_file: Path) -> None:
    names = [build(pop_file, instruments=choice).identity() for choice in ("all", "piano", "merge", "33", "drums")]
    assert len(set(names)) == len(names)
    same = (33, "33", ["Electric Bass (finger)"], "electric bass (FINGER)", [33, 33])
    assert len({build(pop_file, instruments=choice).identity() for choice in same}) == 1


def test_a_piano_of_any_kind_becomes_one_piano(tmp_path: Path) -> None:
    notes = [(0, on(60)), (480, off(60))]
    (tmp_path / "rhodes.mid").write_bytes(midi(track([(0, program(4)), *notes])))
    (tmp_path / "grand.mid").write_bytes(scale())
    pieces = build(tmp_path, instruments="piano").load()
    assert [counts(piece.notes) for piece in pieces] == [{0: 8}, {0: 1}]


def test_a_file_without_the_instruments_is_named_or_left_out(tmp_path: Path) -> None:
    (tmp_path / "flute.mid").write_bytes(midi(track([(0, program(73)), (0, on(60)), (480, off(60))])))
    with pytest.raises(CorpusError, match=r'flute: no note of .*"piano", but Flute 1\. Choose other instruments$'):
        build(tmp_path, instruments="piano", skip_bad=True).load()
    (tmp_path / "piano.mid").write_bytes(scale())
    with pytest.raises(CorpusError, match=r"^1 of 2 files: flute: no note .* or pass --skip-bad$"):
        build(tmp_path, instruments="piano").load()
    corpus = build(tmp_path, instruments="piano", skip_bad=True)
    assert [piece.name for piece in corpus.load()] == ["piano"]
    assert corpus.problems == ('flute: left out: no note of corpus.midi.instruments = "piano", but Flute 1',)
    assert corpus.left_out == {"files": 1, "notes": 0}, "the notes of a file that is left out are not counted again"
    assert corpus.left_out_why == '1 file by corpus.midi.instruments = "piano"'
    (tmp_path / "pop.mid").write_bytes(pop(bars=1))
    corpus.load()
    assert corpus.left_out == {"files": 1, "notes": 28}
    assert corpus.left_out_why == (
        '1 file and 28 notes in 1 of 2 files by corpus.midi.instruments = "piano": Drums 16, '
        "Electric Guitar (clean) 6, Electric Bass (finger) 4, String Ensemble 1 2"
    )


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("flut", "instruments: unknown instrument 'flut'; did you mean 'flute'?"),
        (["piano", 129], "instruments: an instrument is 0 to 128, not 129"),
        ("", "unknown instrument ''"),
        ("merg", "did you mean 'merge'?"),
        (True, "must be text or"),
        ([], "at least one"),
    ],
)
def test_an_unknown_instrument_is_refused(choice: object, message: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        SPEC.parse({"path": "x", "instruments": choice})
    assert message in str(caught.value)
