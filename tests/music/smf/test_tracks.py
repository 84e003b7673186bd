"""The events of a track: what is read, what is skipped by its length, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import END, exclusive, meta, midi, off, on, program, scale, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi

if TYPE_CHECKING:
    from support.midi_bytes import Event

HALF = [(0, on(60)), (240, off(60))]
RUNNING = "track 1: running status across a meta event or sysex, read as most players do"
ESCAPES = "track 1: channel messages in escapes (F7) are ignored"
SYSTEM = "track 1: system messages, which have no place in a file, are ignored"


def read(events: list[Event], end: bytes = END) -> tuple[list[tuple[int, float, float]], tuple[str, ...]]:
    """Pitch, start and end of the notes, and the problems."""
    performance, problems, *_ = parse_midi(midi(track(events, end)), "x.mid")
    return performance.notes[["pitch", "start", "end"]].tolist(), problems


@pytest.mark.parametrize(
    ("between", "problem"),
    [
        ([(120, exclusive(b"\x43\x12\x00\xf7"))], None),
        ([(40, exclusive(b"\x43\x12\x00")), (40, exclusive(b"\x43\x12", 0xF7)), (40, exclusive(b"\xf7", 0xF7))], None),
        ([(120, exclusive(b"\xf3\x01", 0xF7))], None),
        ([(60, exclusive(b"\x90\x50\x40", 0xF7)), (60, exclusive(b"\x80\x50\x00", 0xF7))], ESCAPES),
        ([(120, exclusive(bytes(300)))], None),
        ([(120, meta(0x01, b"\x90\x3e\x40" * 50))], None),
        ([(120, meta(0x59, b"\xfd\xff"))], None),
        ([(120, meta(0x58, b""))], None),
        ([(120, meta(0x7F, bytes(200)))], None),
        ([(60, b"\xf8"), (30, b"\xf2\1\2"), (30, b"\xf1\5")], SYSTEM),
    ],
    ids=["sysex", "packets", "escape", "escaped-notes", "long", "text", "key", "time", "own", "system"],
)
def test_what_is_no_channel_message_is_skipped_by_its_length(between: list[Event], problem: str | None) -> None:
    notes, problems = read([*between, (120, on(60)), (240, off(60)), *between, (0, on(62)), (120, off(62))])
    assert notes == [(60, 0.25, 0.5), (62, 0.625, 0.75)]
    assert problems == ((problem,) if problem else ())


@pytest.mark.parametrize("across", [exclusive(b"\1\xf7"), meta(1, b"la"), exclusive(b"\1", 0xF7), b"\xf6"])
def test_running_status_across_other_events_is_read_and_said(across: bytes) -> None:
    notes, problems = read([(0, on(60)), (240, b"\x3c\x00"), (0, across), (0, b"\x3e\x40"), (240, b"\x3e\x00")])
    assert notes == [(60, 0.0, 0.25), (62, 0.25, 0.5)]
    assert RUNNING in problems


def test_running_status_of_messages_of_one_data_byte() -> None:
    notes, problems = read([(0, b"\xd0\x11"), (10, b"\x12"), (10, b"\x13"), (220, on(60)), (240, b"\x3c\x00")])
    assert notes == [(60, 0.25, 0.5)]
    assert problems == ()


def test_a_status_byte_ends_running_status_for_good() -> None:
    notes, problems = read([(0, on(60)), (0, meta(1, b"x")), (240, off(60)), (0, b"\x3e\x00")])
    assert notes == [(60, 0.0, 0.25)]
    assert problems == ()


def test_long_waits_take_up_to_four_bytes() -> None:
    assert read([(2**21, on(60)), (1, off(60))])[0] == [(60, 2**21 / 960, (2**21 + 1) / 960)]


@pytest.mark.parametrize(
    ("rest", "problems"),
    [
        (b"\0\0", ("track 1: 2 bytes after the end-of-track event are ignored",)),
        (END, ("track 1: 4 bytes after the end-of-track event are ignored",)),
        (b"\xff\xff\xff\xff\xff", ("track 1: 5 bytes after the end-of-track event are ignored",)),
        (
            b"\0\x90\x5a\x40\x0a\x5a\0" + END,
            (
                "1 of 2 notes left out: 1 after the end of its track",
                "track 1: 11 bytes after the end-of-track event are ignored",
            ),
        ),
    ],
    ids=["zeros", "a second end", "no events", "a note"],
)
def test_what_comes_after_the_end_of_a_track_is_said(rest: bytes, problems: tuple[str, ...]) -> None:
    assert read(HALF, END + rest) == ([(60, 0.0, 0.25)], problems)


def test_a_track_after_one_with_late_events_begins_at_its_own_time() -> None:
    late = track(HALF, END + b"\x83\x60\x90\x5a\x40")
    data = midi(late, track([(480, on(72, channel=1)), (480, off(72, channel=1))]))
    reading = parse_midi(data, "x.mid")
    assert reading.performance.notes[["pitch", "start"]].tolist() == [(60, 0.0), (72, 0.5)]
    assert (reading.left_out, reading.kinds.late) == (1, 1)


def test_tracks_without_events_or_without_end_are_named() -> None:
    empty, endless = track([], b""), track(HALF, b"")
    _, problems, *_ = parse_midi(midi(empty, scale()[14:], *[endless] * 7), "x.mid")
    assert problems == (
        "track 1: no events",
        "tracks 3, 4, 5, 6, 7 and 2 more: no end-of-track event; the file may be cut short",
    )


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([(0, on(60)), (0, b"\x90\xbc\x40")], r"track 1 has a data byte of 188, which may be 127 at most \(byte 5\)"),
        ([(0, b"\x3c\x40")], "track 1 has data bytes without a status byte before them"),
        ([(0, b"\xf4")], "track 1 has the byte F4, which begins no event"),
        ([(0, b"\xff\x01\xff\xff\xff\xff\x01")], "track 1 has a number of more than 4 bytes"),
        ([(0, b"\xff\x01\x83\x7fabc")], "track 1 has an event that its end cuts off"),
        ([(0, b"\xf0\x10\x01")], "track 1 has an event that its end cuts off"),
    ],
)
def test_events_that_make_the_rest_doubtful_are_refused(events: list[Event], reason: str) -> None:
    with pytest.raises(CorpusError, match=f"^x.mid: is damaged: {reason}"):
        read(events)


def test_a_fault_is_found_in_its_track() -> None:
    with pytest.raises(CorpusError, match=r"track 2 has a data byte of 200.*\(byte 1\); get a whole copy of it"):
        parse_midi(midi(scale()[14:], track([(0, bytes((0x90, 200, 1)))])), "x.mid")


def test_names_of_tracks_belong_to_their_instruments() -> None:
    def named(name: bytes, channel: int, number: int) -> bytes:
        events = [(0, meta(3, name)), (0, program(number, channel)), (0, on(60, channel=channel))]
        return track([*events, (9, off(60, channel=channel))])

    tracks = named("Böse\n月".encode(), 0, 7), named(b"Fl\xf6te ", 1, 73), named(b"Hi-hat", 9, 0), named(b"two", 2, 7)
    names = parse_midi(midi(*tracks), "x.mid").performance.track_names
    assert names == {7: "Böse 月, two", 73: "Flöte", 128: "Hi-hat"}
    assert parse_midi(midi(tracks[0], kind=0), "x.mid").performance.track_names == {}
