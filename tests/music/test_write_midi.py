"""Written files read back to the same notes, whatever the reader's rule for note-offs."""

from __future__ import annotations

import io
import struct
import time
from collections import Counter
from itertools import pairwise

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.midi_readers import READERS, Row, rows_of

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi
from ablate.music.performance import DRUMS, Performance, make_notes, make_pedals
from ablate.music.write import RESOLUTION

TICK = 60 / (120 * RESOLUTION)
TOO_FEW = "it has too few channels for the notes of one pitch that sound together"
# moments on a coarse grid, so that notes often touch, and some that are less than a tick apart
_MOMENTS = st.integers(0, 12).map(lambda n: n / 4) | st.integers(0, 40).map(lambda n: n * TICK / 5)


@st.composite
def music(draw: st.DrawFn, instruments: tuple[int, ...] = (0, 0, 33, 73, DRUMS), most: int = 14) -> Performance:
    """Draw notes of few pitches, so that they often overlap; some of them belong to the primer."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(60, 61),
                st.integers(1, 127),
                _MOMENTS,
                _MOMENTS,
                st.sampled_from(instruments),
                st.booleans(),
            ),
            max_size=most,
        )
    )
    rows = [
        (pitch, velocity, start, start + length, instrument) for pitch, velocity, start, length, instrument, _ in drawn
    ]
    parts = [[row for row, note in zip(rows, drawn, strict=True) if note[-1] is part] for part in (True, False)]
    primer, notes = (Performance.from_notes(part).notes for part in parts)
    return Performance(notes, primer=primer, primer_seconds=1.0)


def read_by_all(piece: Performance) -> list[Row]:
    """Return the notes of the piece's file, after a check that all readers agree."""
    data = piece.midi_bytes()
    rows = {name: read(data) for name, read in READERS.items()}
    if rows["symusic"]:
        (resolution,) = struct.unpack_from(">H", data, 12)
        performance, problems, *_ = parse_midi(data, "own.mid", longest_pause=1e6)
        assert not problems
        rows["own"] = rows_of(performance, resolution)
    assert len({tuple(each) for each in rows.values()}) == 1, rows
    return rows["symusic"]


def channels_of(piece: Performance) -> dict[str, list[int]]:
    """Return the channels of the tracks by name, in the file."""
    tracks: dict[str, list[int]] = {}
    for track in mido.MidiFile(file=io.BytesIO(piece.midi_bytes())).tracks[1:]:
        channels = {message.channel for message in track if not message.is_meta}
        tracks.setdefault(track.name, []).extend(channels)
    return tracks


def together(piece: Performance) -> int:
    """Return how many notes of one pitch and instrument sound at once, at most, in the primer or after it."""
    rows = [(part, *row) for part in (piece.primer, piece.notes) for row in rows_of(Performance(part), RESOLUTION)]
    return max((sum(r[:3] == row[:3] and r[4] <= row[4] < r[5] for r in rows) for row in rows), default=0)


@given(music(instruments=(0, 33, 73)))
def test_pitched_notes_are_the_same_for_every_reader(piece: Performance) -> None:
    rows, problems = read_by_all(piece), piece.midi_file().problems
    assert (rows == rows_of(piece, RESOLUTION)) is not bool(problems)
    assert not problems or together(piece) > 2, "six parts have two channels each"


@given(music())
def test_what_channels_cannot_express_is_shortened_and_counted(piece: Performance) -> None:
    rows, wanted, changes = read_by_all(piece), rows_of(piece, RESOLUTION), piece.midi_file().changes
    assert sorted(row[:4] for row in rows) == sorted(row[:4] for row in wanted)
    lost = Counter(wanted) - Counter(rows)
    drums = sum(count for row, count in lost.items() if row[0] == DRUMS)
    told = {change.harmless: change.notes for change in changes}
    assert len(told) == len(changes)
    for is_drums, changed in ((True, drums), (False, lost.total() - drums)):
        assert (is_drums in told) == (changed > 0)
        assert changed <= told.get(is_drums, 0)
    assert sum(row[4] for row in rows) <= sum(row[4] for row in wanted)


def test_drums_that_are_struck_again_are_counted_apart_and_warn_nobody() -> None:
    rolls = [(38, 64, i / 4, i / 4 + 0.3, DRUMS) for i in range(5)]
    chords = [(60, 64, 0.0, 2.0 + i, 20) for i in range(16)]  # one too many
    file = Performance.from_notes([*rolls, *chords]).midi_file()
    assert [(change.notes, change.text, change.harmless) for change in file.changes] == [
        (1, f"end earlier in the MIDI file: {TOO_FEW}", False),
        (4, "are drums that end in the MIDI file where they are struck again: drums have one channel", True),
    ]
    assert file.problems == (f"1 of 21 notes end earlier in the MIDI file: {TOO_FEW}",)
    assert not Performance.from_notes(rolls).midi_file().problems


def test_notes_that_touch_or_are_shorter_than_a_tick_are_kept() -> None:
    ends = [0.0, 0.25, 0.5, 0.5 + TICK / 9, 0.5 + TICK]
    notes = [
        (60, 10 + i, start, end, instrument)
        for i, (start, end) in enumerate(pairwise(ends))
        for instrument in (4, DRUMS)
    ]
    rows = read_by_all(Performance.from_notes(notes))
    assert [row[3:] for row in rows[:4]] == [(0, 480), (480, 960), (960, 961), (960, 961)]
    assert [row[2:] for row in rows[4:]] == [row[2:] for row in rows[:4]]


def test_an_overlap_has_another_channel_and_the_pedal_goes_to_each() -> None:
    pedals = make_pedals(time=[0.1, 0.1, 0.3], controller=[64, 64, 67], value=[127, 0, 5], instrument=[24, 24, 0])
    notes = [(60, 50, 0.0, 3.0, 24), (60, 60, 1.0, 2.0, 24), (60, 60, 1.0, 2.0, 73), (62, 60, 1.0, 2.0, DRUMS)]
    piece = Performance.from_notes(notes, pedals=pedals, name="a", track_names={24: "Laúd", 73: "笛"})
    assert channels_of(piece) == {"Laúd": [0, 1], "\\u7b1b": [2], "Drums": [9]}
    midi = piece.to_pretty_midi()
    controls = [[(c.number, c.value, round(c.time, 2)) for c in i.control_changes] for i in midi.instruments]
    assert controls == [[(64, 0, 0.1)], [(64, 0, 0.1)], [], []]
    assert read_by_all(piece) == rows_of(piece, RESOLUTION)


def test_a_primer_has_tracks_of_its_own_while_channels_last() -> None:
    def piece(instruments: int) -> Performance:
        notes = [(60, 64, i / 4, 9.0, i) for i in range(instruments)]
        return Performance(Performance.from_notes(notes[::2]).notes, primer=Performance.from_notes(notes).notes)

    few = piece(3)
    assert list(channels_of(few)) == [
        "primer: Acoustic Grand Piano", "primer: Bright Acoustic Piano", "primer: Electric Grand Piano",
        "Acoustic Grand Piano", "Electric Grand Piano",
    ]  # fmt: skip
    assert list(channels_of(few.replace(primer=few.primer[:1], notes=few.notes[:1], name="x"))) == ["primer", "x"]
    many = piece(12)
    assert read_by_all(many) == rows_of(many, RESOLUTION)
    assert "primer has no tracks of its own" in many.midi_file().problems[0]
    assert not any("primer" in name for name in channels_of(many))


def test_more_instruments_than_channels_are_said() -> None:
    piece = Performance.from_notes(
        [(60, 64, i / 4, i / 4 + 1, 2 * min(i, 17)) for i in range(40)] + [(40, 9, 0.0, 1.0, DRUMS)]
    )
    assert piece.midi_file().problems == (
        "3 of 41 notes have another instrument in the MIDI file: it has channels for 15 of 18, and drums",
        f"25 of 41 notes end earlier in the MIDI file: {TOO_FEW}",
    )
    rows = read_by_all(piece)
    assert {row[0] for row in rows} == {*range(0, 28, 2), 34, DRUMS}
    assert Counter(row[0] for row in rows) == {**dict.fromkeys(range(0, 26, 2), 1), 26: 3, 34: 24, DRUMS: 1}


def test_pedals_of_instruments_without_a_channel_are_left_out_and_counted() -> None:
    notes = [(60 + i, 64, 0.0, 1.0, i) for i in range(17)]
    # one event for each of 17 instruments, a second one for the last, and one for an instrument without notes
    instruments = [*range(17), 16, 99]
    pedals = make_pedals(time=[0.5 + i / 100 for i in range(19)], controller=64, value=127, instrument=instruments)
    piece = Performance.from_notes(notes, pedals=pedals)
    text = "have another instrument in the MIDI file: it has channels for 15 of 17, and drums"
    assert piece.midi_file().problems == (f"2 of 17 notes {text}; their pedal events (3) are left out",)
    (alone,) = piece.replace(pedals=pedals[:0]).midi_file().problems
    assert alone == f"2 of 17 notes {text}"
    found = parse_midi(piece.midi_bytes(), "own.mid").performance
    assert found.pedals["instrument"].tolist() == [*range(15)]
    assert found.pedals["time"].tolist() == pytest.approx(pedals["time"][:15], abs=TICK)
    # instruments 15 and 16 alone have a pedal: the notes of 14, whose channel they take, are not held by it
    others = piece.replace(pedals=pedals[15:18]).midi_bytes()
    assert (parse_midi(others, "own.mid", sustain="extend").performance.notes["end"] == 1.0).all()


def test_pedals_of_drums_and_of_a_primer_are_written() -> None:
    primer = Performance.from_notes([(60, 64, 0.0, 1.0, i) for i in range(15)]).notes
    pedals = make_pedals(time=[0.25, 0.5], controller=[64, 67], value=9, instrument=[14, DRUMS])
    piece = Performance(Performance.from_notes([(40, 9, 2.0, 3.0, DRUMS)]).notes, pedals, primer=primer)
    assert not piece.midi_file().problems
    assert parse_midi(piece.midi_bytes(), "own.mid").performance.pedals.tolist() == pedals.tolist()


def test_channels_go_to_the_instruments_that_need_them() -> None:
    crowd = [(60, 64, i / 4, 9.0 - i / 8, 7) for i in range(13)]
    piece = Performance.from_notes([*crowd, (60, 64, 0.0, 2.0, 0), (60, 64, 1.0, 3.0, 0)])
    assert not piece.midi_file().problems
    assert read_by_all(piece) == rows_of(piece, RESOLUTION)
    assert {channel for each in channels_of(piece).values() for channel in each} == {*range(16)} - {9}


def test_a_piece_of_hours_has_longer_ticks() -> None:
    hours = Performance.from_notes([(60, 64, 0.0, 9.0), (60, 64, 4.0, 5400.25)])
    rows = read_by_all(hours)
    (resolution,) = struct.unpack_from(">H", hours.midi_bytes(), 12)
    assert 900 < resolution < RESOLUTION
    assert rows == rows_of(hours, resolution)
    assert not hours.midi_file().problems
    day = Performance.from_notes([(60, 64, 0.0, 86400.0)])
    assert day.midi_file().problems == ("times are rounded to 8.8 ms in the MIDI file: the music lasts 86,400 s",)
    assert read_by_all(day)[0][3] == 0
    century = Performance.from_notes([(60, 64, 0.0, 1.0), (60, 64, 4e9, 4e9 + 1)], name="far")
    with pytest.raises(CorpusError, match=r"far: the music lasts 4e\+09 s, and a MIDI file has 57 days at most"):
        century.midi_bytes()


def test_times_are_exact_where_pretty_midi_would_cut_the_tempo() -> None:
    for resolution in (161, 253, 737, 947):
        seconds = 9.9e6 / (2 * resolution + 1)
        midi = Performance.from_notes([(60, 64, 0.0, seconds)]).midi_bytes()
        (last,) = parse_midi(midi, "x.mid", longest_pause=1e9).performance.notes["end"]
        assert last == pytest.approx(seconds, abs=60 / 120 / int.from_bytes(midi[12:14], "big"))


def test_a_pedal_long_after_the_notes_decides_the_length_of_a_tick() -> None:
    pedals = make_pedals(time=np.array([0.0, 90_000.0]), controller=64, value=np.array([127, 0]))
    piece = Performance.from_notes([(60, 64, 0.0, 1.0)], pedals=pedals)
    assert [change.text for change in piece.midi_file().changes] == [
        "times are rounded to 9.1 ms in the MIDI file: the music lasts 90,000 s"
    ]
    assert len(READERS["pretty_midi"](piece.midi_bytes())) == 1
    with pytest.raises(CorpusError, match="57 days"):
        piece.replace(pedals=make_pedals(time=np.array([9e6]), controller=64, value=0)).midi_file()


def test_music_without_notes_is_a_file_without_notes() -> None:
    assert read_by_all(Performance(make_notes(pitch=[], velocity=[], start=[], end=[]), name="silence")) == []


def test_five_thousand_notes_take_no_time() -> None:
    rng = np.random.default_rng(1)
    start = rng.uniform(0, 1000, 5000)
    notes = make_notes(pitch=rng.integers(40, 90, 5000), velocity=64, start=start, end=start + 4)
    begin = time.process_time()
    file = Performance(notes).midi_file()
    assert time.process_time() - begin < 0.5
    assert not file.problems
