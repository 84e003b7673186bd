"""The definition of a note, against a plain reading of it, and against hand-made cases."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.midi_bytes import control, meta, midi, off, on, program, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi

if TYPE_CHECKING:
    from support.midi_bytes import Event

TICK = 60 / (120 * 480)
Rows = list[tuple[int, int, int, int]]  # pitch, start, end, instrument
SILENCES = (120, 123, 124, 125, 126, 127)


def rows(*tracks: list[Event]) -> Rows:
    """The notes of a file, in ticks, sorted."""
    try:
        notes = parse_midi(midi(*map(track, tracks)), "x.mid").performance.notes
    except CorpusError:
        return []
    return sorted(
        (int(n["pitch"]), round(n["start"] / TICK), round(n["end"] / TICK), int(n["instrument"])) for n in notes
    )


def test_a_note_off_that_all_notes_off_stands_in_for_ends_no_note_of_another_track_either() -> None:
    first = [(0, on(60)), (0, on(60)), (9, control(126, 1)), (0, on(60)), (0, off(60))]
    ended = [(60, 0, 9, 0), (60, 0, 9, 0)]
    assert rows(first, [(20, control(123, 0))]) == [*ended, (60, 9, 20, 0)]
    assert rows(first, [(20, on(61)), (5, off(61))]) == [*ended, (61, 20, 25, 0)]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([(0, on(60)), (0, off(60)), (9, on(60)), (9, off(60))], [(60, 9, 18, 0)]),
        ([(0, on(60)), (9, off(60)), (0, on(60)), (0, off(60)), (9, off(60))], [(60, 0, 9, 0)]),
        (
            [(0, on(60)), (0, on(60)), (9, off(60)), (0, on(60)), (0, off(60)), (0, on(60)), (9, off(60))],
            [(60, 0, 9, 0), (60, 0, 9, 0), (60, 9, 18, 0), (60, 9, 18, 0)],
        ),
        ([(0, off(60)), (0, on(60)), (9, off(60))], [(60, 0, 9, 0)]),
        ([(0, on(60)), (5, control(123, 0)), (5, off(60))], [(60, 0, 5, 0)]),
        ([(0, control(123, 0)), (0, on(60)), (0, control(123, 0)), (5, off(60))], [(60, 0, 5, 0)]),
        ([(0, on(60)), (5, control(123, 0, 1)), (5, control(122, 0)), (5, off(60))], [(60, 0, 15, 0)]),
        (
            [(0, on(60)), (0, on(61)), (5, control(126, 1)), (0, on(61)), (5, off(61))],
            [(60, 0, 5, 0), (61, 0, 5, 0), (61, 5, 10, 0)],
        ),
    ],
    ids=[
        "no length",
        "no length after another",
        "note-offs of two notes",
        "off first",
        "all off",
        "all off at once",
        "all off elsewhere",
        "mono",
    ],
)
def test_pairs(events: list[Event], expected: Rows) -> None:
    assert rows(events) == expected


def test_every_message_that_silences_ends_notes() -> None:
    for number in range(128):
        found = rows([(0, on(60)), (5, control(number, 0)), (5, off(60))])
        assert found == [(60, 0, 5 if number in SILENCES else 10, 0)], number


def test_tracks_of_one_channel_end_their_own_notes_first() -> None:
    left, right = [(0, on(60)), (10, off(60))], [(5, on(60)), (10, off(60))]
    assert rows(left, right) == [(60, 0, 10, 0), (60, 5, 15, 0)]


def test_a_note_off_in_another_track_ends_what_nothing_else_does() -> None:
    ons = [(0, on(60)), (0, on(62, channel=1)), (0, on(64))]
    offs = [(10, off(60)), (0, off(62)), (10, off(62, channel=1)), (10, control(123, 0))]
    assert rows(ons, offs) == [(60, 0, 10, 0), (62, 0, 20, 0), (64, 0, 30, 0)]


def test_an_off_that_ends_a_note_of_its_track_ends_no_other() -> None:
    assert rows([(0, on(60))], [(5, on(60)), (5, off(60)), (5, off(60))]) == [(60, 0, 15, 0), (60, 5, 10, 0)]


def test_ports_are_channels_of_their_own() -> None:
    def port(number: int, events: list[Event]) -> list[Event]:
        return [(0, meta(0x21, bytes([number]))), *events]

    piano = port(0, [(0, program(1)), (0, on(60)), (0, on(62))])
    organ = port(1, [(0, program(19)), (0, on(60)), (5, off(60)), (0, off(62)), (0, on(36, channel=9))])
    ends = port(0, [(9, off(60)), (0, off(62)), (0, off(36, channel=9))])
    assert rows(piano, organ, ends) == [(60, 0, 5, 19), (60, 0, 9, 1), (62, 0, 9, 1)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([(0, program(5))], [(0, on(60)), (9, off(60))], [(60, 0, 9, 5)]),
        ([(0, program(5)), (20, program(7))], [(0, program(6)), (30, on(60)), (9, off(60))], [(60, 30, 39, 6)]),
        ([(5, program(5))], [(0, on(60)), (9, off(60))], [(60, 0, 9, 0)]),
        ([(0, on(60)), (5, program(5)), (4, off(60))], [(9, program(8))], [(60, 0, 9, 0)]),
        ([(0, program(5, 9))], [(0, on(36, channel=9)), (9, off(36, channel=9))], [(36, 0, 9, 128)]),
    ],
    ids=["of another track", "own track first", "too late", "while it sounds", "drums"],
)
def test_programs(first: list[Event], second: list[Event], expected: Rows) -> None:
    assert rows(first, second) == expected


def plainly(events: list[Event]) -> Rows:
    """The definition in one track, message by message."""
    found: Rows = []
    open_notes: dict[tuple[int, int], list[int]] = {}
    spare: dict[tuple[int, int], int] = {}
    for tick, moment in itertools.groupby(
        zip(itertools.accumulate(wait for wait, _ in events), (m for _, m in events), strict=True), lambda e: e[0]
    ):
        spare.clear()
        for _, message in moment:
            kind, channel, pitch = message[0] & 0xF0, message[0] & 15, message[1]
            key = channel, pitch
            if kind == 0x90 and message[2]:
                open_notes.setdefault(key, []).append(tick)
            elif kind in {0x80, 0x90}:
                older = [start for start in open_notes.get(key, ()) if start < tick]
                found += [(pitch, start, tick, 0) for start in older]
                if older:
                    open_notes[key] = [start for start in open_notes[key] if start == tick]
                    spare[key] = len(older) - 1
                elif spare.get(key, 0):
                    spare[key] -= 1
                else:
                    open_notes[key] = []
            elif pitch in SILENCES:
                for other, starts in open_notes.items():
                    if other[0] == channel:
                        found += [(other[1], start, tick, 0) for start in starts if start < tick]
                        open_notes[other] = [start for start in starts if start == tick]
    return sorted(found)


messages = st.one_of(
    st.builds(on, st.integers(60, 61), st.sampled_from([0, 64]), st.integers(0, 1)),
    st.builds(off, st.integers(60, 61), st.integers(0, 1)),
    st.builds(control, st.sampled_from([64, 120, 121, 122, 123]), st.just(0), st.integers(0, 1)),
)
moments = st.lists(st.tuples(st.sampled_from([0, 0, 1, 2]), messages), max_size=40)


@given(moments)
def test_one_track_against_the_plain_definition(events: list[Event]) -> None:
    assert rows(events) == plainly(events)


@given(moments, moments)
def test_two_tracks_keep_the_notes_that_each_has_alone(first: list[Event], second: list[Event]) -> None:
    alone = sorted(plainly(first) + plainly(second))
    together = rows(first, second)
    for row in alone:
        together.remove(row)
    # and the rest are notes that nothing in their own track ends
    begun = [
        (m[1], sum(wait for wait, _ in events[: i + 1]))
        for events in (first, second)
        for i, (_, m) in enumerate(events)
        if m[0] & 0xF0 == 0x90 and m[2]
    ]
    for pitch, start, *_ in alone:
        begun.remove((pitch, start))
    assert all((pitch, start) in begun for pitch, start, *_ in together)
