"""Transitions from note to note, which metrics count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.music.performance import pitched

if TYPE_CHECKING:
    from ablate.arrays import Array, IntArray

#: Slack of the search for onsets in seconds; what it finds is compared exactly.
_SLACK = 1e-9


def pitch_class_transitions(notes: Array, within: float) -> IntArray:
    """Return how many transitions lead from each pitch class to each, C first, int64 [12, 12].

    A transition leads from a note to each note whose onset is less than ``within`` seconds from the note's end, before
    or after it; so a note that is shorter leads to itself too, and notes that overlap by more make no transition. This
    is ``get_pitch_class_transition_matrix`` of pretty_midi, in a time that grows with the number of notes instead of
    its square. As there, each instrument has its own transitions, and drums have none.

    Args:
        notes: array of :data:`ablate.music.performance.NOTE_DTYPE`, in any order.
        within: seconds, above 0.
    """
    instruments = notes["instrument"]
    if len(notes) and not (instruments == instruments[0]).all():
        parts = [notes[instruments == instrument] for instrument in np.unique(instruments)]
        total: IntArray = np.sum([pitch_class_transitions(part, within) for part in parts], axis=0)
        return total
    notes = pitched(notes)
    order = np.argsort(notes["start"], kind="stable")
    starts, ends = notes["start"][order], notes["end"][order]
    classes = notes["pitch"][order].astype(np.int64) % 12
    first = np.searchsorted(starts, ends - within - _SLACK)
    last = np.searchsorted(starts, ends + within + _SLACK)
    counts = last - first
    before = np.repeat(np.arange(len(notes)), counts)
    after = np.arange(counts.sum()) + np.repeat(last - counts.cumsum(), counts)
    near = np.abs(ends[before] - starts[after]) < within
    pairs = 12 * classes[before[near]] + classes[after[near]]
    return np.bincount(pairs, minlength=144).astype(np.int64).reshape(12, 12)
