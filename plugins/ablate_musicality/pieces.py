"""Numbers that describe one piece by its notes alone.

Most are those of MusPy (H.-W. Dong, K. Chen, J. McAuley, T. Berg-Kirkpatrick, "MusPy: A toolkit for symbolic music
generation", ISMIR 2020). MusPy counts beats and steps of a grid; a performance has neither, so time is in seconds, from
the first onset to the last end: the silence before the first onset depends on the recording only. The other numbers
equal MusPy's on real recordings, and so do the polyphony and, with a beat of a tick, the empty time where no pitch
sounds twice at once (``tests/plugins/test_public_metrics.py``). MusPy's own reader of MIDI files pairs some ends with
other notes, which makes one of twelve recordings five times as long in the sum of its notes; the comparison of times
is therefore between equal notes.

A piece is an array of :data:`ablate.music.performance.NOTE_DTYPE` with at least one note, in any order. Pedals do
not lengthen notes. Every number is finite for every piece. As in MusPy, drums count in the empty time and in no number
of pitches or of notes that sound at once; all other instruments count together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import Array, FloatArray

    Notes = Array

#: Semitones above the root of a major scale.
MAJOR = (0, 2, 4, 5, 7, 9, 11)
#: The shortest time that a rate is taken over, in seconds: the length of the shortest note in a MIDI file.
SHORTEST = 1e-3


def pitch_range(notes: Notes) -> float:
    """Return the highest pitch minus the lowest, 0 to 127 semitones.

    ``pitch_range`` of MusPy, and "pitch range" of L.-C. Yang and A. Lerch, "On the evaluation of generative models in
    music", Neural Computing and Applications 32, 2020.
    """
    return float(notes["pitch"].max() - notes["pitch"].min())


def pitch_classes(notes: Notes) -> float:
    """Return the number of the twelve pitch classes that are used, 1 to 12.

    ``n_pitch_classes_used`` of MusPy.
    """
    return float(np.count_nonzero(_class_counts(notes)))


def pitch_entropy(notes: Notes) -> float:
    """Return the Shannon entropy of the histogram of pitch, 0 to 7 bits.

    ``pitch_entropy`` of MusPy.
    """
    return _entropy(np.bincount(notes["pitch"]))


def pitch_class_entropy(notes: Notes) -> float:
    """Return the Shannon entropy of the histogram of pitch class, 0 to ``log2(12)``, about 3.58, bits.

    ``pitch_class_entropy`` of MusPy, over the whole piece. S.-L. Wu and Y.-H. Yang, "The Jazz Transformer on the front
    line", ISMIR 2020, compute it for each bar and for each four bars, which performances do not have.
    """
    return _entropy(_class_counts(notes))


def scale_consistency(notes: Notes) -> float:
    """Return the largest share of the notes in one major or natural minor scale, 7/12 to 1.

    From O. Mogren, "C-RNN-GAN: Continuous recurrent neural networks with adversarial training", NIPS workshop on
    constructive machine learning, 2016, with the scales of MusPy's ``scale_consistency``. A natural minor scale has the
    notes of a major one, so there are twelve sets to try.
    """
    counts = _class_counts(notes)
    return float(max(counts[np.add(MAJOR, root) % 12].sum() for root in range(12)) / len(notes))


def polyphony(notes: Notes) -> float:
    """Return the number of notes that sound at once, averaged over the time with sounding notes; at least 1.

    ``polyphony`` of MusPy, over time instead of steps, and of notes instead of pitches: two overlapping notes of one
    pitch count as two. 0 where no note has any length.
    """
    sounding = _sounding_seconds(notes)
    return float((notes["end"] - notes["start"]).sum() / sounding) if sounding else 0.0


def notes_per_second(notes: Notes) -> float:
    """Return the notes per second, from the first onset to the last end.

    The "note count" of Yang and Lerch, 2020, per second instead of per bar. A piece shorter than a millisecond
    counts as one of a millisecond.
    """
    return len(notes) / max(_seconds(notes), SHORTEST)


def empty_time(notes: Notes) -> float:
    """Return the share of the time from the first onset to the last end without a sounding note, 0 to 1.

    ``empty_beat_rate`` of MusPy, over time instead of beats, and without the silence before the first onset. A beat of
    half a second counts as filled if anything sounds in it, which hides most silence: in twelve piano recordings MusPy
    finds 0 to 8 % empty, where this is up to 25 %. 1 where no note has any length.
    """
    sounding = _sounding_seconds(notes)
    # the sum of many short times can round to just above the total
    return max(0.0, 1.0 - sounding / _seconds(notes)) if sounding else 1.0


def instruments(notes: Notes) -> float:
    """Return the number of different instruments with a note, drums as one of them, 1 to 129."""
    return float(len(np.unique(notes["instrument"])))


class Number(NamedTuple):
    """A number of a piece: the function, its unit, and whether drums count."""

    compute: Callable[[Notes], float]
    unit: str
    drums: bool = False


NUMBERS = {
    "pitch_range": Number(pitch_range, "semitones"),
    "pitch_classes": Number(pitch_classes, "pitch classes"),
    "pitch_entropy": Number(pitch_entropy, "bit"),
    "pitch_class_entropy": Number(pitch_class_entropy, "bit"),
    "scale_consistency": Number(scale_consistency, "1"),
    "polyphony": Number(polyphony, "notes"),
    "notes_per_second": Number(notes_per_second, "notes/s", drums=True),
    "empty_time": Number(empty_time, "1", drums=True),
    "instruments": Number(instruments, "instruments", drums=True),
}


def _class_counts(notes: Notes) -> Array:
    """Return the number of notes of each pitch class, C first, [12]."""
    return np.bincount(notes["pitch"] % 12, minlength=12)


def _entropy(counts: Array) -> float:
    shares: FloatArray = counts[counts > 0] / counts.sum()
    return float(shares @ np.log2(1 / shares))


def _seconds(notes: Notes) -> float:
    """Return the time from the first onset to the last end."""
    return float(notes["end"].max() - notes["start"].min())


def _sounding_seconds(notes: Notes) -> float:
    """Return the time in which at least one note sounds."""
    order = np.argsort(notes["start"])
    start, end = notes["start"][order], np.maximum.accumulate(notes["end"][order])
    silent_until = np.maximum(start[1:], end[:-1])  # each note adds its time after the end of all notes before it
    return float(end[0] - start[0] + (end[1:] - silent_until).clip(0).sum())
