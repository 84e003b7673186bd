"""The round trip of music of several instruments, drums among them."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from support.band_tokenizer import STEP, Band, BandOptions

from ablate.interfaces.played_by import played_by
from ablate.music.corpus.inspect import inspect_corpus, summary_of
from ablate.music.corpus.roundtrip import travel
from ablate.music.instruments import counts
from ablate.music.performance import DRUMS, Performance
from ablate.registry import get_registry

INSTRUMENTS = (0, 33, 73, DRUMS)
notes = st.tuples(
    st.integers(36, 40), st.integers(1, 127), st.integers(0, 300), st.integers(1, 100), st.sampled_from(INSTRUMENTS)
)
bands = st.lists(notes, min_size=1, max_size=30)


def performance(band: list[tuple[int, ...]]) -> Performance:
    """On the grid of the tokenizer, so that it can be exact."""
    rows = [
        (pitch, velocity, start * STEP, (start + length) * STEP, who) for pitch, velocity, start, length, who in band
    ]
    return Performance.from_notes(rows).canonical()


def band(way: Any) -> Band:
    return Band(BandOptions(way))


@settings(max_examples=40)
@given(bands)
def test_a_tokenizer_of_instruments_loses_nothing(played: list[tuple[int, ...]]) -> None:
    trip = travel(performance(played), band("all"))
    assert (trip.lost, trip.changed, trip.decoded_notes) == ({}, 0, len(played))
    assert max(trip.onset.max(), trip.duration.max()) < 1e-9
    assert not trip.velocity.any()


@settings(max_examples=40)
@given(bands)
def test_one_that_merges_loses_the_drums_alone(played: list[tuple[int, ...]]) -> None:
    piece = performance(played)
    trip = travel(piece, band("merge"))
    drums = {number: count for number, count in counts(piece.notes).items() if number == DRUMS}
    assert trip.lost == drums
    assert trip.changed == int(np.isin(piece.notes["instrument"], (33, 73)).sum())
    assert len(trip.onset) == len(played) - sum(drums.values())


@settings(max_examples=40)
@given(bands)
def test_one_without_instruments_changes_all_but_the_piano(played: list[tuple[int, ...]]) -> None:
    piece = performance(played)
    trip = travel(piece, band("one"))
    assert (trip.lost, trip.changed) == ({}, int((piece.notes["instrument"] != 0).sum()))
    assert trip.onset.max() < 1e-9


@settings(max_examples=40)
@given(bands, st.sampled_from(INSTRUMENTS[1:]))
def test_music_of_one_instrument_keeps_it(played: list[tuple[int, ...]], number: int) -> None:
    piece = performance([(*note[:4], number) for note in played])
    trip = travel(piece, played_by(band("one"), number))
    assert (trip.lost, trip.changed) == ({}, 0)


class ForgetsDrums(Band):
    """Loses every drum and plays the flute on the piano."""

    def decode(self, tokens: Any) -> Performance:
        decoded = super().decode(tokens)
        kept = decoded.notes[decoded.notes["instrument"] != DRUMS].copy()
        kept["instrument"][kept["instrument"] == 73] = 0
        return decoded.replace(notes=kept)


def test_lost_and_changed_notes_are_counted_by_instrument() -> None:
    piece = performance([(36, 64, 0, 50, DRUMS), (36, 64, 100, 50, 33), (38, 64, 0, 50, 73), (40, 64, 0, 50, 0)])
    trip = inspect_corpus([piece], ForgetsDrums(BandOptions("all"))).round_trip
    assert trip is not None
    assert (trip.lost_notes, trip.lost_by_instrument, trip.changed_instruments) == (1, {DRUMS: 1}, 1)
    assert trip.onset_error is not None
    assert trip.onset_error.max < 1e-9, "the drum and the bass of one pitch are not compared with each other"


@settings(max_examples=25)
@given(bands)
def test_midilike_with_instruments_keeps_every_note_that_can_be_written(played: list[tuple[int, ...]]) -> None:
    spec = get_registry().spec("tokenizer", "midilike")
    tokenizer = spec.build(spec.parse({"instruments": "all"}))
    once = {(note[0], note[4]): note for note in played}  # a pitch of an instrument once, so that nothing overlaps
    trip = travel(performance(list(once.values())), tokenizer)
    assert (trip.lost, trip.changed) == ({}, 0)


def test_duplicates_and_overlaps_are_those_of_one_instrument() -> None:
    unison = performance([(60, 64, 0, 100, 0), (60, 64, 0, 100, 40), (60, 64, 50, 100, 40), (60, 64, 0, 100, DRUMS)])
    summary = summary_of(unison)
    assert (summary.duplicate_notes, summary.overlapping_notes) == (0, 1)
    assert summary.instruments == {0: 1, 40: 2, DRUMS: 1}


@pytest.mark.parametrize("numbers", [(73, 73), (73, 68), (0, 0)])
def test_the_notes_of_each_instrument_are_added_over_files(numbers: tuple[int, int]) -> None:
    report = inspect_corpus([performance([(60, 64, 0, 100, number)] * 2) for number in numbers])
    assert report.total.instruments == {number: 2 * numbers.count(number) for number in sorted(set(numbers))}
