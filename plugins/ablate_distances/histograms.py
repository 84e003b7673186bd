"""How alike are a sample and the reference in what they play: which pitches, how long, how loud?

The histograms of all the reference performances' notes, pooled, and of the sample's notes are compared by the
distances of :mod:`ablate_distances.distances`. Order and simultaneity play no part, so 0 does not mean a copy; and a
sample of finite length differs from the reference even when drawn from it (resampling the 689 notes of one Bach prelude
gives, in expectation, an L1 of 0.17 in pitch). Read the numbers beside those floors.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

import ablate
from ablate.errors import CorpusError, NothingGenerated
from ablate_distances.distances import UNITS, distances

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.interfaces import FloatArray

    Notes = np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True)
class Feature:
    """What is counted of each note.

    Attributes:
        name: for people and for the stored histogram.
        unit: of the edges.
        edges: of the bins, increasing; a bin holds its lower edge and not its upper one.
            Values at or above the last edge are counted in the last bin.
        values: the numbers to count, one a note, none below the first edge.
    """

    name: str
    unit: str
    edges: FloatArray
    values: Callable[[Notes], FloatArray]

    def count(self, notes: Notes) -> FloatArray:
        """Notes in each bin, float64 [bins]."""
        bins = len(self.edges) - 1
        index = np.searchsorted(self.edges, self.values(notes), side="right") - 1
        return np.bincount(np.minimum(index, bins - 1), minlength=bins).astype(np.float64)


def pitch() -> Feature:
    """One bin for each MIDI pitch, 0 to 127."""
    return Feature("pitch", "MIDI pitch", np.arange(129.0), lambda notes: notes["pitch"])


def duration(bins: int, longest: float) -> Feature:
    """``bins`` bins of equal width over 0 to ``longest`` seconds, from a note's start to its end."""
    edges = np.linspace(0.0, longest, bins + 1)
    return Feature("duration", "s", edges, lambda notes: notes["end"] - notes["start"])


def velocity(bins: int) -> Feature:
    """``bins`` bins of equal width over MIDI velocities 0 to 128."""
    return Feature("velocity", "MIDI velocity", np.linspace(0.0, 128.0, bins + 1), lambda notes: notes["velocity"])


class HistogramDistance(ablate.Metric):
    """The distances between the histograms of a sample and of the reference, averaged over features.

    Args:
        features: what to count; with one of them the values are its distances.
        smoothing: see :func:`ablate_distances.distances.distances`.
    """

    def __init__(self, features: Sequence[Feature], smoothing: float) -> None:
        self._features = features
        self._smoothing = smoothing

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measured:
        """Distances, lower is better, ``n`` the sample's notes; and the histograms as counts.

        Raises:
            NothingGenerated: the sample holds no note.
            CorpusError: nor does the reference.
        """
        pooled = np.concatenate([performance.notes for performance in reference])
        if not len(generated):
            raise NothingGenerated("the sample holds no note to measure")
        if not len(pooled):
            raise CorpusError("the reference holds no note to compare with")
        counts = [(feature.count(pooled), feature.count(generated.notes)) for feature in self._features]
        each = [distances(p, q, self._smoothing) for p, q in counts]
        return ablate.Measured(
            values=tuple(
                ablate.Value(name, sum(d[name] for d in each) / len(each), unit, "lower", len(generated))
                for name, unit in UNITS.items()
            ),
            histograms=tuple(
                ablate.Histogram(feature.name, feature.unit, _plain(feature.edges), _plain(p), _plain(q))
                for feature, (p, q) in zip(self._features, counts, strict=True)
            ),
        )


def _plain(numbers: FloatArray) -> tuple[float, ...]:
    return tuple(map(float, numbers))
