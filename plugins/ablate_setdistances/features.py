"""Features of one piece, after Yang and Lerch: each is a vector, and pieces are compared by its Euclidean distance.

L.-C. Yang and A. Lerch, "On the evaluation of generative models in music", Neural Computing and Applications 32, 2020;
their program is mgeval (GitHub, RichardYang40148/mgeval). Of their features, those of single bars have no meaning for a
performance, which has no bars. The others are here, with these differences from mgeval, each of them tested:

- notes are taken in canonical order (by onset, then pitch), not in that of the file;
- the pitch class histogram weights notes by their seconds; mgeval's also by their velocity, it lengthens notes by the
  sustain pedal, and it cuts times to 10 ms;
- both transition matrices are divided by their sum (``normalize=2`` of mgeval); its default are counts, which compare
  the lengths of pieces;
- note lengths are compared with a bar of a fixed number of seconds, as mgeval's are where a file has no tempo.

Features of pitch and of note length leave drums out, and their successive notes are those of one instrument, whatever
sounds in between; mgeval takes one track of a file. The number of notes and the time between onsets are those of all.

A piece is an array of :data:`ablate.music.performance.NOTE_DTYPE` in canonical order with at least one note, and for
the features of pitch and length (:data:`PITCHED`) with at least one that is no drum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.music import transitions
from ablate.music.performance import pitched

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, FloatArray, IntArray

    Notes = Array

#: The lengths of Yang and Lerch in 96ths of a bar: full to sixteenth, dotted half to dotted sixteenth, and triplets.
LENGTHS = np.array([96, 48, 24, 12, 6, 72, 36, 18, 9, 32, 16, 8], np.float64)
#: Distances to two lengths that differ by less, in seconds, are equal, and the first length counts.
_ROUNDING = 1e-9
#: The features that need a note that is no drum.
PITCHED = (
    *("pitch_count", "pitch_range", "pitch_interval", "pitch_classes", "pitch_class_transitions"),
    *("note_lengths", "note_length_transitions"),
)


def by_instrument(notes: Notes) -> Notes:
    """Return the notes of one instrument after those of another; those of a single instrument as they are."""
    one = (notes["instrument"] == notes["instrument"][:1]).all()
    return notes if one else notes[np.argsort(notes["instrument"], kind="stable")]


def pairs(notes: Notes) -> BoolArray | slice:
    """Return which neighbours in :func:`by_instrument` are of one instrument, [notes - 1]: a mask, or a slice."""
    same: BoolArray = notes["instrument"][1:] == notes["instrument"][:-1]
    return slice(None) if same.all() else same


def pitch_count(notes: Notes) -> FloatArray:
    """Return the number of different pitches, [1]; ``total_used_pitch`` of mgeval."""
    return np.array([len(np.unique(pitched(notes)["pitch"]))], np.float64)


def pitch_range(notes: Notes) -> FloatArray:
    """Return the highest pitch minus the lowest, in semitones, [1]; ``pitch_range`` of mgeval."""
    return np.array([np.ptp(pitched(notes)["pitch"])], np.float64)


def note_count(notes: Notes) -> FloatArray:
    """Return the number of notes, [1]; ``total_used_note`` of mgeval.

    It has a meaning only if samples end where the model ends them: with a fixed number of tokens it compares that
    number with the length of the pieces.
    """
    return np.array([len(notes)], np.float64)


def pitch_interval(notes: Notes) -> FloatArray:
    """Return the mean interval between successive notes, without its sign, in semitones, [1]; 0 for a single note.

    ``avg_pitch_shift`` of mgeval. The notes of a chord are successive notes.
    """
    notes = by_instrument(pitched(notes))
    intervals = np.abs(np.diff(notes["pitch"].astype(np.float64)))[pairs(notes)]
    return np.array([intervals.mean() if len(intervals) else 0.0])


def onset_interval(notes: Notes) -> FloatArray:
    """Return the mean time between the onsets of successive notes, in seconds, [1]; 0 for a single note.

    ``avg_IOI`` of mgeval. Notes that start together are 0 s apart, so this is the time from the first onset to the last
    divided by the number of notes after the first.
    """
    return np.array([np.ptp(notes["start"]) / max(len(notes) - 1, 1)])


def pitch_classes(notes: Notes) -> FloatArray:
    """Return the share of each pitch class in the seconds of all notes, C first, [12]; 0 if no note has a length.

    ``total_pitch_class_histogram`` of mgeval, for equal velocities and without pedals.
    """
    notes = pitched(notes)
    seconds = notes["end"] - notes["start"]
    return _shares(np.bincount(notes["pitch"] % 12, seconds, minlength=12))


def pitch_class_transitions(notes: Notes, within: float) -> FloatArray:
    """Return the share of each ordered pair of pitch classes in all transitions, row by row, [144].

    ``pitch_class_transition_matrix`` of mgeval, with the transitions of
    :func:`ablate.music.transitions.pitch_class_transitions`. 0 in a piece without transitions.
    """
    return _shares(transitions.pitch_class_transitions(notes, within).ravel())


def note_lengths(notes: Notes, bar: float) -> FloatArray:
    """Return the share of notes with each of the twelve lengths, [12]; ``note_length_hist`` of mgeval.

    Each note counts as the nearest length of :data:`LENGTHS`, where a whole note lasts ``bar`` seconds.
    """
    return _shares(np.bincount(_length_classes(pitched(notes), bar), minlength=12))


def note_length_transitions(notes: Notes, bar: float) -> FloatArray:
    """Return the share of each ordered pair of lengths in all pairs of successive notes, row by row, [144].

    ``note_length_transition_matrix`` of mgeval. 0 for a single note.
    """
    notes = by_instrument(pitched(notes))
    classes = _length_classes(notes, bar)
    return _shares(np.bincount((12 * classes[:-1] + classes[1:])[pairs(notes)], minlength=144))


def _length_classes(notes: Notes, bar: float) -> IntArray:
    seconds = notes["end"] - notes["start"]
    off_nl = np.abs(seconds[:, None] - LENGTHS * (bar / 96))
    classes: IntArray = (off_nl <= off_nl.min(axis=1, keepdims=True) + _ROUNDING).argmax(axis=1)
    return classes


def _shares(counts: Array) -> FloatArray:
    total = counts.sum()
    shares: FloatArray = counts / total if total > 0 else counts.astype(np.float64)
    return shares
