"""Dynamics, articulation and density, measured from notes.

Articulation is a note's duration over its inter-onset interval: 1 plus the key overlap ratio of legato notes, 1 minus
the key detached ratio of staccato ones (Bresin and Battel, *Articulation strategies in expressive piano performance*,
Journal of New Music Research 29, 2000). Those are measured within a voice; here the next onset may be in any voice, so
a long note above quick ones counts as overlapping, up to a cap. Key presses are measured, without the sustain pedal.

Dynamics and density are those of all instruments, drums included. Drums have no articulation: their end is seldom
meant, and a beat between two notes does not make them detached.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from ablate.music.performance import pitched
from ablate_expression.conditioner import Expression, Quantity

if TYPE_CHECKING:
    import ablate
    from ablate.arrays import Array, FloatArray, IntArray
    from ablate_expression.options import ArticulationOptions, DensityOptions, DynamicsOptions

    Notes = Array

#: The shortest time in seconds over which notes are counted, so that a lone short note is no burst.
_SHORTEST = 1.0


class NoteMean(Expression):
    """The mean of a number that belongs to each note, at its onset.

    Around a clock time it is the mean over the notes whose onsets lie in the window, edges included. Where there are
    none, it is interpolated between the onsets before and after (a chord's onset has the mean of its notes). Before the
    first onset it is the number of the first, and after the last onset that of the last.
    """

    @abstractmethod
    def of_notes(self, notes: Notes) -> tuple[FloatArray, FloatArray]:
        """Return onsets in seconds and numbers of the notes that have one, both [notes], in any order."""

    def overall(self, performance: ablate.Performance) -> float:
        """Return the mean over all notes; the quantity's scale if none has a number."""
        _, values = self._in_order(performance)
        return float(values.mean()) if len(values) else self.quantity.scale

    def around(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """Return the mean over the notes in each window, float64 [time]."""
        onsets, values = self._in_order(performance)
        if not len(values):
            return np.full(len(times), self.quantity.scale)
        first, end = _inside(onsets, times, self.options.window)
        sums = np.concatenate([[0.0], values.cumsum()])
        means: FloatArray = (sums[end] - sums[first]) / np.maximum(end - first, 1)
        empty = first == end
        means[empty] = _between(onsets, values, times[empty])
        return means

    def _in_order(self, performance: ablate.Performance) -> tuple[FloatArray, FloatArray]:
        """Return onsets and numbers by onset, then number: so rounding does not depend on the order of the notes."""
        onsets, values = self.of_notes(performance.notes)
        order = np.lexsort([values, onsets])
        return onsets[order], values[order]


class Dynamics(NoteMean):
    """Mean MIDI velocity, over 64, the middle of its range."""

    def __init__(self, options: DynamicsOptions) -> None:
        super().__init__(
            Quantity("dynamics", 64.0, 1.0, 127.0, "from 1 to 127 (MIDI velocity)"), options, options.default
        )

    def of_notes(self, notes: Notes) -> tuple[FloatArray, FloatArray]:
        """Return the velocity of every note."""
        return notes["start"], notes["velocity"].astype(np.float64)


class Articulation(NoteMean):
    """Mean ratio of duration to the interval up to the next onset, unscaled: 1 is legato.

    The notes of a chord are never struck at exactly the same time (a melody is about 30 ms ahead of its accompaniment;
    Goebl, *Melody lead in piano performance*, Journal of the Acoustical Society of America 110, 2001). So the next
    onset is the first that comes more than ``chord`` seconds after the note's own. The last notes, which no onset
    follows, have no articulation; a performance with only such notes counts as legato.
    """

    def __init__(self, options: ArticulationOptions) -> None:
        bounds = f"above 0 and at most {options.cap:g} (the cap)"
        super().__init__(Quantity("articulation", 1.0, 0.0, options.cap, bounds), options, options.default)
        self._cap, self._chord = options.cap, options.chord

    def of_notes(self, notes: Notes) -> tuple[FloatArray, FloatArray]:
        """Return the articulation of every pitched note that another pitched onset follows, 0 to the cap."""
        notes = pitched(notes)
        onsets = np.sort(notes["start"])
        following = np.searchsorted(onsets, notes["start"] + self._chord, side="right")
        notes, following = notes[following < len(onsets)], following[following < len(onsets)]
        interval = onsets[following] - notes["start"]
        # capped before the division, which very small intervals would make infinite
        return notes["start"], np.minimum(notes["end"] - notes["start"], self._cap * interval) / interval


class Density(Expression):
    """Notes per second, over 8, about the median of piano music.

    Time is counted from 0 to the end of the last note, at least a second. A window counts onsets, edges included, over
    the part of the window within that time, so that at the beginning and the end it is shorter and not emptier. After
    the end the density stays constant. A window without a note has density 0.
    """

    def __init__(self, options: DensityOptions) -> None:
        # the highest value: a MIDI cable carries about a thousand messages a second
        bounds = "above 0 and at most 1000 (notes per second)"
        super().__init__(Quantity("density", 8.0, 0.0, 1000.0, bounds), options, options.default)

    def overall(self, performance: ablate.Performance) -> float:
        """Return the number of notes over their total time."""
        return len(performance) / max(performance.seconds, _SHORTEST)

    def around(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """Return the number of notes in each window over its seconds, float64 [time]."""
        end, half = max(performance.seconds, _SHORTEST), self.options.window / 2
        times = np.minimum(times, end)
        first, stop = _inside(np.sort(performance.notes["start"]), times, self.options.window)
        seconds = np.minimum(times + half, end) - np.maximum(times - half, 0.0)
        density: FloatArray = (stop - first) / seconds
        return density


def _inside(onsets: FloatArray, times: FloatArray, window: float) -> tuple[IntArray, IntArray]:
    """Return the first onset in each centred window and the first after it, int64 [time]; ``onsets`` is sorted."""
    first = np.searchsorted(onsets, times - window / 2, side="left")
    return first, np.searchsorted(onsets, times + window / 2, side="right")


def _between(onsets: FloatArray, values: FloatArray, times: FloatArray) -> FloatArray:
    """Interpolate the notes' numbers at ``times``, float64 [time]; notes with one onset have their mean."""
    distinct, index = np.unique(onsets, return_inverse=True)
    return np.interp(times, distinct, np.bincount(index, values) / np.bincount(index))
