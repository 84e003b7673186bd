"""``ablate corpus export``: a corpus as MIDI files that read back as the same pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate import Performance
from ablate.cli.corpus_export import piece_paths, unwritten_lines
from ablate.music.corpus.read import read_corpus
from ablate.music.performance import make_pedals
from ablate.registry import get_registry

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command


def test_the_files_of_a_corpus_read_back_as_its_pieces(ablate: Command, tmp_path: Path) -> None:
    done = ablate("corpus", "export", "folk-piano", "tunes")
    assert done.code == 0, done.err
    assert done.out == "wrote 12 MIDI files with 3,833 notes to tunes\n"
    assert done.err == ""
    spec = get_registry().spec("corpus", "folk-piano")
    pieces = {piece.name: piece.notes for piece in spec.build(spec.parse({})).load()}
    read = {piece.name: piece.notes for piece in read_corpus(tmp_path / "tunes").performances}
    assert read.keys() == pieces.keys()
    for name, notes in pieces.items():
        # notes that begin less than a tick apart may change places
        order, other = (np.lexsort((each["start"].round(3), each["pitch"])) for each in (notes, read[name]))
        for field in ("pitch", "velocity", "instrument"):
            assert (notes[field][order] == read[name][field][other]).all(), (name, field)
        for field in ("start", "end"):
            assert np.abs(notes[field][order] - read[name][field][other]).max() <= 0.5 / 1920 + 1e-9, (name, field)


def test_what_no_file_has_is_said() -> None:
    note = [(60, 64, 0.0, 0.5)]
    pedal = make_pedals(time=[0.0, 1.0], controller=64, value=127, instrument=[0, 40])
    pieces = {
        "a/plain": Performance.from_notes(note),
        "a tune": Performance.from_notes(note).replace(pedals=pedal, labels={"tempo": 0.9}),
        "silence": Performance.from_notes([]),
    }
    paths = piece_paths(pieces, "mine")
    assert paths["a/plain"].as_posix() == "a/plain.mid"
    assert list(unwritten_lines(pieces, paths)) == [
        "1 piece without notes: no file is written",
        "the labels of pieces are not written, because MIDI has no place for them: tempo",
        "1 pedal event of instruments without notes: not written",
        f"a tune: written as {paths['a tune']}, a name that files have on every system",
    ]


def test_refusals_are_one_line_and_write_nothing(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.mid").write_bytes(b"mine")
    refused = {
        ("folk-pian", "new"): "unknown corpus 'folk-pian'; did you mean 'folk-piano'?",
        ("folk-piano", "full"): "full: contains files already, such as mine.mid; name a new or empty folder",
        ("midi", "new"): "--option path: is required",
    }
    for words, message in refused.items():
        done = ablate("corpus", "export", *words)
        assert done.code != 0
        assert message in done.err
        assert len(done.err.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.mid"]
