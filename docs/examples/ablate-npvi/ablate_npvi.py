"""A metric of rhythm: the contrast between successive durations (nPVI), and its distance from the reference's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate
import numpy as np

if TYPE_CHECKING:
    from collections import abc

GRABE_2002 = """\
@incollection{grabe2002,
  author = {Esther Grabe and Ee Ling Low},
  title = {Durational variability in speech and the rhythm class hypothesis},
  booktitle = {Laboratory Phonology 7}, publisher = {Mouton de Gruyter}, year = {2002}, pages = {515--546}
}"""
PATEL_2003 = """\
@article{patel2003,
  author = {Aniruddh D. Patel and Joseph R. Daniele},
  title = {An empirical comparison of rhythm in language and music},
  journal = {Cognition}, year = {2003}, volume = {87}, number = {1}, pages = {B35--B45}
}"""
#: Onsets that the index needs: two durations.
FEWEST = 3


@dataclass(frozen=True)
class NpviOptions:
    """Options of ``npvi`` in a study file."""

    together: float = ablate.option(
        0.03, ge=0, doc="Largest time between the notes of one chord, which count as one onset, in seconds."
    )


class Npvi(ablate.Metric):
    """The normalised pairwise variability index of a sample: 0 for equal durations, 200 at most.

    For durations d it is 100 times the mean of ``|d[k] - d[k+1]| / ((d[k] + d[k+1]) / 2)`` (Grabe and Low 2002); a long
    and a short duration in turn, 2 to 1, have 66.7. Patel and Daniele (2003) use it for melodies. Here the durations
    are the times between successive onsets of all notes, so that it is defined for music of several voices too.

    Unlike a histogram of durations it depends on their order.
    """

    def __init__(self, options: NpviOptions) -> None:
        self.together = options.together

    def measure(
        self, generated: ablate.Performance, reference: abc.Sequence[ablate.Performance]
    ) -> ablate.Measurements:
        """Return the index of one sample, and its distance from the mean index of the reference.

        Raises:
            ValueError: the sample has fewer than three onsets, or all pieces of the reference have.
        """
        durations = self.durations(generated)
        if len(durations) < FEWEST - 1:
            raise ValueError(f"the sample has {len(durations) + 1} onsets; the index needs at least {FEWEST}")
        usual = [npvi(each) for each in map(self.durations, reference) if len(each) >= FEWEST - 1]
        if not usual:
            raise ValueError(f"no piece of the reference has {FEWEST} onsets, which the index needs")
        index, pairs = npvi(durations), len(durations) - 1
        return ablate.Measurements(
            (
                ablate.Value(index, feature="index", n=pairs),
                ablate.Value(abs(index - float(np.mean(usual))), feature="distance", direction="lower", n=pairs),
            )
        )

    def durations(self, piece: ablate.Performance) -> ablate.FloatArray:
        """Return the times between successive onsets, in seconds; a chord begins with its first note."""
        onsets: list[float] = []
        for start in np.sort(piece.notes["start"]).tolist():
            if not onsets or start - onsets[-1] > self.together:
                onsets.append(start)
        return np.diff(onsets)


def npvi(durations: ablate.FloatArray) -> float:
    """Return the normalised pairwise variability index of at least two durations, each above 0."""
    first, second = durations[:-1], durations[1:]
    return float(100 * np.mean(np.abs(first - second) / ((first + second) / 2)))


@ablate.hookimpl
def ablate_metrics() -> abc.Iterator[ablate.MetricSpec]:
    """Offer the metric."""
    yield ablate.MetricSpec(
        name="npvi",
        summary="Contrast between successive durations, and its distance from the reference's.",
        version="1",
        options=NpviOptions,
        build=Npvi,
        features={
            "index": "The contrast between successive durations; 0 where all are equal.",
            "distance": "The distance of the index from its mean over the reference pieces.",
        },
        cite=(GRABE_2002, PATEL_2003),
    )
