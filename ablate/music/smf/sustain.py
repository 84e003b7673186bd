"""Extend notes by the sustain pedal.

Definition: if the pedal (controller 64) of a channel is down, at 64 or more, when a key is released, the note sounds
until the pedal comes up or the same pitch is struck again, whichever is first. Half pedalling is down from 64 on and up
below. A pedal that never comes up holds notes until the last event of the performance. "All sound off" (controller 120)
ends held notes too. The targets of piano transcription are made in this way.

Source: C. Hawthorne et al., "Onsets and Frames: Dual-Objective Piano Transcription", ISMIR 2018, section 3, used for
the MAESTRO data set as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, FloatArray

#: The least value of controller 64 at which the pedal is down.
DOWN = 64


def held_ends(
    pitch: Array,
    start: FloatArray,
    end: FloatArray,
    times: FloatArray,
    values: Array,
    last: float,
    silences: FloatArray | None = None,
) -> FloatArray:
    """Return when the notes of one channel stop sounding; the i-th number is the end of the i-th note.

    A pedal movement at the time of a release comes before it; of several movements at one time the last one counts.
    No note becomes shorter, and notes of one pitch that did not overlap still do not. Applying it twice has the same
    result as once.

    Args:
        pitch: of each note of the channel.
        start: in seconds.
        end: in seconds; not before ``start``.
        times: of the events of the channel's sustain pedal, in seconds.
        values: of these events, 0 to 127.
        last: the last event of the performance in seconds, up to which a pedal that never comes up holds.
        silences: the times of "all sound off", in seconds, ascending.
    """
    if not len(end) or not len(times):
        return end
    times, down = _pedal_states(times, values)
    state = np.searchsorted(times, end, side="right") - 1
    held = (state >= 0) & down[state]
    until = np.minimum(_releases(times, down, last)[state], _next_onsets(pitch, start, last))
    if silences is not None and len(silences):
        silence = np.append(silences, np.inf)[np.searchsorted(silences, end, side="left")]
        until = np.minimum(until, silence)
    return np.where(held, np.maximum(end, until), end)


def _pedal_states(times: FloatArray, values: Array) -> tuple[FloatArray, BoolArray]:
    """Return each time of a pedal event, once, and whether the pedal is down after it."""
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last_of_moment = np.append(times[1:] != times[:-1], True)
    return times[last_of_moment], values[last_of_moment] >= DOWN


def _releases(times: FloatArray, down: BoolArray, never: float) -> FloatArray:
    """Return for each time the first one, from it on, at which the pedal is up."""
    up = np.where(down, never, times)
    return np.asarray(np.minimum.accumulate(up[::-1])[::-1])


def _next_onsets(pitch: Array, start: FloatArray, never: float) -> FloatArray:
    """Return for each note the first later onset of its pitch."""
    order = np.lexsort((start, pitch))
    pitch, start = pitch[order], start[order]
    new_onset = np.append((pitch[1:] != pitch[:-1]) | (start[1:] != start[:-1]), True)
    # notes of one pitch and onset form a group; the note after the group is the next onset, if of the same pitch
    ends = np.flatnonzero(new_onset)
    after = ends[np.searchsorted(ends, np.arange(len(order)))] + 1
    inside = np.minimum(after, len(order) - 1)
    following = np.where((after < len(order)) & (pitch[inside] == pitch), start[inside], never)
    onsets = np.empty(len(order))
    onsets[order] = following
    return onsets
