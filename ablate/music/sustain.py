"""Extend notes by the sustain pedal.

Definition: if the pedal (controller 64) is down, at 64 or more, when a key is released, the note sounds until the pedal
comes up or the same pitch is struck again, whichever is first. A pedal that never comes up holds notes until the last
event of the performance. The targets of piano transcription are made in this way.

Source: C. Hawthorne et al., "Onsets and Frames: Dual-Objective Piano Transcription", ISMIR 2018, section 3, used for
the MAESTRO data set as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.music.performance import SUSTAIN, Performance

if TYPE_CHECKING:
    from ablate.arrays import Array

_DOWN = 64


def apply_sustain(performance: Performance) -> Performance:
    """Return a copy whose notes end when they stop sounding, in the same order and with the same pedal events.

    A pedal movement at the time of a release comes before it; of several movements at one time the last one counts.
    No note becomes shorter, and notes of one pitch that did not overlap still do not. Applying it twice has the same
    result as once.
    """
    notes, pedals = performance.notes, performance.pedals[performance.pedals["controller"] == SUSTAIN]
    if not len(notes) or not len(pedals):
        return performance
    times, down = _pedal_states(pedals)
    end = notes["end"]
    state = np.searchsorted(times, end, side="right") - 1
    held = (state >= 0) & down[state]
    last = max(float(end.max()), float(times[-1]))
    until = np.minimum(_releases(times, down, last)[state], _next_onsets(notes, last))
    extended = notes.copy()
    extended["end"] = np.where(held, np.maximum(end, until), end)
    return performance.replace(notes=extended)


def _pedal_states(pedals: Array) -> tuple[Array, Array]:
    """Return each time of a pedal event, once, and whether the pedal is down after it."""
    pedals = pedals[np.argsort(pedals["time"], kind="stable")]
    last_of_moment = np.append(pedals["time"][1:] != pedals["time"][:-1], True)
    pedals = pedals[last_of_moment]
    return pedals["time"], pedals["value"] >= _DOWN


def _releases(times: Array, down: Array, never: float) -> Array:
    """Return for each time the first one, from it on, at which the pedal is up."""
    up = np.where(down, never, times)
    return np.minimum.accumulate(up[::-1])[::-1]


def _next_onsets(notes: Array, never: float) -> Array:
    """Return for each note the first later onset of its pitch."""
    order = np.lexsort((notes["start"], notes["pitch"]))
    pitch, start = notes["pitch"][order], notes["start"][order]
    new_onset = np.append((pitch[1:] != pitch[:-1]) | (start[1:] != start[:-1]), True)
    # notes of one pitch and onset form a group; the note after the group is the next onset, if of the same pitch
    ends = np.flatnonzero(new_onset)
    after = ends[np.searchsorted(ends, np.arange(len(order)))] + 1
    inside = np.minimum(after, len(order) - 1)
    following = np.where((after < len(order)) & (pitch[inside] == pitch), start[inside], never)
    onsets = np.empty(len(order))
    onsets[order] = following
    return onsets
