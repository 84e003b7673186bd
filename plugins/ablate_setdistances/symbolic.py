"""Symbolic features of a piece, for the Fréchet distance: a vector of numbers that needs no network.

The features are chosen so that each is about as meaningful for a sample of 200 notes as for a whole piece, and so that
their distribution over pieces is roughly normal, as the Fréchet distance assumes: rates and times are logarithms, and
nothing grows with the number of notes. Three depend on the order of notes and not on their histograms: the interval
between successive notes, the change of velocity between them, and the entropy of the transitions of pitch class.

Features of pitch and duration leave drums out; those of onsets and velocity are of all notes. Successive notes are
those of one instrument, drums among them for velocity alone. No feature depends on which instruments play.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.music.performance import pitched
from ablate_setdistances.features import by_instrument, pairs

if TYPE_CHECKING:
    from ablate.arrays import Array, FloatArray

    Notes = Array

#: Every feature, its unit, and the smallest standard deviation that the reference is divided by: a difference that a
#: listener hardly notices. It matters for a reference without any spread, such as equal velocities everywhere.
FEATURES: dict[str, tuple[str, float]] = {
    "mean of pitch": ("semitones", 0.5),
    "standard deviation of pitch": ("semitones", 0.5),
    "mean interval between successive notes, without its sign": ("semitones", 0.5),
    "entropy of pitch classes": ("bit", 0.05),
    "entropy of the next pitch class, given the one before": ("bit", 0.05),
    "mean logarithm of the duration": ("octaves of time", 0.1),
    "standard deviation of the logarithm of the duration": ("octaves of time", 0.1),
    "logarithm of the notes per second": ("octaves of time", 0.1),
    "standard deviation of the logarithm of the time between distinct onsets": ("octaves of time", 0.1),
    "mean of velocity": ("MIDI velocity", 2.0),
    "standard deviation of velocity": ("MIDI velocity", 2.0),
    "mean change of velocity between successive notes, without its sign": ("MIDI velocity", 2.0),
}
#: Shorter times count as this, in seconds: their logarithm would depend on rounding.
SHORTEST = 0.01


def symbolic_features(notes: Notes) -> FloatArray:
    """Return the features of a piece in the order of :data:`FEATURES`, finite, float64 [features].

    Durations and times below :data:`SHORTEST` count as that, and logarithms are to base 2, so 1 is a factor of two. A
    piece with a single note or a single onset has 0 where there is no interval, and the spread of one number is 0.

    Args:
        notes: array of :data:`ablate.music.performance.NOTE_DTYPE` in canonical order, at least one that is no drum.
    """
    played = by_instrument(notes)
    tuned = pitched(played)
    pitch, velocity = tuned["pitch"].astype(np.float64), played["velocity"].astype(np.float64)
    duration = _log(tuned["end"] - tuned["start"])
    between = _log(np.diff(np.unique(notes["start"])))
    classes = tuned["pitch"].astype(np.int64) % 12
    single = np.bincount(classes, minlength=12)
    joint = np.bincount((12 * classes[:-1] + classes[1:])[pairs(tuned)], minlength=144)
    return np.array(
        [
            pitch.mean(),
            pitch.std(),
            _mean(np.abs(np.diff(pitch))[pairs(tuned)]),
            _entropy(single),
            max(0.0, _entropy(joint) - _entropy(joint.reshape(12, 12).sum(axis=1))),
            duration.mean(),
            duration.std(),
            np.log2(len(notes) / max(notes["end"].max() - notes["start"][0], SHORTEST)),
            between.std() if len(between) else 0.0,
            velocity.mean(),
            velocity.std(),
            _mean(np.abs(np.diff(velocity))[pairs(played)]),
        ]
    )


def _log(seconds: FloatArray) -> FloatArray:
    logarithms: FloatArray = np.log2(np.maximum(seconds, SHORTEST))
    return logarithms


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _entropy(counts: Array) -> float:
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares @ np.log2(shares)))
