"""What is counted of a performance: of each note, between notes, or at each moment."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate_distances.distances import Observed, on_a_line, on_the_circle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ablate.interfaces import FloatArray

    Notes = np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True)
class Feature:
    """What is counted, in which bins, and how far apart two such values are.

    Attributes:
        name: for people and for the stored histogram.
        unit: of the edges.
        edges: of the bins, increasing; a bin holds its lower edge and not its upper one.
            Values at or above the last edge are counted in the last bin.
        observe: the numbers to count in one piece with at least one note, none below the first edge, in any order.
        moved: the unit of the earth mover's distance.
        wasserstein: the earth mover's distance.
        nothing: the number that stands, once, for pieces in which there is nothing to observe.
    """

    name: str
    unit: str
    edges: FloatArray
    observe: Callable[[Notes], Observed]
    moved: str
    wasserstein: Callable[[Observed, Observed], float] = on_a_line
    nothing: float = 0.0

    def gather(self, pieces: Iterable[Notes]) -> Observed:
        """The numbers of all pieces together, pooled: each once, in increasing order, with its summed weight."""
        parts = [self.observe(notes) for notes in pieces]
        weights = np.concatenate([part.weights for part in parts])
        if not weights.any():
            return Observed(np.array([self.nothing]), np.ones(1))
        values, places = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
        return Observed(values, np.bincount(places, weights).astype(np.float64))

    def count(self, observed: Observed) -> FloatArray:
        """The weight in each bin, float64 [bins]: as many as there are notes, or seconds."""
        bins = len(self.edges) - 1
        index = np.searchsorted(self.edges, observed.values, side="right") - 1
        return np.bincount(np.minimum(index, bins - 1), observed.weights, minlength=bins).astype(np.float64)


def pitch() -> Feature:
    """One bin for each MIDI pitch, 0 to 127; moved by semitones."""
    return Feature("pitch", "MIDI pitch", np.arange(129.0), lambda notes: _once(notes["pitch"]), "semitones")


def pitch_class() -> Feature:
    """One bin for each pitch class, C 0 to B 11; moved by semitones around the circle, 6 at most."""
    return Feature(
        "pitch class",
        "pitch class",
        np.arange(13.0),
        lambda notes: _once(notes["pitch"] % 12),
        "semitones",
        functools.partial(on_the_circle, steps=12),
    )


def duration(bins: int, longest: float) -> Feature:
    """``bins`` bins of equal width over 0 to ``longest`` seconds, from a note's start to its end."""
    edges = np.linspace(0.0, longest, bins + 1)
    return Feature("duration", "s", edges, lambda notes: _once(notes["end"] - notes["start"]), "s")


def velocity(bins: int) -> Feature:
    """``bins`` bins of equal width over MIDI velocities 0 to 128."""
    edges = np.linspace(0.0, 128.0, bins + 1)
    return Feature("velocity", "MIDI velocity", edges, lambda notes: _once(notes["velocity"]), "MIDI velocity")


def inter_onset_interval(bins: int, longest: float) -> Feature:
    """``bins`` bins of equal width over 0 to ``longest`` seconds, from one distinct onset of a piece to the next.

    Notes that start at the very same time are one onset, so an interval is above 0; those of a chord that a pianist
    spreads by milliseconds are several. Where all notes start together there is no interval. As the next onset never
    came, that counts as one interval of ``longest`` seconds.
    """
    edges = np.linspace(0.0, longest, bins + 1)
    return Feature("inter-onset interval", "s", edges, _intervals, "s", nothing=longest)


def polyphony(most: int) -> Feature:
    """One bin for each number of notes that sound at once, 0 to ``most``, counted in seconds.

    The time is that from a piece's first onset to its last end, with the silence in between. Notes of one pitch that
    overlap are several, pedals lengthen nothing. Where no note has any length, silence is all there is.
    """
    return Feature("polyphony", "notes sounding", np.arange(most + 2.0), _sounding, "notes")


def _once(values: FloatArray) -> Observed:
    return Observed(values.astype(np.float64), np.ones(len(values)))


def _intervals(notes: Notes) -> Observed:
    return _once(np.diff(np.unique(notes["start"])))


def _sounding(notes: Notes) -> Observed:
    times = np.concatenate([notes["start"], notes["end"]])
    order = np.argsort(times, kind="stable")  # at one time starts come first, so that there are never fewer than none
    sounding = np.repeat([1, -1], len(notes))[order].cumsum()[:-1]
    seconds = np.bincount(sounding, np.diff(times[order])).astype(np.float64)
    return Observed(np.arange(len(seconds), dtype=np.float64), seconds)
