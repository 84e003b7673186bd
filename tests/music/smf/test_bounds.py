"""Memory and time in proportion to the file, whatever it holds."""

from __future__ import annotations

import contextlib
import struct
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import END, control, meta, midi, off, on, program, tempo, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi

if TYPE_CHECKING:
    from pathlib import Path

NOTE = track([(0, on(64)), (480, off(64))])
# as often as an event fits into about 25 kB
FILES = {
    "notes that nothing ends": midi(track([(0, on(60))] * 6_250), NOTE),
    "notes that nothing ends in 200 tracks": midi(*[track([(0, on(60))] * 40)] * 200, NOTE),
    "open notes of every key": midi(track([(0, on(p, channel=c)) for p in range(128) for c in range(16)] * 3), NOTE),
    "open notes and note-offs": midi(track([(0, on(60))] * 3_000 + [(1, off(60))] * 3_000)),
    "open notes and note-offs of other tracks": midi(track([(0, on(60))] * 3_000), track([(1, off(60))] * 3_000)),
    "notes without length": midi(track([(0, on(60)), (0, off(60))] * 3_000), NOTE),
    "one note-off too many": midi(track([(0, on(60)), (1, off(60)), (0, on(60)), (0, off(60))] * 1_500)),
    "all notes off": midi(track([(0, on(p)) for p in range(128)] + [(1, control(123, 0))] * 6_250)),
    "resets": midi(track([(0, on(60)), (0, control(64, 127)), (1, control(121, 0))] * 2_000), NOTE),
    "tempos": midi(track([(1, tempo(500_000 + i)) for i in range(3_500)]), NOTE),
    "programs": midi(track([(1, program(i % 128, i % 16)) for i in range(8_250)]), NOTE),
    "ports": midi(track([(1, meta(0x21, bytes([i % 256]))) for i in range(5_000)]), NOTE),
    "tracks without events": midi(*[b"MTrk\0\0\0\0"] * 3_000, NOTE, tracks=3_001),
    "tracks of one note": midi(*[NOTE] * 1_000),
    "tracks whose end comes twice": midi(NOTE, track([], END * 6_250)),
    "pieces of tracks": midi(NOTE) + b"\0MTrk\0\0\0\0\0" * 2_500,
    "text": midi(track([(1, meta(1, b"la"))] * 4_000), NOTE),
    "names": midi(*[track([(0, meta(3, b"%d" % i)), (0, on(60)), (9, off(60))]) for i in range(750)]),
    "channel pressure": midi(track([(1, bytes((0xD0, 1)))] * 8_250), NOTE),
}


@pytest.mark.parametrize("kind", FILES)
def test_traps(kind: str) -> None:
    data = FILES[kind]
    begin = time.process_time()
    tracemalloc.start()
    try:
        parse_midi(data, "x.mid", sustain="extend")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - begin < 1.0
    assert peak < 300 * len(data) + 1_000_000


def test_far_notes_take_no_memory() -> None:
    waits = [(0x0FFFFFFF, control(64, 1))] * 5_000
    data = midi(track([(0, on(60)), (9, off(60)), *waits, (0, on(60)), (9, off(60))]), division=1)
    tracemalloc.start()
    try:
        reading = parse_midi(data, "x.mid", longest_pause=1e300)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reading.performance.seconds > 1e11
    assert peak < 10_000_000


def test_a_length_of_gigabytes_is_a_cut() -> None:
    with pytest.raises(CorpusError, match=r"is cut short or damaged: 9 of the 4294967295 bytes"):
        parse_midi(midi(b"MTrk" + struct.pack(">I", 2**32 - 1) + b"\0\x90\x3c\x40\1\x80\x3c\0\0"), "x.mid")


def test_known_bombs(cases_dir: Path) -> None:
    files = sorted((cases_dir / "bombs").glob("*.mid"))
    assert files
    for file in files:
        data = file.read_bytes()
        begin = time.process_time()
        tracemalloc.start()
        with contextlib.suppress(CorpusError):
            parse_midi(data, file.name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000, file.name
        assert time.process_time() - begin < 1.0, file.name
