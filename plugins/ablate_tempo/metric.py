"""A check whether generated music follows its tempo label.

A sample's playing speed is measured by notes and onsets per second, relative to the reference. This is a speed only if
the sample has the texture of the reference: music with more notes in a beat counts as faster. The notes of all
instruments count, drums included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray

# Relative tolerance: steps of a token grid that should add up to `together` can miss it by less than this.
_ROUNDING = 1e-6


class TempoControl(ablate.Metric):
    """The speed of a sample relative to the reference, and its distance from the label ``tempo``.

    - ``notes_per_second``: the sample's rate of notes divided by the reference's. A rate is the number of notes after
      the first onset, divided by the seconds from the first onset to the last.
    - ``inter_onset_interval``: the reference's mean interval between distinct onsets divided by the sample's, so that
      this too is larger for faster music. Chords count once.
    - ``error``: ``|notes_per_second - tempo|``, where ``tempo`` is the sample's label, 1 by default.

    1.2 is 20 % faster than the reference. Of several reference pieces, notes, intervals and seconds are summed before
    they are divided. ``n`` is the sample's notes after the first onset, or its intervals. A sample with a single onset,
    one note or chord, has no speed: both speeds are 0, the error is the tempo label, ``n`` is 0.

    Played at t times its speed, a piece has ``notes_per_second`` exactly t. ``inter_onset_interval`` changes less,
    because ``together`` is fixed in seconds and slow playing spreads the notes of a chord: over 50 piano recordings
    played at 0.8 and 1.2 times their speed it is 0.84 and 1.15 on average.

    Args:
        together: seconds, above 0; an onset that follows the last distinct one by less belongs to the same chord.
    """

    def __init__(self, together: float) -> None:
        self._together = together
        self._usual: tuple[Sequence[ablate.Performance], FloatArray] | None = None

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measurements:
        """Return two speeds and the error, each a pure number.

        The sums over the reference are kept for the next sample with the same reference.

        Raises:
            CorpusError: no piece of the reference has two distinct onsets.
        """
        if self._usual is None or self._usual[0] is not reference:
            self._usual = reference, sum((self._counts(piece) for piece in reference), np.zeros((2, 2)))
        usual = self._usual[1]
        if not usual.all():
            raise CorpusError("the reference has no tempo to compare with: no piece of it has two onsets")
        sample = self._counts(generated)
        notes, onsets = (_rate(*ours) / _rate(*theirs) for ours, theirs in zip(sample, usual, strict=True))
        n_notes, n_intervals = (int(count) for count in sample[:, 0])
        return ablate.Measurements(
            (
                ablate.Value(notes, feature="notes_per_second", n=n_notes),
                ablate.Value(onsets, feature="inter_onset_interval", n=n_intervals),
                ablate.Value(
                    abs(notes - generated.labels.get("tempo", 1.0)), feature="error", direction="lower", n=n_notes
                ),
            )
        )

    def _counts(self, piece: ablate.Performance) -> FloatArray:
        """Return the number after the first and the seconds, of all notes and of distinct onsets; float64 [2, 2]."""
        starts = np.sort(piece.notes["start"])
        onsets = _distinct(starts, self._together)
        if len(onsets) < 2:
            return np.zeros((2, 2))
        return np.array([((times > times[0]).sum(), times[-1] - times[0]) for times in (starts, onsets)])


def _rate(count: float, seconds: float) -> float:
    return float(count / seconds) if count else 0.0


def _distinct(starts: FloatArray, together: float) -> FloatArray:
    """Return the first of each group of onsets within ``together`` seconds; ``starts`` are sorted."""
    onsets: list[float] = []
    for start in starts.tolist():
        if not onsets or start - onsets[-1] >= together * (1 - _ROUNDING):
            onsets.append(start)
    return np.array(onsets)
