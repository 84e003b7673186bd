"""The container of a MIDI file: wrapper, header and track chunks."""

from __future__ import annotations

import struct

import pytest
from support.midi_bytes import midi, off, on, program, scale, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi

WHOLE = scale()
CHUNK = WHOLE[14:]
OTHER = track([(0, program(40, 1)), (0, on(72, channel=1)), (240, off(72, channel=1))])


def wrapped(data: bytes, length: int | None = None, after: bytes = b"") -> bytes:
    """A RIFF file with a chunk of an odd length before the MIDI file."""
    size = len(data) if length is None else length
    body = b"RMIDDISP" + struct.pack("<I", 3) + b"abc\0" + b"data" + struct.pack("<I", size) + data + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def problems(data: bytes, notes: int = 8) -> tuple[str, ...]:
    """The problems of a file, which has all its notes."""
    reading = parse_midi(data, "x.mid")
    assert len(reading.performance) == notes
    return reading.problems


def test_a_riff_wrapper_is_no_problem() -> None:
    assert problems(wrapped(WHOLE)) == ()
    assert problems(wrapped(WHOLE, after=b"LIST\4\0\0\0INFO")) == ()


@pytest.mark.parametrize("length", [0, 10_000])
def test_a_wrapper_of_a_wrong_length_is_one(length: int) -> None:
    assert problems(wrapped(WHOLE, length)) == (f"its RIFF wrapper gives {length} bytes of MIDI; it has {len(WHOLE)}",)


def test_a_wrapped_file_that_is_cut_is_refused() -> None:
    with pytest.raises(CorpusError, match="is cut short or damaged: 22 of the 76"):
        parse_midi(wrapped(WHOLE)[: 36 + 22 + 26 - 8], "x.mid")


@pytest.mark.parametrize(
    ("tracks", "kind", "expected"),
    [
        (1, 1, "has 2 tracks; its header gives 1, all are read"),
        (0, 1, "has 2 tracks; its header gives 0, all are read"),
        (9, 1, "has 2 tracks; its header gives 9, the file may be cut short"),
        (2, 0, "has 2 tracks, but format 0; read as format 1"),
    ],
)
def test_all_tracks_are_read_whatever_the_header_gives(tracks: int, kind: int, expected: str) -> None:
    assert problems(midi(CHUNK, OTHER, tracks=tracks, kind=kind), 9) == (expected,)


def test_a_header_may_be_longer() -> None:
    assert problems(WHOLE[:4] + struct.pack(">I", 8) + WHOLE[8:14] + b"\1\2" + CHUNK) == ()


def test_one_track_of_format_2_is_a_piece() -> None:
    assert problems(midi(CHUNK, kind=2)) == ()


@pytest.mark.parametrize("junk", [b"\0", b"\0\0\0\0\0", b"\xff" * 100])
def test_bytes_between_tracks_are_ignored(junk: bytes) -> None:
    assert problems(midi(CHUNK, junk, OTHER, tracks=2), 9) == (f"{len(junk)} bytes between its parts are ignored",)


@pytest.mark.parametrize("junk", [b"\0", b"\0" * 64, b"MTr"])
def test_bytes_after_the_last_track_are_ignored(junk: bytes) -> None:
    assert problems(WHOLE + junk) == (f"{len(junk)} bytes after its last track are ignored",)


def test_the_beginning_of_a_missing_track_is_a_cut() -> None:
    with pytest.raises(CorpusError, match=r"^x.mid: is cut short: 1 of 2 tracks"):
        parse_midi(midi(CHUNK, OTHER)[: 14 + len(CHUNK) + 6], "x.mid")


def test_a_last_track_may_lack_bytes_after_its_end() -> None:
    longer = CHUNK[:4] + struct.pack(">I", len(CHUNK) - 8 + 5) + CHUNK[8:]
    assert problems(midi(longer)) == ("track 1: 76 of its 81 bytes are there, the end-of-track event among them",)


@pytest.mark.parametrize(
    ("division", "seconds"),
    [(0xE728, 480 / 1000), (0xE250, 480 / 2400), (0xE804, 480 / 96), (0xE302, 480 * 1001 / 60000)],
    ids=["25 frames of 40 ticks", "30 of 80", "24 of 4", "29: drop frame"],
)
def test_ticks_of_time_code_have_one_length_whatever_the_tempo(division: int, seconds: float) -> None:
    events = [(0, b"\xff\x51\x03\x01\0\0"), (0, on(60)), (480, off(60))]
    assert parse_midi(midi(track(events), division=division), "x.mid").performance.seconds == pytest.approx(seconds)
