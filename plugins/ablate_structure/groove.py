"""Rhythm that repeats from bar to bar, on a grid of time.

S.-L. Wu and Y.-H. Yang, "The Jazz Transformer on the front line", ISMIR 2020, compare the onsets of every two bars
("grooving pattern similarity"); MusPy's ``groove_consistency`` compares neighbouring bars only. A performance has no
bars, so a bar has a fixed number of seconds here, and the first begins with the first onset. That fits music whose bars
have this length, in strict time. :func:`periodicity` therefore tries every length of a bar, and does without one.

A piece is an array of :data:`ablate.music.performance.NOTE_DTYPE` with at least one note, in any order.
The onsets of all instruments count, drums included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray

    Notes = Array


def onsets_in_bars(notes: Notes, bar: float, positions: int) -> BoolArray:
    """Return whether a note starts at each position of each bar, [bars, positions].

    Times are rounded to the nearest position, as MusPy rounds them to a lower resolution. The last bar is that in which
    the last note ends.

    Args:
        notes: of a piece.
        bar: length of a bar in seconds.
        positions: of a bar.
    """
    step = bar / positions
    start, end = (np.rint((notes[key] - notes["start"].min()) / step).astype(np.int64) for key in ("start", "end"))
    onsets = np.zeros((int(end.max()) // positions + 1, positions), np.bool_)
    onsets.reshape(-1)[np.minimum(start, onsets.size - 1)] = True
    return onsets


def consistency(onsets: BoolArray) -> float:
    """Return the share of positions that agree in neighbouring bars, 0 to 1; ``groove_consistency`` of MusPy.

    Args:
        onsets: of at least two bars, [bars, positions].
    """
    return float(np.mean(onsets[1:] == onsets[:-1]))


def similarity(onsets: BoolArray) -> float:
    """Return the share of positions that agree in every two bars, 0 to 1.

    "Grooving pattern similarity" of Wu and Yang over all pairs of bars; their program draws 1,000 pairs where there are
    more.

    Args:
        onsets: of at least two bars, [bars, positions].
    """
    bars = len(onsets)
    filled = onsets.sum(axis=0)
    differing = (filled * (bars - filled)).mean() / (bars * (bars - 1) / 2)
    return float(1 - differing)


def periodicity(onsets: BoolArray, shortest: int, longest: int) -> float:
    """Return the largest correlation of the onsets with the same onsets some positions later, -1 to 1.

    Bars agree mostly where both have no onset, so agreement is high in any music with few notes for its positions. The
    correlation is 0 for onsets at random, however many there are.

    Args:
        onsets: of all bars, [bars, positions].
        shortest: the smallest shift that is tried, in positions.
        longest: the largest one; shifts beyond half of the piece are not tried.

    Returns:
        The correlation; 0 if the piece is too short or has an onset everywhere.
    """
    line = onsets.reshape(-1).astype(np.float64)
    line = line[: int(line.nonzero()[0][-1]) + 1]
    found = [_correlation(line[shift:], line[:-shift]) for shift in range(shortest, min(longest, len(line) // 2) + 1)]
    return max(found, default=0.0)


def _correlation(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale else 0.0
