"""The notes that a tokenizer cannot write."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.interfaces import Tokenizer
from ablate.music.corpus.unwritten import Unwritten, find_unwritten, unwritten_sentences
from ablate.music.midi import read_midi
from ablate.music.performance import DRUMS, Performance
from ablate.registry import get_registry

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.arrays import FloatArray, IntArray


class Columns(Tokenizer):
    """Writes instrument, pitch, start and end of each note as four tokens; some pitches and instruments are left out.

    Args:
        instruments: see :class:`Tokenizer`.
        merges: see :class:`Tokenizer`.
        lost: the instruments that it has no tokens for.
        short: notes that are shorter, in seconds, are left out.
    """

    vocabulary = tuple(map(str, range(4096)))
    start_token = 0

    def __init__(
        self, *, instruments: bool = False, merges: bool = False, lost: tuple[int, ...] = (), short: float = 0.0
    ) -> None:
        self.instruments, self.merges, self._lost, self._short = instruments, merges, lost, short

    def encode(self, performance: Performance) -> IntArray:
        notes = performance.notes
        notes = notes[(notes["pitch"] >= 30) & (notes["end"] - notes["start"] >= self._short)]
        notes = notes[~np.isin(notes["instrument"], [*self._lost, *([DRUMS] if self.merges else [])])]
        instrument = notes["instrument"] if self.instruments else 0 * notes["instrument"]
        return np.stack([instrument, notes["pitch"], notes["start"], notes["end"]], axis=-1).astype(np.int64).ravel()

    def decode(self, tokens: IntArray) -> Performance:
        return Performance.from_notes([(p, 64, s, e, i) for i, p, s, e in tokens.reshape(-1, 4).tolist()])

    def times(self, tokens: IntArray) -> FloatArray:
        return np.repeat(tokens[2::4].astype(float), 4)


def piece(*notes: tuple[int, int], length: float = 1.0) -> Performance:
    """Return a piece of (pitch, instrument), one after the other."""
    rows = [(pitch, 64, float(at), at + length, instrument) for at, (pitch, instrument) in enumerate(notes)]
    return Performance.from_notes(rows)


@given(st.lists(st.lists(st.integers(20, 40), min_size=1, max_size=30), max_size=8))
def test_notes_outside_the_range_are_counted_in_all_pieces(pitches: list[list[int]]) -> None:
    found = find_unwritten([piece(*((pitch, 0) for pitch in each)) for each in pitches], Columns())
    below = [pitch for each in pitches for pitch in each if pitch < 30]
    assert found.notes == len(below)
    assert found.total == sum(map(len, pitches))
    assert found.pitches == {pitch: below.count(pitch) for pitch in set(below)}


def test_a_pitch_that_comes_back_in_another_piece_can_be_written() -> None:
    """The first piece has only notes that are left out as too short."""
    short, long = piece((60, 0), (61, 0), length=0.1), piece((60, 0))
    assert find_unwritten([short, long, short], Columns(short=0.5)).pitches == {61: 2}


def test_merged_instruments_and_drums() -> None:
    found = find_unwritten([piece((60, 0), (60, 40), (60, DRUMS), (38, DRUMS), (20, 40))], Columns(merges=True))
    assert found == Unwritten(5, {20: 1}, {DRUMS: 2}, (0, 40))
    assert unwritten_sentences(found, "mine", {}) == [
        "tokenizer 'mine' cannot write 1 of 5 notes (20 %): pitch 20 is not in its vocabulary",
        "tokenizer 'mine' leaves out 2 of 5 notes (40 %): Drums",
        "tokenizer 'mine' writes 2 instruments as one: Acoustic Grand Piano, Violin",
    ]


def test_an_instrument_without_tokens() -> None:
    music = [piece((60, 0), (60, 40), (61, 40), (20, 0))]
    assert find_unwritten(music, Columns(instruments=True)) == Unwritten(4, {20: 1}, {}, ())
    assert find_unwritten(music, Columns(instruments=True, lost=(40,))) == Unwritten(4, {20: 1}, {40: 2}, ())


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ((12, 13, 14, 17), "pitches 12 to 14, 17 are below its range of 21 to 108; set --option low=12"),
        ((109,), "pitch 109 is above its range of 21 to 108; set --option high=109"),
        ((0, 127), "pitches 0, 127 are outside its range of 21 to 108; set --option low=0 and --option high=127"),
        ((1, 3, 5, 7, 9), "pitches 1 to 9 are below its range of 21 to 108; set --option low=1"),
        ((60,), "pitch 60 is not in its vocabulary"),
    ],
)
def test_the_sentence_names_the_options(pitches: tuple[int, ...], expected: str) -> None:
    found = Unwritten(1000, dict.fromkeys(pitches, 1), {}, ())
    (sentence,) = unwritten_sentences(found, "midilike", {"low": 21, "high": 108})
    assert (
        sentence
        == f"tokenizer 'midilike' cannot write {len(pitches)} of 1,000 notes ({len(pitches) / 10:g} %): {expected}"
    )


@pytest.mark.parametrize(
    ("file", "lost", "total"), [("sub_bass_40pct_below_21", 80, 200), ("pitch_0_and_127_only", 2, 2)]
)
def test_known_files(cases_dir: Path, file: str, lost: int, total: int) -> None:
    spec = get_registry().spec("tokenizer", "midilike")
    music = read_midi(cases_dir / f"midi/{file}.mid")
    found = find_unwritten([music], spec.build(spec.parse({})))
    assert (found.notes, found.total) == (lost, total)
    options: Any = dataclasses.asdict(spec.parse({"low": min(found.pitches), "high": 127}))
    assert not find_unwritten([music], spec.build(spec.parse(options))).notes
