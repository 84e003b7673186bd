"""Several numbers of a sample, each compared with the same number of the reference."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError, NothingGenerated
from ablate_structure.groove import consistency, onsets_in_bars, periodicity, similarity
from ablate_structure.scape import fitness
from ablate_structure.similarity import chroma, self_similarity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.arrays import Array
    from ablate_structure.options import GrooveOptions, RepetitionOptions

    Notes = Array

#: The ranges of Wu and Yang for the length of a repeated segment, in seconds.
RANGES = {"short": (3.0, 8.0), "middle": (8.0, 15.0), "long": (15.0, 128.0)}
#: Factor between successive lengths that are tried.
SPACING = 1.2
#: The numbers that are shares, 0 to 1.
SHARES = ("consistency", "similarity")


class StructureNumbers(ablate.Metric):
    """Numbers of a sample, and their differences from the means of the reference pieces.

    Each piece counts once, regardless of its length; a piece too short for the numbers does not count.

    Args:
        numbers: computes finite numbers by name from the notes of a piece, at least one; raises ValueError if the piece
            is too short.
        part: selects the notes that count.
    """

    def __init__(
        self, numbers: Callable[[Notes], dict[str, float]], part: Callable[[Notes], Notes] = lambda notes: notes
    ) -> None:
        self._numbers, self._part = numbers, part
        # Every sample of a run is compared with the same pieces, which have many more notes.
        self._usual_cached = functools.lru_cache(maxsize=1)(self._usual)

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measurements:
        """Return each number, and its difference from the reference; ``n``: the sample's notes that count.

        Raises:
            NothingGenerated: the sample has no notes that count.
            ValueError: the sample is too short.
            CorpusError: every piece of the reference is too short.
        """
        notes = self._part(generated.notes)
        if not len(notes):
            raise NothingGenerated(f"the sample has no {'pitched ' if len(generated) else ''}notes to measure")
        found, usual, n = self._numbers(notes), self._usual_cached(tuple(reference)), len(notes)
        differences = [
            ablate.Value(abs(value - usual[name]), feature=f"{name}_difference", direction="lower", n=n)
            for name, value in found.items()
        ]
        values = [ablate.Value(value, feature=name, n=n, share=name in SHARES) for name, value in found.items()]
        return ablate.Measurements((*values, *differences))

    def _usual(self, reference: tuple[ablate.Performance, ...]) -> dict[str, float]:
        """Return the mean of each number over the pieces that are long enough."""
        found: list[dict[str, float]] = []
        problem = "it has no notes"
        for piece in reference:
            notes = self._part(piece.notes)
            if len(piece) and not len(notes):
                problem = "it has no pitched notes"
            elif len(notes):
                try:
                    found.append(self._numbers(notes))
                except ValueError as error:
                    problem = str(error)
        if not found:
            raise CorpusError(f"no piece of the reference can be compared with: {problem}")
        return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def groove(notes: Notes, options: GrooveOptions) -> dict[str, float]:
    """Return how much of the rhythm repeats: see :mod:`ablate_structure.groove`.

    The rhythm is that of all notes, drums included: every instrument's onsets count.

    Raises:
        ValueError: the piece is not longer than one bar.
    """
    onsets = onsets_in_bars(notes, options.bar, options.positions)
    if len(onsets) < 2:
        raise ValueError(f"the music ends within one bar of {options.bar:g} s, and a groove needs two")
    in_second = options.positions / options.bar
    shortest, longest = (max(1, round(seconds * in_second)) for seconds in (options.shortest, options.longest))
    return {
        "consistency": consistency(onsets),
        "similarity": similarity(onsets),
        "periodicity": periodicity(onsets, shortest, longest),
    }


def repetition(notes: Notes, options: RepetitionOptions) -> dict[str, float]:
    """Return the structureness indicator of each of :data:`RANGES`: the fitness of the best segment of such a length.

    After Wu and Yang, whose indicators are the maxima of the fitness scape plot of a recording over lengths of 3 to 8,
    8 to 15, and 15 seconds and more. Here the self-similarity is that of the notes, of the first ``seconds`` from the
    first onset. Lengths grow by a fifth from one to the next instead of by a frame, which saves two thirds of the time,
    and none is longer than half of the music, which cannot occur twice. 0 for a range in which no segment is repeated,
    or whose shortest length is more than half of the music. So the numbers depend on the length of the music, as those
    of Wu and Yang do. Notes of drums have no pitch: leave them out.

    Raises:
        ValueError: the music is too short for the shortest length.
    """
    seconds = min(options.seconds, float(notes["end"].max() - notes["start"].min()))
    frames = int(seconds * options.rate)
    if frames < 2 * RANGES["short"][0] * options.rate:
        raise ValueError(f"the music has {seconds:.1f} s; to repeat a segment it needs {2 * RANGES['short'][0]:g} s")
    cells = self_similarity(
        chroma(notes, options.rate, options.window, frames), max(1, round(options.smoothing * options.rate))
    )
    return {name: _fittest(cells, [seconds * options.rate for seconds in range_]) for name, range_ in RANGES.items()}


def _fittest(cells: Array, bounds: Sequence[float]) -> float:
    """Return the largest fitness of a segment of a length within bounds, in frames."""
    shortest, longest = max(1, round(bounds[0])), min(round(bounds[1]), len(cells) // 2)
    count = int(np.log(max(longest, shortest) / shortest) / np.log(SPACING)) + 2
    lengths = np.unique(np.geomspace(shortest, max(longest, shortest), count).round().astype(int))
    return max(0.0, float(fitness(cells, lengths.tolist()).max())) if longest >= shortest else 0.0
