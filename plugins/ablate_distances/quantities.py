"""The quantities that are counted in a performance: of each note, between notes, or at each moment.

A drum's MIDI pitch is the number of a sound and its end is seldom meant, so pitches, durations and polyphony are those
of the pitched instruments, whichever they are. Velocities and onsets are those of all notes, drums included.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.music.performance import DRUMS, pitched
from ablate.music.transitions import pitch_class_transitions
from ablate_distances.distances import Observed, on_a_line, on_the_circle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ablate.arrays import Array, FloatArray

    Notes = Array


class Part(NamedTuple):
    """The notes that a quantity counts: a name for messages, and the function that selects them."""

    name: str
    select: Callable[[Notes], Notes]


ALL = Part("notes", lambda notes: notes)
PITCHED = Part("pitched notes", pitched)
DRUM = Part("drum notes", lambda notes: notes[notes["instrument"] == DRUMS])


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A musical quantity: how it is observed, its bins, and the distance between two sets of observations.

    Attributes:
        name: for messages and for the stored histogram.
        unit: of the edges.
        edges: of the bins, increasing; a bin contains its lower edge and not its upper one.
            Values at or above the last edge are counted in the last bin.
        observe: the values to count in a part of one piece, at least one note, none below the first edge, in any order.
        distance_unit: of the earth mover's distance.
        wasserstein: the earth mover's distance; None where values are names, not numbers.
        default: the single value of pieces in which there is nothing to observe.
        part: the notes that count.
    """

    name: str
    unit: str
    edges: FloatArray
    observe: Callable[[Notes], Observed]
    distance_unit: str
    wasserstein: Callable[[Observed, Observed], float] | None = on_a_line
    default: float = 0.0
    part: Part = PITCHED

    def gather(self, pieces: Iterable[Notes]) -> Observed:
        """Pool the values of all pieces: each value once, in increasing order, with the sum of its weights.

        Raises:
            ValueError: no piece has notes that count; the text is the name of these notes.
        """
        parts = [self.observe(notes) for notes in map(self.part.select, pieces) if len(notes)]
        if not parts:
            raise ValueError(self.part.name)
        weights = np.concatenate([part.weights for part in parts])
        if not weights.any():
            return Observed(np.array([self.default]), np.ones(1))
        values, indices = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
        return Observed(values, np.bincount(indices, weights).astype(np.float64))

    def count(self, observed: Observed) -> FloatArray:
        """Return the weight in each bin, float64 [bins]: a number of notes, or seconds."""
        bins = len(self.edges) - 1
        index = np.searchsorted(self.edges, observed.values, side="right") - 1
        return np.bincount(np.minimum(index, bins - 1), observed.weights, minlength=bins).astype(np.float64)


def pitch() -> Quantity:
    """Return the pitch: one bin for each MIDI pitch, 0 to 127; distances in semitones."""
    return Quantity("pitch", "MIDI pitch", np.arange(129.0), lambda notes: _once(notes["pitch"]), "semitones")


def pitch_class() -> Quantity:
    """Return the pitch class: one bin for each, C 0 to B 11; distances in semitones around the circle, at most 6."""
    return Quantity(
        "pitch class",
        "pitch class",
        np.arange(13.0),
        lambda notes: _once(notes["pitch"] % 12),
        "semitones",
        functools.partial(on_the_circle, steps=12),
    )


def duration(bins: int, longest: float) -> Quantity:
    """Return the time from a note's start to its end: ``bins`` bins of equal width over 0 to ``longest`` seconds."""
    edges = np.linspace(0.0, longest, bins + 1)
    return Quantity("duration", "s", edges, lambda notes: _once(notes["end"] - notes["start"]), "s")


def velocity(bins: int) -> Quantity:
    """Return the velocity: ``bins`` bins of equal width over MIDI velocities 0 to 128."""
    edges = np.linspace(0.0, 128.0, bins + 1)
    velocities = "MIDI velocity"
    return Quantity("velocity", velocities, edges, lambda notes: _once(notes["velocity"]), velocities, part=ALL)


def inter_onset_interval(bins: int, longest: float) -> Quantity:
    """Return the time from one distinct onset of a piece to the next: ``bins`` bins over 0 to ``longest`` seconds.

    Onsets are those of all instruments together, drums included. The bins have equal width. Notes that start at exactly
    the same time are one onset, so an interval is above 0; the notes of a chord that a pianist spreads by milliseconds
    are several onsets. Where all notes start together there is no interval, which counts as one interval of ``longest``
    seconds.
    """
    edges = np.linspace(0.0, longest, bins + 1)
    return Quantity("inter-onset interval", "s", edges, _intervals, "s", default=longest, part=ALL)


def polyphony(most: int) -> Quantity:
    """Return the number of notes that sound at once: one bin for each, 0 to ``most``, counted in seconds.

    The time is that from a piece's first onset to its last end, including silence. Overlapping notes of one pitch
    count separately, and so do those of two instruments; pedals do not lengthen notes. Where no note has any length,
    there is only silence.
    """
    return Quantity("polyphony", "notes sounding", np.arange(most + 2.0), _sounding, "notes")


def pitch_class_transition(within: float) -> Quantity:
    """Return the ordered pairs of pitch classes of :func:`ablate.music.transitions.pitch_class_transitions`.

    Pair ``12 * a + b`` leads from pitch class ``a`` to ``b``, C is 0. Music without any transition counts as one
    transition from C to C.
    """
    edges = np.arange(145.0)
    return Quantity(
        "pitch class transition",
        "pair of pitch classes",
        edges,
        lambda notes: Observed(edges[:-1], pitch_class_transitions(notes, within).ravel().astype(np.float64)),
        "1",
        wasserstein=None,
    )


def instrument() -> Quantity:
    """Return the instrument: one bin for each General MIDI program, 0 to 127, and one for drums, 128.

    Instruments are names, so there is no distance from one to another.
    """
    edges = np.arange(DRUMS + 2.0)
    unit = "program (128: drums)"
    return Quantity("instrument", unit, edges, lambda notes: _once(notes["instrument"]), "1", None, part=ALL)


def drum() -> Quantity:
    """Return the sound of a drum note, by its MIDI pitch: one bin for each, 0 to 127; sounds are names."""
    return Quantity("drum", "drum sound", np.arange(129.0), lambda notes: _once(notes["pitch"]), "1", None, part=DRUM)


def _once(values: FloatArray) -> Observed:
    return Observed(values.astype(np.float64), np.ones(len(values)))


def _intervals(notes: Notes) -> Observed:
    return _once(np.diff(np.unique(notes["start"])))


def _sounding(notes: Notes) -> Observed:
    times = np.concatenate([notes["start"], notes["end"]])
    order = np.argsort(times, kind="stable")  # at equal times starts come first, so that the number is never negative
    sounding = np.repeat([1, -1], len(notes))[order].cumsum()[:-1]
    seconds = np.bincount(sounding, np.diff(times[order])).astype(np.float64)
    return Observed(np.arange(len(seconds), dtype=np.float64), seconds)
