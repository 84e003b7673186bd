"""Transitions of pitch class."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pretty_midi
import pytest
from hypothesis import given

from ablate import Performance
from ablate.music.performance import DRUMS
from ablate.music.transitions import pitch_class_transitions

# Hundredths of a second, so that many ends and onsets are exactly at the limit.
NOTES = st.tuples(st.integers(0, 127), st.integers(0, 60), st.integers(0, 60)).map(
    lambda n: (n[0], 64, n[1] / 100, (n[1] + n[2]) / 100)
)


@given(st.lists(NOTES, min_size=2, max_size=30), st.sampled_from([0.01, 0.05, 0.3]))
def test_transitions_are_those_of_pretty_midi(notes: list[tuple[int, int, float, float]], within: float) -> None:
    piano = pretty_midi.Instrument(0)
    piano.notes = [pretty_midi.Note(velocity, pitch, start, end) for pitch, velocity, start, end in notes]
    expected = piano.get_pitch_class_transition_matrix(time_thresh=within)
    assert np.array_equal(pitch_class_transitions(Performance.from_notes(notes).notes, within), expected)


@given(
    st.lists(st.tuples(NOTES, st.sampled_from([0, 40, DRUMS])), min_size=2, max_size=20),
    st.sampled_from([0.01, 0.05, 0.3]),
)
def test_each_instrument_has_its_own_and_drums_none(notes: list[tuple[tuple[float, ...], int]], within: float) -> None:
    expected = np.zeros((12, 12))
    for instrument in (0, 40):
        played = pretty_midi.Instrument(instrument)
        # a single note leads to itself here, and not in pretty_midi; the second one is too late for any other
        played.notes = [pretty_midi.Note(v, p, start, end) for (p, v, start, end), own in notes if own == instrument]
        played.notes += [pretty_midi.Note(64, 60, 9.0, 99.0)] if played.notes else []
        expected += played.get_pitch_class_transition_matrix(time_thresh=within)
    found = pitch_class_transitions(Performance.from_notes((*note, own) for note, own in notes).notes, within)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("length", "count"), [(0.02, 1), (0.2, 0)])
def test_a_note_leads_to_itself_if_it_is_short(length: float, count: int) -> None:
    note = Performance.from_notes([(62, 64, 1.0, 1.0 + length)]).notes
    found = pitch_class_transitions(note, 0.05)
    assert found[2, 2] == found.sum() == count
