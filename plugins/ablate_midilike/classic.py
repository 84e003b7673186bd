"""The 240-token scheme of Performance-RNN-PyTorch (https://github.com/djosix/Performance-RNN-PyTorch).

Reproduced with its quirks, because the original experiments used them:

- time shifts grow by 15 % from 15.4 ms to 1.17 s, and a remainder of an interval below 15.4 ms is dropped, so the
  clock falls behind: over the 50 pieces of the Saarland Music Data by 8 % in the median;
- silence before the first note is dropped;
- velocities are clipped to 21..108 and rounded up to one of 31 values;
- decoded notes have a minimum length;
- of several open notes of one pitch, a note-off ends only the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.music.performance import make_notes
from ablate_midilike.grammar import Grammar
from ablate_midilike.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import FloatArray, IntArray
    from ablate_midilike.options import ClassicOptions

#: Seconds of each time shift.
SHIFTS = 1.15 ** np.arange(32) / 65
#: Velocity of each bin: 31 for 32 ids, because 107 and 108 lie above the last one.
VELOCITIES = np.arange(21, 109, 88 / 31)
_LAYOUT = Layout(low=21, high=108, velocities=32, shifts=32)
#: The decoded velocity of each id, and at the end the one in force before any velocity token.
_DECODED = np.array([*VELOCITIES, VELOCITIES[-1], 64])


class ClassicTokenizer(ablate.Tokenizer):
    """``midilike-classic``: ids 0-87 note-on, 88-175 note-off, 176-207 velocity, 208-239 time shift.

    Pitches outside 21..108 are left out. The start token is id 0, as in the original's generation.
    """

    def __init__(self, options: ClassicOptions) -> None:
        self._options = options
        words = [str(int(velocity)) for velocity in VELOCITIES]
        self.vocabulary = _LAYOUT.words([*words, f"{words[-1]}+"], [f"{shift:.3g}" for shift in SHIFTS])
        self.start_token = 0

    def encode(self, performance: ablate.Performance) -> IntArray:
        """Return token ids, int64 [time]; notes by start, those of equal start in their original order."""
        notes = performance.notes[np.argsort(performance.notes["start"], kind="stable")]
        notes = notes[(notes["pitch"] >= _LAYOUT.low) & (notes["pitch"] <= _LAYOUT.high)]
        key = notes["pitch"].astype(np.int64) - _LAYOUT.low
        velocity = np.searchsorted(VELOCITIES, np.clip(notes["velocity"], 21, 108))
        times = np.stack([notes["start"], notes["start"], notes["end"]], axis=1).ravel()
        ids = np.stack([_LAYOUT.velocity + velocity, key, _LAYOUT.note_off + key], axis=1).ravel()
        order = np.argsort(times, kind="stable")
        event, shift = _shifts(np.diff(times[order]))
        return np.insert(ids[order], event + 1, _LAYOUT.time_shift + shift)

    def decode(self, tokens: IntArray) -> ablate.Performance:
        """Return notes in the order of their note-ons.

        A note-off ends the last note of its pitch if that is still open, not before its minimum length; otherwise it
        is ignored. A note without a note-off has the default length, also where its pitch is struck again before the
        note-off.
        """
        clock = self.times(tokens)
        events = _LAYOUT.key_events(tokens)
        ended = events.is_on[:-1] & ~events.is_on[1:] & (events.key[:-1] == events.key[1:])
        ends = np.full(len(tokens), np.nan)
        ends[events.position[:-1][ended]] = clock[events.position[1:][ended]]

        on = _LAYOUT.note_ons(tokens)
        velocity = _DECODED[_LAYOUT.running_velocity(tokens, first=_LAYOUT.velocities)[on]]
        start = clock[on]
        notes = make_notes(
            pitch=tokens[on] + _LAYOUT.low,
            velocity=np.clip(velocity * self._options.velocity_scale, 1, 127).astype(np.int64),
            start=start,
            end=np.where(
                np.isnan(ends[on]),
                start + self._options.default_length,
                np.maximum(ends[on], start + self._options.min_length),
            ),
        )
        return ablate.Performance(notes)

    def times(self, tokens: IntArray) -> FloatArray:
        """Return the clock in seconds after each token, float64 [time]."""
        return _LAYOUT.clock(tokens, SHIFTS)

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        """Return a running clock: the same sums in the same order as in :meth:`times`."""
        return _LAYOUT.running_clock(rows, SHIFTS)

    def grammar(self, rows: int) -> Grammar:
        """Return the rules of :mod:`ablate_midilike.grammar`, without a time shift at the start."""
        return Grammar(_LAYOUT, SHIFTS, start_token=self.start_token, rows=rows, silence_first=False)


def _shifts(intervals: FloatArray) -> tuple[IntArray, IntArray]:
    """Write each interval as the largest shifts that fit, one after another.

    Args:
        intervals: seconds, not negative, [intervals].

    Returns:
        For each shift, the interval it belongs to (ascending) and its bin, both int64 [shifts].
    """
    # The same sums in the same order as in the original, which compares remainders with each bin in floating point.
    total = np.zeros_like(intervals)
    unfinished = np.flatnonzero(intervals >= SHIFTS[0])
    owners, bins = [unfinished[:0]], [unfinished[:0]]
    while unfinished.size:
        largest = np.searchsorted(SHIFTS, intervals[unfinished] - total[unfinished], side="right") - 1
        owners.append(unfinished)
        bins.append(largest)
        total[unfinished] += SHIFTS[largest]
        unfinished = unfinished[intervals[unfinished] - total[unfinished] >= SHIFTS[0]]
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return owner[order], np.concatenate(bins)[order]
