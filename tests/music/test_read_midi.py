"""Reading sound MIDI files: what counts as a note, and in which order notes come."""

from __future__ import annotations

import io
import math
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pretty_midi
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from support.midi_bytes import control, midi, off, on, program, scale, tempo, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi, read_midi
from ablate.music.performance import Performance

if TYPE_CHECKING:
    from pathlib import Path

    from support.midi_bytes import Event

    from ablate.music.midi import Reader

READERS: tuple[Reader, ...] = ("ablate", "pretty_midi")
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
    performance, problems, *_ = parse_midi(midi(track(events)), "x.mid", reader)
    assert ticks(performance) == [(62, 0, 10)]
    assert problems == ("2 of 3 notes left out: 1 never ended, 1 without length",)


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


def test_overlaps_on_two_channels_are_apart() -> None:
    events = [(0, on(60)), (5, on(60, channel=1)), (10, off(60)), (10, off(60, channel=1))]
    assert ticks(parse_midi(midi(track(events)), "x.mid").performance) == [(60, 0, 15), (60, 5, 25)]


@pytest.mark.parametrize("reader", READERS)
def test_tempo_counts_in_any_track(reader: Reader) -> None:
    data = midi(track([(0, on(60)), (480, off(60))]), track([(240, tempo(1_000_000))]))
    performance, problems, *_ = parse_midi(data, "x.mid", reader)
    assert performance.seconds == 0.75
    assert problems == ()


def test_chunks_of_other_programs_are_passed_over() -> None:
    data = midi(b"XFIH\0\0\0\3abc", scale()[14:], b"trailing bytes", tracks=1)
    for reader in READERS:
        performance, problems, *_ = parse_midi(data, "x.mid", reader)
        assert len(performance) == 8
        assert problems == ("14 bytes after its last track are ignored",)


def test_a_missing_end_of_track_is_a_problem() -> None:
    data = midi(track([(0, on(60)), (10, off(60))], end=b""))
    assert parse_midi(data, "x.mid").problems == ("track 1: no end-of-track event; the file may be cut short",)


def test_canonical_order_against_the_order_of_note_offs() -> None:
    data = midi(track([(0, on(60)), (0, on(64)), (10, on(67)), (5, off(67)), (5, off(64)), (5, off(60))]))
    assert [p for p, *_ in ticks(parse_midi(data, "x.mid").performance)] == [60, 64, 67]
    assert [p for p, *_ in ticks(parse_midi(data, "x.mid", "pretty_midi").performance)] == [67, 64, 60]


def of_pretty_midi(data: bytes) -> Performance:
    """Read a file with pretty_midi itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Performance.from_pretty_midi(pretty_midi.PrettyMIDI(io.BytesIO(data)))


@st.composite
def tracks(draw: st.DrawFn, channel: int) -> bytes:
    """Draw a track of one channel, in which a pitch has at most one note-off at a tick."""
    messages = st.one_of(
        st.builds(on, st.integers(60, 62), st.integers(0, 127), st.just(channel)),
        st.builds(off, st.integers(60, 62), st.just(channel)),
        st.builds(control, st.sampled_from([64, 67]), st.integers(0, 127), st.just(channel)),
    )
    events: list[Event] = [(0, program(draw(st.integers(0, 127)), channel))]
    ended: set[int] = set()
    for wait, message in draw(st.lists(st.tuples(st.integers(0, 3), messages), max_size=25)):
        ended = set() if wait else ended
        is_off = message[0] & 0xF0 == 0x80 or (message[0] & 0xF0 == 0x90 and not message[2])
        if not (is_off and message[1] in ended):
            events.append((wait, message))
            ended |= {message[1]} if is_off else set()
        elif wait:
            events.append((wait, control(7, 100, channel)))
    return track(events)


tempos = st.lists(st.tuples(st.integers(0, 9), st.builds(tempo, st.integers(1, 2**24 - 1)))).map(track)


@given(tempos, tracks(0), tracks(9), tracks(3), st.integers(1, 960))
def test_notes_and_their_order_are_those_of_pretty_midi(
    tempo_track: bytes, piano: bytes, drums: bytes, other: bytes, division: int
) -> None:
    data = midi(tempo_track, piano, drums, other, division=division)
    expected = of_pretty_midi(data)
    if not len(expected):
        with pytest.raises(CorpusError, match="holds no notes"):
            parse_midi(data, "x.mid")
        return
    assert parse_midi(data, "x.mid", "pretty_midi").performance.notes.tolist() == expected.notes.tolist()
    assert parse_midi(data, "x.mid").performance.notes.tolist() == expected.canonical().notes.tolist()


@pytest.mark.parametrize("count", [2, 3, 4, 9])
def test_one_note_off_ends_all_that_are_open(count: int) -> None:
    ons = b"\x00\x90\x3c\x40" * count
    data = midi(track([]), b"MTrk" + (len(ons) + 8).to_bytes(4, "big") + ons + b"\x01\x80\x3c\x00\x00\xff\x2f\x00")
    notes = parse_midi(data, "x.mid").performance.notes
    assert len(notes) == count
    assert notes.tolist() == of_pretty_midi(data).notes.tolist()


def test_real_performances_are_those_of_pretty_midi(smd_dir: Path) -> None:
    for file in sorted(smd_dir.glob("*.mid"))[::7]:
        expected = of_pretty_midi(file.read_bytes())
        found = read_midi(file, "pretty_midi")
        np.testing.assert_array_equal(found.notes, expected.notes, err_msg=file.name)
        np.testing.assert_array_equal(found.pedals, expected.pedals, err_msg=file.name)


def test_real_performances_are_those_of_symusic(smd_dir: Path) -> None:
    for file in sorted(smd_dir.glob("*.mid")):
        (piano,) = symusic.Score.from_midi(file.read_bytes()).to("second").tracks
        expected, notes = piano.notes.numpy(), read_midi(file).notes
        order = np.lexsort((expected["time"], expected["pitch"]))
        notes = notes[np.lexsort((notes["start"], notes["pitch"]))]
        np.testing.assert_array_equal(notes["pitch"], expected["pitch"][order], err_msg=file.name)
        # symusic's seconds are 32-bit floats
        np.testing.assert_allclose(notes["start"], expected["time"][order], atol=1e-4, err_msg=file.name)


def test_the_piece_of_the_original_experiments(smd_dir: Path) -> None:
    performance = read_midi(smd_dir / "Bach_BWV888-01_008_20110315-SMD.mid")
    notes = performance.notes
    assert len(notes) == 689
    assert round(float(notes["start"].max()), 2) == 130.33
    assert round(performance.seconds, 2) == 132.74
    assert (notes["velocity"].min(), notes["velocity"].max()) == (7, 78)
    assert int((performance.pedals["controller"] == 64).sum()) == 830


def test_reading_is_much_faster_than_pretty_midi(smd_dir: Path) -> None:
    file = smd_dir / "Chopin_Op066_006_20100611-SMD.mid"
    seconds = dict.fromkeys(("ablate", "pretty_midi"), math.inf)
    for name, read in (("ablate", read_midi), ("pretty_midi", lambda path: pretty_midi.PrettyMIDI(str(path)))):
        for _ in range(3):  # the first also imports; the best is what counts
            begin = time.process_time()
            read(file)
            seconds[name] = min(seconds[name], time.process_time() - begin)
    assert seconds["ablate"] < seconds["pretty_midi"] / 20
