"""Pedals of a file: to whom they belong, and the notes that they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import control, meta, midi, off, on, program, track

from ablate.music.midi import parse_midi

if TYPE_CHECKING:
    from support.midi_bytes import Event

QUARTER = 480  # half a second


def ends(*tracks: list[Event]) -> dict[int, float]:
    """The end of each pitch, in seconds, when pedals hold notes."""
    notes = parse_midi(midi(*map(track, tracks)), "x.mid", sustain="extend").performance.notes
    return {int(note["pitch"]): float(note["end"]) for note in notes}


def pedals(*tracks: list[Event]) -> list[tuple[float, int, int, int]]:
    rows: list[tuple[float, int, int, int]] = parse_midi(midi(*map(track, tracks)), "x.mid").performance.pedals.tolist()
    return rows


def test_a_pedal_holds_its_own_channel_only() -> None:
    down = [
        (0, control(64, 127)),
        (0, on(60)),
        (0, on(72, channel=1)),
        (0, on(36, channel=9)),
        (0, control(64, 127, 9)),
    ]
    up = [(QUARTER, off(60)), (0, off(72, channel=1)), (0, off(36, channel=9)), (QUARTER, control(64, 0))]
    assert ends([*down, *up, (0, on(50)), (QUARTER, off(50))]) == {60: 1.0, 72: 0.5, 36: 0.5, 50: 1.5}


def test_a_pedal_in_another_track_counts() -> None:
    notes = [(0, on(60)), (QUARTER, off(60))]
    assert ends(notes, [(0, control(64, 127)), (4 * QUARTER, control(64, 0))]) == {60: 2.0}


def test_a_pedal_of_another_port_does_not() -> None:
    notes = [(0, meta(0x21, b"\0")), (0, on(60)), (QUARTER, off(60))]
    other = [(0, meta(0x21, b"\1")), (0, control(64, 127)), (0, on(61)), (QUARTER, off(61)), (QUARTER, control(64, 0))]
    assert ends(notes, other) == {60: 0.5, 61: 1.0}


@pytest.mark.parametrize(("value", "end"), [(63, 0.5), (64, 1.0), (127, 1.0)])
def test_half_pedalling_is_down_from_64_on(value: int, end: float) -> None:
    events = [(0, control(64, value)), (0, on(60)), (QUARTER, off(60)), (QUARTER, control(64, 0))]
    assert ends(events) == {60: end}


def test_a_reset_lifts_the_pedals_of_its_channel() -> None:
    events = [
        (0, control(64, 127)),
        (0, control(67, 90)),
        (0, control(64, 127, 1)),
        (0, on(60)),
        (0, on(72, channel=1)),
    ]
    events += [(QUARTER, off(60)), (0, off(72, channel=1)), (QUARTER, control(121, 0)), (QUARTER, control(121, 0))]
    events += [(QUARTER, control(64, 0, 1))]
    assert ends(events) == {60: 1.0, 72: 2.0}
    down = [(0.0, 64, 127, 0), (0.0, 67, 90, 0), (0.0, 64, 127, 0)]
    assert pedals(events) == [*down, (1.0, 64, 0, 0), (1.0, 67, 0, 0), (2.0, 64, 0, 0)]


def test_a_reset_of_pedals_that_are_up_is_no_event() -> None:
    events = [(0, control(121, 0)), (0, control(64, 0)), (0, on(60)), (QUARTER, off(60)), (0, control(121, 0))]
    assert pedals(events) == [(0.0, 64, 0, 0)]


def test_all_sound_off_ends_held_notes_and_all_notes_off_does_not() -> None:
    events = [(0, control(64, 127)), (0, on(60)), (QUARTER, off(60)), (0, on(62)), (QUARTER, control(123, 0))]
    rest = [(QUARTER, control(120, 0)), (QUARTER, control(64, 0))]
    assert ends([*events, *rest]) == {60: 1.5, 62: 1.5}


def test_pedals_have_the_instrument_of_their_channel() -> None:
    first = [(0, control(64, 1)), (5, program(40)), (0, on(60)), (5, off(60)), (0, program(41)), (0, control(64, 2))]
    notes = [(5, on(62)), (5, off(62)), (0, control(67, 3, 2))]
    assert [(value, instrument) for *_, value, instrument in pedals([*first, *notes])] == [(1, 40), (2, 41)]
