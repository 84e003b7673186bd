"""Reading broken MIDI files: one clear line for each, whatever the bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.midi_bytes import END, control, exclusive, meta, midi, off, on, scale, tempo, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi, read_midi

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.music.midi import Reader

READERS: tuple[Reader, ...] = ("ablate", "pretty_midi")
WHOLE = scale()

BROKEN = {
    "empty": (b"", "is empty"),
    "text": (b"just some text", "is no MIDI file"),
    "another riff": (b"RIFF\0\0\0\0WAVEdata\0\0\0\0" + WHOLE, "is no MIDI file"),
    "riff without data": (b"RIFF\0\0\0\0RMIDLIST\4\0\0\0INFO", "is a RIFF file without MIDI"),
    "cut in header": (WHOLE[:10], "is cut short inside its header"),
    "header alone": (WHOLE[:14], "is cut short: 0 of 1 tracks"),
    "cut in chunk header": (WHOLE[:18], "is cut short: 0 of 1 tracks"),
    "cut in track": (WHOLE[:40], "is cut short or damaged: 18 of the"),
    "cut before the last track": (midi(WHOLE[14:], WHOLE[14:40], tracks=3), "is cut short: 1 of 3 tracks"),
    "header of 2 bytes": (b"MThd\0\0\0\2" + WHOLE[8:], "is damaged: its header has 2 bytes"),
    "header of 2 GB": (b"MThd\x7f\0\0\2" + WHOLE[8:], "is cut short inside its header"),
    "no tracks": (midi(), "holds no notes"),
    "no notes": (midi(track([(0, control(64, 127))])), "holds no notes"),
    "only notes without end": (midi(track([(0, on(60))])), "holds no notes: 1 never ended"),
    "only notes without length": (midi(track([(0, on(60)), (0, off(60))])), "holds no notes: 1 without length"),
    "both": (midi(track([(0, on(60)), (0, off(60)), (0, on(61))])), "holds no notes: of 2, 1 never ended, 1 without"),
    "format 2": (midi(WHOLE[14:], WHOLE[14:], kind=2), "is a MIDI file of format 2: its 2 tracks are pieces"),
    "format 3": (midi(WHOLE[14:], kind=3), "is a MIDI file of format 3"),
    "time code of 17 frames": (midi(WHOLE[14:], division=0xEF28), "is damaged: its header gives 17 frames"),
    "time code without ticks": (midi(WHOLE[14:], division=0xE700), "is damaged: its header gives 25 frames"),
    "no division": (midi(WHOLE[14:], division=0), "is damaged: its header gives 0 ticks"),
    "pitch of 200": (midi(track([(0, bytes((0x90, 200, 64)))])), "is damaged: track 1 has a data byte of 200"),
    "data without status": (
        midi(track([(0, bytes((60, 64, 0)))])),
        "is damaged: track 1 has data bytes without a status",
    ),
    "message cut by the end of its track": (
        midi(track([(0, bytes((0x90, 60)))], end=b"")),
        "is damaged: track 1 has an event that its end",
    ),
    "tempo of 0": (
        midi(track([(0, tempo(0)), (0, on(60)), (9, off(60))])),
        "is damaged: it has a tempo of 0 at tick 0",
    ),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", BROKEN)
def test_one_line_names_the_file_and_what_is_wrong(
    case: str, reader: Reader, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, reason = BROKEN[case]
    file = tmp_path / "broken.mid"
    file.write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        read_midi(file, reader)
    assert str(caught.value).startswith(f"{file}: {reason}")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_midi(tmp_path / "nothing.mid")
    with pytest.raises(CorpusError, match="is a folder"):
        read_midi(tmp_path)
    with pytest.raises(CorpusError, match="cannot be opened"):
        read_midi("a\0b.mid")
    with pytest.raises(CorpusError, match="cannot be opened: File name too long"):
        read_midi("x" * 5000)


@pytest.mark.parametrize("reader", READERS)
def test_every_cut_of_a_file_is_noticed(reader: Reader) -> None:
    for length in range(len(WHOLE)):
        with pytest.raises(CorpusError):
            parse_midi(WHOLE[:length], "x.mid", reader)


@pytest.mark.parametrize("reader", READERS)
def test_times_beyond_what_a_file_can_hold_are_an_error(reader: Reader) -> None:
    waits = [(0x0FFFFFFF, control(64, 1))] * 9
    data = midi(track([(0, on(60)), (9, off(60)), *waits, (9, on(62)), (9, off(62))]))
    with pytest.raises(CorpusError, match=r"has a pause of 29\.1 days"):
        parse_midi(data, "x.mid", reader)


def survives(data: bytes) -> None:
    """Any bytes give a valid performance or a CorpusError of one line, the same in each order of the notes."""
    found = set()
    for reader in READERS:
        for sustain in ("ignore", "extend"):
            try:
                reading = parse_midi(data, "x.mid", reader, sustain=sustain)  # type: ignore[arg-type]
            except CorpusError as error:
                found.add(str(error))
            else:
                reading.performance.check()
                assert len(reading.performance)
                assert not any("\n" in problem for problem in reading.problems)
                found.add(str(sorted(reading.performance.notes[["pitch", "start"]].tolist())) + str(reading.problems))
    (one,) = found
    assert "\n" not in one


@given(st.binary(max_size=200))
def test_random_events_never_crash(body: bytes) -> None:
    survives(midi(b"MTrk" + struct.pack(">I", len(body) + len(END)) + body + END))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6))
def test_flipped_bytes_never_crash(flips: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for position, value in flips:
        data[position] = value
    survives(bytes(data))


pieces = st.one_of(
    st.sampled_from([on(60), off(60), END, tempo(1), tempo(0), control(64, 99), control(121, 0), control(123, 0)]),
    st.builds(exclusive, st.binary(max_size=4), st.sampled_from([0xF0, 0xF7])),
    st.builds(meta, st.integers(0, 255), st.binary(max_size=4)),
    st.binary(max_size=3),
)
damaged_tracks = st.lists(st.tuples(st.integers(0, 2**28 - 1) | st.integers(0, 9), pieces), max_size=20).map(track)


@given(
    st.lists(damaged_tracks | st.binary(max_size=12), max_size=4),
    st.sampled_from([None, 0, 1, 2, 9]),
    st.sampled_from([1, 480, 0x8000, 0xE728]),
    st.integers(0, 3),
)
def test_tracks_of_any_pieces_never_crash(chunks: list[bytes], count: int | None, division: int, kind: int) -> None:
    survives(midi(*chunks, tracks=count, division=division, kind=kind))
