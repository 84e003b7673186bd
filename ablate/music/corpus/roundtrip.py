"""Measure the loss of a tokenizer: encode a performance, decode it, and compare the two.

The k-th note of an instrument and a pitch, in order of onset, is compared with the k-th decoded note of the two; what
then has no pair is compared within its pitch alone, as a note that has changed its instrument. A tokenizer that does
not write instruments is compared within each pitch. If a tokenizer loses a note in the middle, the later notes of its
pitch are compared with their neighbours. So the errors of a tokenizer that loses notes are overestimated, never
underestimated.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.music.instruments import counts
from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import Array, FloatArray
    from ablate.interfaces import Tokenizer
    from ablate.music.performance import Performance


#: A velocity counts as clipped when it changes by more than one of 32 equal steps.
VELOCITY_STEP = 4
#: A mean onset error below this, in seconds, needs no explanation.
AUDIBLE = 0.01


@dataclasses.dataclass(frozen=True)
class Error:
    """The absolute difference between decoded and original.

    Attributes:
        mean: over all pairs of notes.
        max: the largest.
    """

    mean: float
    max: float


@dataclasses.dataclass(frozen=True)
class RoundTrip:
    """The loss of a tokenizer in one file, or in all files together.

    Attributes:
        tokens: the number of tokens.
        tokens_per_note: tokens for each original note; 0 without notes.
        pause_tokens: the tokens within pauses: after the end of every earlier note and before the next one begins.
        notes: original notes.
        decoded_notes: notes after decoding.
        lost_notes: original notes without a decoded one to compare with (for example because their pitch is not in the
            vocabulary, or because they are of drums and the tokenizer merges instruments).
        lost_by_instrument: the number of them for each instrument that loses notes.
        changed_instruments: notes whose decoded note is for another instrument.
        clipped: the share, 0 to 1, of original notes that are lost or whose velocity changes by more than 4.
        onset_error: seconds; None if no note has a pair, as the next two.
        duration_error: seconds.
        velocity_error: in steps of MIDI velocity.
        drift_seconds: last decoded onset minus last original onset; for several files the median. None if either
            has no notes, as the next two.
        drift_percent: the same as a percentage of the last original onset; 0 where that is at 0 s.
        worst_drift_percent: the drift furthest from 0 among several files.
        onset_error_beside_drift: in seconds, the onset error that is left after the steady drift of each file is
            subtracted: the multiple of the time that fits its onsets best. None as ``onset_error``.
    """

    tokens: int
    tokens_per_note: float
    pause_tokens: int
    notes: int
    decoded_notes: int
    lost_notes: int
    lost_by_instrument: Mapping[int, int]
    changed_instruments: int
    clipped: float
    onset_error: Error | None
    duration_error: Error | None
    velocity_error: Error | None
    drift_seconds: float | None
    drift_percent: float | None
    worst_drift_percent: float | None
    onset_error_beside_drift: Error | None

    @property
    def explained_by_drift(self) -> float | None:
        """The mean onset error beside the drift, in seconds, if drift is most of the error; otherwise None.

        A constant shift of all notes is no drift: the best multiple of the time leaves 42 % of it.
        """
        whole, rest = self.onset_error, self.onset_error_beside_drift
        return rest.mean if whole and rest and whole.mean > AUDIBLE and rest.mean < whole.mean / 5 else None


class Trip(NamedTuple):
    """The raw comparison of one performance; one value for each pair of notes."""

    tokens: int
    pause_tokens: int
    notes: int
    decoded_notes: int
    lost: Mapping[int, int]  # of each instrument
    changed: int
    onset: Array
    beside_drift: Array
    duration: Array
    velocity: Array
    drift: tuple[float, float] | None  # seconds, percent


def travel(performance: Performance, tokenizer: Tokenizer) -> Trip:
    """Encode, decode and compare one performance."""
    tokens = tokenizer.encode(performance)
    original, decoded = performance.notes, tokenizer.decode(tokens).notes
    before, after = _pairs(original, decoded, tokenizer)
    lost = collections.Counter(counts(original))
    lost.subtract(counts(before))
    return Trip(
        tokens=len(tokens),
        pause_tokens=_count_in_pauses(tokenizer.times(tokens), decoded),
        notes=len(original),
        decoded_notes=len(decoded),
        lost=+lost,
        changed=int((before["instrument"] != after["instrument"]).sum()),
        onset=np.abs(after["start"] - before["start"]),
        beside_drift=_beside_drift(before["start"], after["start"]),
        duration=np.abs((after["end"] - after["start"]) - (before["end"] - before["start"])),
        velocity=np.abs(after["velocity"].astype(np.int64) - before["velocity"]),
        drift=_drift(original, decoded),
    )


def _count_in_pauses(clock: FloatArray, notes: Array) -> int:
    """Return the number of tokens after whose time nothing sounds and at whose time no note begins or ends.

    Args:
        clock: seconds at each token, [time].
        notes: the decoded notes.
    """
    notes = notes[np.argsort(notes["start"], kind="stable")]
    ends = np.concatenate([[0.0], np.maximum.accumulate(notes["end"])])
    # of the notes that begin before the token or with it, the last end
    begun = np.searchsorted(notes["start"], clock, side="right")
    return int(((clock > ends[begun]) & (begun < len(notes))).sum())


def _pairs(original: Array, decoded: Array, tokenizer: Tokenizer) -> tuple[Array, Array]:
    """Return the notes of both that have a pair, in the same order."""
    if not tokenizer.instruments:
        if tokenizer.merges:  # the decoded notes have the pitches of no drum
            original = original[original["instrument"] != DRUMS]
        i, j = _matched(original, decoded, original["pitch"], decoded["pitch"])
        return original[i], decoded[j]
    keys = [128 * notes["instrument"].astype(np.int64) + notes["pitch"] for notes in (original, decoded)]
    i, j = _matched(original, decoded, *keys)
    rest, others = np.delete(np.arange(len(original)), i), np.delete(np.arange(len(decoded)), j)
    left, right = original[rest], decoded[others]
    k, m = _matched(left, right, left["pitch"], right["pitch"])
    return original[np.append(i, rest[k])], decoded[np.append(j, others[m])]


def _matched(original: Array, decoded: Array, keys: Array, decoded_keys: Array) -> tuple[Array, Array]:
    """Return the indices of the notes of both that have a pair: the k-th notes of one key."""
    numbers = _numbered(original, keys), _numbered(decoded, decoded_keys)
    _, i, j = np.intersect1d(*numbers, assume_unique=True, return_indices=True)
    return i, j


def _numbered(notes: Array, keys: Array) -> Array:
    """Return for each note its key, below 2**31, and the number of earlier notes of that key, in one integer."""
    order = np.lexsort((notes["end"], notes["start"], keys))
    key = keys[order].astype(np.int64)
    numbers = np.empty(len(notes), np.int64)
    numbers[order] = (key << 32) + np.arange(len(notes)) - np.searchsorted(key, key)
    return numbers


def _beside_drift(before: Array, after: Array) -> Array:
    """Return the absolute onset errors without the part of them that grows in proportion to the time."""
    error, squares = after - before, float(before @ before)
    rate = float(before @ error) / squares if squares > 0 else 0.0
    return np.abs(error - rate * before)


def _drift(original: Array, decoded: Array) -> tuple[float, float] | None:
    if not len(original) or not len(decoded):
        return None
    last = float(original["start"].max())
    seconds = float(decoded["start"].max()) - last
    return seconds, 100.0 * seconds / last if last > 0 else 0.0


def summarise(trips: Sequence[Trip]) -> RoundTrip:
    """Return one report for several performances: counts are added, errors are over all pairs of notes."""
    notes, tokens = sum(trip.notes for trip in trips), sum(trip.tokens for trip in trips)
    velocity = np.concatenate([trip.velocity for trip in trips])
    lost = notes - len(velocity)
    clipped = lost + int((velocity > VELOCITY_STEP).sum())
    drifts = np.array([trip.drift for trip in trips if trip.drift is not None]).reshape(-1, 2)
    has_drift = len(drifts) > 0
    of_none: collections.Counter[int] = collections.Counter()
    return RoundTrip(
        tokens=tokens,
        tokens_per_note=tokens / notes if notes else 0.0,
        pause_tokens=sum(trip.pause_tokens for trip in trips),
        notes=notes,
        decoded_notes=sum(trip.decoded_notes for trip in trips),
        lost_notes=lost,
        lost_by_instrument=dict(sorted(sum((collections.Counter(trip.lost) for trip in trips), of_none).items())),
        changed_instruments=sum(trip.changed for trip in trips),
        clipped=clipped / notes if notes else 0.0,
        onset_error=_error(np.concatenate([trip.onset for trip in trips])),
        onset_error_beside_drift=_error(np.concatenate([trip.beside_drift for trip in trips])),
        duration_error=_error(np.concatenate([trip.duration for trip in trips])),
        velocity_error=_error(velocity),
        drift_seconds=float(np.median(drifts[:, 0])) if has_drift else None,
        drift_percent=float(np.median(drifts[:, 1])) if has_drift else None,
        worst_drift_percent=float(drifts[np.abs(drifts[:, 1]).argmax(), 1]) if has_drift else None,
    )


def _error(differences: Array) -> Error | None:
    return Error(float(differences.mean()), float(differences.max())) if len(differences) else None
