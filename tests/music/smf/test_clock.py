"""Times: tempos of all tracks, tempos without sense, and pauses without end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.midi_bytes import control, meta, midi, off, on, tempo, track

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi
from ablate.music.smf.clock import Clock
from ablate.music.smf.container import Division

if TYPE_CHECKING:
    from support.midi_bytes import Event

NOTE = [(480, on(60)), (480, off(60))]


def times(*tracks: list[Event]) -> tuple[float, float, tuple[str, ...]]:
    """Start and end of the only note, and the problems."""
    performance, problems, *_ = parse_midi(midi(*map(track, tracks)), "x.mid")
    ((start, end),) = performance.notes[["start", "end"]].tolist()
    return start, end, problems


def test_the_last_tempo_of_a_tick_counts_track_by_track() -> None:
    first, second = [(480, tempo(250_000))], [(240, tempo(1_000_000)), (240, tempo(500_000)), (0, tempo(2_000_000))]
    assert times(NOTE, first, second) == (0.75, 2.75, ())


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([(960, tempo(0))], "1 tempo of 0 ignored; no note depends on it"),
        ([(9600, tempo(0)), (0, tempo(0))], "2 tempos of 0 ignored; no note depends on them"),
        ([(480, tempo(0)), (0, tempo(500_000))], "1 tempo of 0 ignored; no note depends on it"),
        ([(480, meta(0x51, b"\0\0"))], "1 tempo event without 3 bytes is ignored"),
        ([(480, meta(0x51))] * 2, "2 tempo events without 3 bytes are ignored"),
    ],
)
def test_a_senseless_tempo_that_moves_nothing_is_ignored(events: list[Event], problem: str) -> None:
    assert times(NOTE, events) == (0.5, 1.0, (problem,))


@pytest.mark.parametrize("rest", [[], [(1, tempo(500_000))]], ids=["for good", "for a tick"])
@pytest.mark.parametrize("what", ["note", "pedal"])
def test_a_tempo_of_0_before_a_note_or_pedal_is_refused(rest: list[Event], what: str) -> None:
    events = NOTE if what == "note" else [(0, on(60)), (9, off(60)), (900, control(64, 0))]
    with pytest.raises(CorpusError, match=r"x.mid: is damaged: it has a tempo of 0 at tick 500, which leaves"):
        times(events, [(500, tempo(0)), *rest])


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([(0, on(60)), (9, off(60)), (2**27, on(60)), (9, off(60))], "a pause of 38.8 hours after 0.0 s"),
        ([(2**23, on(60)), (9, off(60))], "a pause of 2.4 hours after 0.0 s"),
        ([(480 * 300, on(60)), (2**23, off(60))], "a pause of 2.4 hours after 2.5 minutes"),
        ([(0, on(60)), (9, off(60)), (2**28 - 1, control(64, 0))], "a pause of 3.2 days after 0.0 s"),
    ],
    ids=["between", "before", "in a note", "before a pedal"],
)
def test_a_long_pause_is_refused_unless_allowed(events: list[Event], said: str) -> None:
    data = midi(track(events))
    with pytest.raises(
        CorpusError, match=rf"^x.mid: has {said}, longer than 1 hour: it may be damaged; .* raise --pause$"
    ):
        parse_midi(data, "x.mid", pause_option="--pause")
    with pytest.raises(CorpusError, match=r"longer than 1 hour: it may be damaged$"):
        parse_midi(data, "x.mid")
    assert len(parse_midi(data, "x.mid", longest_pause=1e6).performance)


def test_pauses_below_the_limit_do_not_add_up_to_months() -> None:
    beats = 7000  # 3,000 quarter notes of half a second each are 25 minutes; all of them are 121 days
    data = midi(track([event for _ in range(beats) for event in ((480 * 3000, on(60)), (480, off(60)))]))
    with pytest.raises(
        CorpusError,
        match=r"^x.mid: lasts 121.6 days, and the longest piece that is read lasts 7 days; .*raise --pause to that$",
    ):
        parse_midi(data, "x.mid", pause_option="--pause")
    assert len(parse_midi(data, "x.mid", longest_pause=1.1e7).performance) == beats


def test_many_notes_are_no_pause() -> None:
    events = [event for _ in range(40) for event in ((480 * 500, on(60)), (480 * 500, off(60)))]
    assert parse_midi(midi(track(events)), "x.mid").performance.seconds == 20_000.0


def test_what_is_far_but_does_not_sound_is_no_pause() -> None:
    far = [(2**28 - 1, meta(1, b"far")), (2**28 - 1, control(7, 1)), (2**28 - 1, on(60, 0))]
    assert times([*NOTE, *far])[:2] == (0.5, 1.0)


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 2**24 - 1)), max_size=9),
    st.integers(1, 32767),
    st.lists(st.integers(0, 6000), min_size=1),
)
def test_seconds_are_the_sums_of_the_ticks(tempos: list[tuple[int, int]], division: int, ticks: list[int]) -> None:
    tempos = sorted(tempos, key=lambda each: each[0])
    lengths = np.full(6000, 0.5 / division)
    for tick, microseconds in tempos:
        lengths[tick:] = microseconds / 1e6 / division
    expected = np.concatenate([[0.0], np.cumsum(lengths)])[ticks]
    np.testing.assert_allclose(Clock(Division(division), tempos).seconds(np.array(ticks)), expected, rtol=1e-9)
