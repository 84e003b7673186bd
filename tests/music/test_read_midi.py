"""Reading sound MIDI files: what counts as a note, and that both readers mean the same by it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.midi_bytes import control, midi, off, on, program, scale, tempo, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi, read_midi

if TYPE_CHECKING:
    from pathlib import Path

    from support.midi_bytes import Event

    from ablate.music.midi import Reader
    from ablate.music.performance import Performance

READERS: tuple[Reader, ...] = ("symusic", "pretty_midi")
TICK = 60 / (120 * 480)


def ticks(performance: Performance) -> list[tuple[int, int, int]]:
    """Pitch, start and end of each note, in ticks."""
    return [(int(n["pitch"]), round(n["start"] / TICK), round(n["end"] / TICK)) for n in performance.notes]


@pytest.mark.parametrize("reader", READERS)
def test_a_plain_file_gives_its_notes_pedals_and_name(reader: Reader, tmp_path: Path) -> None:
    events = [(0, control(64, 127)), (0, control(7, 100)), (0, on(60, 70)), (240, control(67, 1))]
    file = tmp_path / "a piece.mid"
    file.write_bytes(midi(track([*events, (240, off(60)), (0, control(64, 0))])))
    performance = read_midi(file, reader)
    assert performance.name == "a piece"
    assert performance.notes.tolist() == [(60, 70, 0.0, 0.5, 0)]
    assert performance.pedals.tolist() == [(0.0, 64, 127, 0), (0.25, 67, 1, 0), (0.5, 64, 0, 0)]


@pytest.mark.parametrize("reader", READERS)
def test_a_note_on_without_velocity_is_a_note_off(reader: Reader) -> None:
    data = midi(track([(0, on(60)), (10, on(60, 0))]))
    assert ticks(parse_midi(data, "x.mid", reader).performance) == [(60, 0, 10)]


@pytest.mark.parametrize("reader", READERS)
def test_notes_have_the_instrument_of_their_channel(reader: Reader) -> None:
    events = [(0, program(33, 1)), (0, program(7, 9)), (0, control(64, 127, 1))]
    events += [(0, on(pitch, channel=channel)) for pitch, channel in ((36, 9), (40, 1), (60, 0))]
    events += [(10, off(36, channel=9)), (0, off(40, channel=1)), (0, off(60))]
    performance = parse_midi(midi(track(events)), "x.mid", reader).performance
    assert performance.notes[["pitch", "instrument"]].tolist() == [(36, 128), (40, 33), (60, 0)]
    assert performance.pedals["instrument"].tolist() == [33]


@pytest.mark.parametrize("reader", READERS)
def test_tempo_changes_move_the_clock(reader: Reader) -> None:
    events = [(0, tempo(1_000_000)), (0, on(60)), (480, tempo(250_000)), (480, off(60))]
    notes = parse_midi(midi(track(events)), "x.mid", reader).performance.notes
    assert notes["end"].tolist() == [1.25]


@pytest.mark.parametrize("reader", READERS)
def test_notes_without_length_or_end_are_left_out(reader: Reader) -> None:
    events = [(0, on(60)), (0, off(60)), (0, on(61)), (0, on(62)), (10, off(62))]
    performance, problems, _ = parse_midi(midi(track(events)), "x.mid", reader)
    assert ticks(performance) == [(62, 0, 10)]
    if reader == "symusic":
        assert problems == ("2 of 3 notes left out: without an end or without length",)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([(0, on(60)), (10, on(60)), (10, off(60))], [(60, 0, 20), (60, 10, 20)], id="one off ends both"),
        pytest.param(
            [(0, on(60)), (10, on(60)), (10, off(60)), (10, off(60))],
            [(60, 0, 20), (60, 10, 20)],
            id="the second off has nothing to end",
        ),
        pytest.param(
            [(0, on(60)), (5, program(1)), (5, on(60)), (10, off(60)), (10, off(60))],
            [(60, 0, 20), (60, 10, 20)],
            id="a program change does not hide an overlap",
        ),
        pytest.param(
            [(0, on(60)), (10, on(60)), (0, off(60)), (10, off(60))],
            [(60, 0, 10), (60, 10, 20)],
            id="struck again as it ends",
        ),
        pytest.param(
            [(0, on(60)), (0, on(60)), (0, off(60)), (9, off(60)), (0, on(61)), (9, off(61))],
            [(61, 9, 18)],
            id="an off at once ends both, without length",
        ),
    ],
)
def test_overlapping_notes_are_paired_as_pretty_midi_does(
    events: list[Event], expected: list[tuple[int, int, int]]
) -> None:
    assert ticks(parse_midi(midi(track(events)), "x.mid").performance) == expected


def test_overlaps_on_two_channels_need_no_second_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pretty_midi, "PrettyMIDI")
    events = [(0, on(60)), (5, on(60, channel=1)), (10, off(60)), (10, off(60, channel=1))]
    assert ticks(parse_midi(midi(track(events)), "x.mid").performance) == [(60, 0, 15), (60, 5, 25)]


def test_tempo_outside_the_first_track_counts_for_symusic_and_is_a_problem_for_pretty_midi() -> None:
    data = midi(track([(0, on(60)), (480, off(60))]), track([(0, tempo(1_000_000))]))
    assert parse_midi(data, "x.mid").performance.seconds == 1.0
    performance, problems, _ = parse_midi(data, "x.mid", "pretty_midi")
    assert performance.seconds == 0.5
    assert "outside the first track" in problems[0]


def test_chunks_of_other_programs_are_passed_over() -> None:
    data = midi(b"XFIH\0\0\0\3abc", scale()[14:], b"trailing bytes", tracks=1)
    for reader in READERS:
        assert len(parse_midi(data, "x.mid", reader).performance) == 8


def test_a_missing_end_of_track_is_a_problem() -> None:
    data = midi(track([(0, on(60)), (10, off(60))], end=b""))
    assert parse_midi(data, "x.mid").problems == ("track 1 has no end-of-track event; the file may be cut short",)


def test_canonical_order_against_the_order_of_note_offs() -> None:
    data = midi(track([(0, on(60)), (0, on(64)), (10, on(67)), (5, off(67)), (5, off(64)), (5, off(60))]))
    assert [p for p, *_ in ticks(parse_midi(data, "x.mid").performance)] == [60, 64, 67]
    assert [p for p, *_ in ticks(parse_midi(data, "x.mid", "pretty_midi").performance)] == [67, 64, 60]


messages = st.one_of(
    st.builds(on, st.integers(60, 62), st.integers(0, 127), st.sampled_from([0, 1, 9])),
    st.builds(off, st.integers(60, 62), st.sampled_from([0, 1, 9])),
    st.builds(control, st.sampled_from([64, 67]), st.integers(0, 127), st.just(0)),
    st.builds(program, st.integers(0, 1), st.just(0)),
)
tracks = st.lists(st.tuples(st.integers(0, 3), messages), max_size=25).map(track)
tempos = st.lists(st.tuples(st.integers(0, 9), st.builds(tempo, st.integers(1, 2**24 - 1)))).map(track)


@given(tempos, st.lists(tracks, min_size=1, max_size=2), st.integers(1, 960))
def test_both_readers_agree_to_the_last_bit(tempo_track: bytes, note_tracks: list[bytes], division: int) -> None:
    data = midi(tempo_track, *note_tracks, division=division)
    try:
        expected = parse_midi(data, "x.mid", "pretty_midi").performance.canonical()
    except CorpusError:
        with pytest.raises(CorpusError):
            parse_midi(data, "x.mid")
        return
    assert parse_midi(data, "x.mid").performance.notes.tolist() == expected.notes.tolist()


@pytest.mark.parametrize("count", [2, 3, 4, 9])
def test_one_note_off_ends_all_that_are_open(count: int) -> None:
    ons = b"\x00\x90\x3c\x40" * count
    data = midi(track([]), b"MTrk" + (len(ons) + 8).to_bytes(4, "big") + ons + b"\x01\x80\x3c\x00\x00\xff\x2f\x00")
    notes = parse_midi(data, "x.mid").performance.notes
    assert len(notes) == count
    assert notes.tolist() == parse_midi(data, "x.mid", "pretty_midi").performance.canonical().notes.tolist()


def test_both_readers_agree_on_real_performances(smd_dir: Path) -> None:
    for file in sorted(smd_dir.glob("*.mid"))[::3]:
        fast, reference = read_midi(file), read_midi(file, "pretty_midi").canonical()
        np.testing.assert_array_equal(fast.notes, reference.notes, err_msg=file.name)
        np.testing.assert_array_equal(fast.pedals, reference.pedals, err_msg=file.name)


def test_the_piece_of_the_original_experiments(smd_dir: Path) -> None:
    performance = read_midi(smd_dir / "Bach_BWV888-01_008_20110315-SMD.mid")
    notes = performance.notes
    assert len(notes) == 689
    assert round(float(notes["start"].max()), 2) == 130.33
    assert round(performance.seconds, 2) == 132.74
    assert (notes["velocity"].min(), notes["velocity"].max()) == (7, 78)
    assert int((performance.pedals["controller"] == 64).sum()) == 830


def test_symusic_is_much_faster(smd_dir: Path) -> None:
    file = smd_dir / "Chopin_Op066_006_20100611-SMD.mid"
    seconds: dict[Reader, float] = {}
    for reader in READERS:
        for _ in range(3):  # the first also imports; the best is what counts
            begin = time.perf_counter()
            read_midi(file, reader)
            seconds[reader] = min(seconds.get(reader, math.inf), time.perf_counter() - begin)
    assert seconds["symusic"] < seconds["pretty_midi"] / 5
