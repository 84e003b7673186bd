"""The reader against an independent one made with mido, on files made here, shared ones and random ones."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import attack as attacks
from support import mido_reader
from support.attack import attack, minimise
from support.checkout import ROOT
from support.comparing import (
    BOTH_REFUSE,
    DIFFERENT,
    EQUAL,
    NO_NOTES,
    REFUSED,
    UNREADABLE,
    compare,
    compare_reading,
    difference,
)
from support.fuzzing import make_input
from support.midi_bytes import END, control, midi, off, on, program, scale, tempo, track

from ablate.music.midi import parse_midi

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from ablate.music.midi import Reading

PORT = b"\xff\x21\x01"
SYSEX, ESCAPE = b"\xf0\x03\x43\x10\xf7", b"\xf7\x02\xf3\x01"
#: Files with the notes that both readers must find: pitch, start and end in ticks, instrument.
FILES = {
    "tempo in the second track": (
        midi(track([(0, on(60)), (480, off(60))]), track([(240, tempo(1_000_000))])),
        [(60, 0, 720, 0)],
    ),
    "sysex and an escape between notes": (
        midi(track([(0, on(60)), (10, SYSEX), (10, ESCAPE), (10, off(60))])),
        [(60, 0, 30, 0)],
    ),
    "running status over sysex": (
        midi(track([(0, on(60)), (5, SYSEX), (5, on(62)[1:]), (5, on(60, 0)), (5, on(62, 0))])),
        [(60, 0, 15, 0), (62, 10, 20, 0)],
    ),
    "delta time before an unknown meta event": (
        midi(track([(100, b"\xff\x60\x01\x00"), (0, on(60)), (10, off(60))])),
        [(60, 100, 110, 0)],
    ),
    "key signature of nothing": (
        midi(track([(0, b"\xff\x59\x02\x7f\x7f"), (0, on(60)), (10, off(60))])),
        [(60, 0, 10, 0)],
    ),
    "bytes after the end of the track": (
        midi(track([(0, on(60)), (10, off(60))], end=END + b"\x01\x02")),
        [(60, 0, 10, 0)],
    ),
    "two hands on one channel": (
        midi(track([(0, on(60)), (480, off(60))]), track([(0, on(60)), (240, off(60))])),
        [(60, 0, 240, 0), (60, 0, 480, 0)],
    ),
    "note-off in another track": (midi(track([(0, on(60))]), track([(240, off(60))])), [(60, 0, 240, 0)]),
    "programs of two tracks on one channel": (
        midi(*(track([(0, program(p)), (0, on(60 + p)), (10, off(60 + p))]) for p in (2, 5))),
        [(62, 0, 10, 2), (65, 0, 10, 5)],
    ),
    "program in another track": (
        midi(track([(0, program(40))]), track([(0, on(60)), (10, off(60))])),
        [(60, 0, 10, 40)],
    ),
    "one channel of two ports": (
        midi(
            track([(0, PORT + b"\0"), (0, program(8)), (0, on(60))]),
            track([(0, PORT + b"\1"), (10, off(60)), (0, on(61)), (10, off(61))]),
            track([(0, PORT + b"\0"), (30, off(60))]),
        ),
        [(60, 0, 30, 8), (61, 10, 20, 0)],
    ),
    "all notes off": (
        midi(track([(0, on(60)), (5, on(62)), (5, on(64)), (0, control(123, 0)), (5, off(64))])),
        [(60, 0, 10, 0), (62, 5, 10, 0), (64, 10, 15, 0)],
    ),
    "a note-off that belongs to an earlier note": (
        midi(track([(0, on(60)), (0, on(60)), (9, off(60)), (0, on(60)), (0, off(60)), (9, off(60))])),
        [(60, 0, 9, 0), (60, 0, 9, 0), (60, 9, 18, 0)],
    ),
    "no length, then the same pitch": (
        midi(track([(0, on(60)), (0, off(60)), (90, on(60)), (10, off(60))])),
        [(60, 90, 100, 0)],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_both_readers_find_the_right_notes(name: str) -> None:
    data, notes = FILES[name]
    assert compare(data).kind == EQUAL
    tick = 60 / (120 * 480)
    own = parse_midi(data, "x.mid").performance.notes
    assert sorted((n["pitch"], round(n["start"] / tick), round(n["end"] / tick), n["instrument"]) for n in own) == notes


def test_pedals_are_the_same() -> None:
    events = [(0, on(60)), (0, control(64, 127)), (9, control(67, 1)), (9, control(121, 0)), (9, off(60))]
    data = midi(track([(0, program(7)), *events]))
    theirs = {(round(p.time, 6), p.controller, p.value, p.instrument) for p in mido_reader.read(data).pedals}
    own = parse_midi(data, "x.mid").performance.pedals.tolist()
    assert {(round(p[0], 6), *p[1:]) for p in own} == theirs
    assert len(own) == 4


def test_a_difference_is_found() -> None:
    data = midi(track([(0, on(60)), (0, on(64)), (10, off(60)), (10, off(64))]))
    reading = parse_midi(data, "x.mid")
    later = reading.performance.notes.copy()
    later["end"][1] += 2e-4
    fewer = reading.performance.replace(notes=later[:1])
    assert "1 of 2 notes differ" in compare_reading(_replaced(reading, later), data).reason
    assert (
        difference(fewer, mido_reader.read(data), 0)
        == "1 notes, not 2; fewer of (pitch, velocity, instrument) (64, 64, 0)"
    )
    assert compare_reading(reading._replace(left_out=1), data).kind == DIFFERENT


def _replaced(reading: Reading, notes: object) -> Reading:
    return reading._replace(performance=reading.performance.replace(notes=notes))


def test_refusals_are_told_apart() -> None:
    assert compare(b"RIFF").kind == BOTH_REFUSE
    assert compare(midi(track([(0, on(60))]))).kind == NO_NOTES
    assert compare(midi(track([(0, on(60)), (1, off(60)), (2**28 - 1, on(60)), (1, off(60))]))).kind == REFUSED
    assert compare(b"MThd\0\0\0\6\0\1\0\2\1\xe0" + scale()[14:]).kind == UNREADABLE


def test_shared_cases_are_read_alike(cases_dir: Path) -> None:
    verdicts = {path.name: compare(path.read_bytes()) for path in sorted(cases_dir.glob("midi/*.mid"))}
    others = {name: verdict.kind for name, verdict in verdicts.items() if verdict.kind != EQUAL}
    assert others == {"all_zero_length.mid": NO_NOTES, "delta_max_gap_div1.mid": REFUSED}


def test_real_music_is_read_alike(smd_dir: Path) -> None:
    shortest = sorted(smd_dir.rglob("*.mid"), key=lambda path: path.stat().st_size)[:2]
    assert [compare(path.read_bytes()).kind for path in shortest] == [EQUAL, EQUAL]


_EVENTS = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 1, 240)),
        st.one_of(
            st.builds(on, st.integers(60, 62), st.sampled_from((0, 0, 64)), st.sampled_from((0, 9))),
            st.builds(off, st.integers(60, 62), st.sampled_from((0, 9))),
            st.builds(control, st.sampled_from((64, 121, 123)), st.sampled_from((0, 127)), st.just(0)),
            st.builds(program, st.integers(0, 3), st.sampled_from((0, 9))),
            st.builds(tempo, st.sampled_from((1, 500_000, 900_000))),
            st.sampled_from((SYSEX, ESCAPE, PORT + b"\0", PORT + b"\1")),
        ),
    ),
    max_size=14,
)


@given(st.lists(_EVENTS, min_size=1, max_size=3))
def test_notes_that_collide_are_read_alike(tracks: list[list[tuple[int, bytes]]]) -> None:
    verdict = compare(midi(*map(track, tracks)))
    assert verdict.kind in {EQUAL, NO_NOTES}, verdict.reason


def test_no_input_of_the_fuzzer_is_a_failure() -> None:
    files = [data for data, _ in FILES.values()]
    results = [(number, attack(make_input(1, number, files), compared=number % 3 == 0)) for number in range(1200)]
    assert [each for each in results if each[1].failed] == []
    assert 100 < sum(result.kind == "read" for _, result in results) < 1100


def test_every_kind_of_failure_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(error: BaseException) -> str:
        def parse(*_: object) -> None:
            raise error

        monkeypatch.setattr(attacks, "parse_midi", parse)
        return attack(scale(), compared=False).kind

    assert fails(IndexError("of no use")) == "exception"
    assert fails(MemoryError()) == "memory"
    monkeypatch.setattr(attacks, "parse_midi", lambda *_: next(n for n in iter(int, 1) if n))
    monkeypatch.setattr(attacks, "SECONDS", 0.05)
    assert attack(scale(), compared=False).kind == "hang"


def test_a_failing_input_is_minimised() -> None:
    data = midi(track([(0, on(60)), (9, SYSEX), (9, off(60)), (9, control(64, 1))]))
    small = minimise(data, lambda tried: b"\xf0\x03" in tried)
    assert small == b"\xf0\x03"


def _tool(name: str) -> ModuleType:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "tools"))


def test_the_table_counts_files_by_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place, data in (("a/x.mid", scale()), ("a/b/y.midi", b""), ("z.mid", midi(track([(0, on(1))])))):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(data)
    assert _tool("compare_readers").main([str(tmp_path)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:4]]
    assert lines == [
        ["a", "2", "1", "0", "0", "0", "0", "1", "0"],
        [tmp_path.name, "1", "0", "0", "0", "0", "1", "0", "0"],
        ["all", "3", "1", "0", "0", "0", "1", "1", "0"],
    ]
