"""Instruments: their names, their notes, and performances of some of them."""

from __future__ import annotations

import pytest

from ablate.music import instruments
from ablate.music.performance import DRUMS, Performance, make_pedals

BAND = Performance.from_notes(
    [(60, 64, 0.0, 1.0, 5), (36, 64, 0.0, 0.1, DRUMS), (40, 64, 0.5, 1.0, 33), (62, 64, 1.0, 2.0, 5)],
    pedals=make_pedals(time=[0.0, 0.5], controller=64, value=127, instrument=[5, 33]),
    track_names={5: "Rhodes", DRUMS: "kit"},
    name="band",
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, (0,)),
        ("33", (33,)),
        (" Flute ", (73,)),
        ("acoustic GRAND piano", (0,)),
        ("piano", tuple(instruments.PIANO)),
        ("Strings", tuple(range(40, 48))),
        ("bass", tuple(range(32, 40))),
        ("synth effects", tuple(range(96, 104))),
        ("Drums", (DRUMS,)),
        (DRUMS, (DRUMS,)),
    ],
)
def test_an_instrument_has_a_number_a_name_and_a_family(value: str | int, expected: tuple[int, ...]) -> None:
    assert instruments.parse_instrument(value) == expected


def test_every_number_has_a_name_that_stands_for_it() -> None:
    names = [instruments.instrument_name(number) for number in range(DRUMS + 1)]
    assert [instruments.parse_instrument(name) for name in names] == [(number,) for number in range(DRUMS + 1)]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("flut", "unknown instrument 'flut'; did you mean 'flute'?"),
        ("", "unknown instrument '' "),
        ("theremin", "known: 0 to 128, piano, "),
        (129, "0 to 128, not 129"),
        ("-1", "0 to 128, not -1"),
        ("9" * 5000, "0 to 128"),
    ],
)
def test_an_unknown_instrument_is_an_error_of_one_line(value: str | int, message: str) -> None:
    with pytest.raises(ValueError, match="instrument") as caught:
        instruments.parse_instrument(value)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_notes_are_counted_by_instrument() -> None:
    assert instruments.counts(BAND.notes) == {5: 2, 33: 1, DRUMS: 1}
    assert instruments.counts(BAND.notes[:0]) == {}


def test_only_some_instruments_keep_their_numbers_pedals_and_names() -> None:
    chosen, left_out = instruments.only(BAND, (5, 73))
    assert chosen.notes.tolist() == BAND.notes[[0, 3]].tolist()
    assert chosen.pedals.tolist() == BAND.pedals[:1].tolist()
    assert (chosen.track_names, chosen.name, left_out) == ({5: "Rhodes"}, "band", 2)


def test_merged_instruments_are_one_piano_without_drums() -> None:
    chosen, left_out = instruments.merged(BAND)
    assert instruments.counts(chosen.notes) == {0: 3}
    assert chosen.notes["pitch"].tolist() == [60, 40, 62]
    assert left_out == 1
    assert len(chosen.pedals) == 0, "a pedal of one would hold the notes of the other"
    alone = instruments.merged(instruments.only(BAND, [5]).performance).performance
    assert alone.pedals["instrument"].tolist() == [0]
    assert alone.track_names == {0: "Rhodes"}


def test_a_primer_is_chosen_and_merged_with_its_notes() -> None:
    continued = BAND.replace(primer=BAND.notes)
    assert len(instruments.only(continued, [DRUMS]).performance.primer) == 1
    assert instruments.counts(instruments.merged(continued).performance.primer) == {0: 3}
