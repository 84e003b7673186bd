"""The fitness of segments of a piece: how well, and how much of, the piece is explained by repetitions of the segment.

M. Müller, P. Grosche and N. Jiang, "A segment-based fitness measure for capturing repetitive structures of music
recordings", ISMIR 2011. A segment's repetitions are paths through the columns of the self-similarity matrix that belong
to it, each from the segment's first frame to its last, one after another in time. A path steps by (1, 1), (2, 1) or
(1, 2) frames, so a repetition may be up to twice as fast or slow. The family of paths with the highest sum is found by
dynamic programming. With its sum, cells and covered frames reduced by those of the segment itself, the fitness is the
harmonic mean of the average sum of a cell and the covered share of the piece. A list of fitness by start and length is
called a scape plot.

S.-L. Wu and Y.-H. Yang use the program of Müller and Villar-Corrales (GitHub, slSeanWU/MusDr, ``scapeplot.py``). Two
slips of it are not reproduced: its sums may reach the second column of a segment directly from before the first, over a
cell that is not counted, and its backtracking does not allow the step (2, 1) from the first row although its sums use
it. With these two repaired, it gives the same numbers; a test compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array, FloatArray, IntArray

#: Number of cells and covered frames are carried in one integer, the cells above this many bits.
_BITS = 32


class _Row(NamedTuple):
    """Best path families that end in a row of the matrix, for each length and start of a segment.

    Attributes:
        score: sum of the cells, [lengths, starts, columns].
        extent: cells and, below :data:`_BITS`, the frames covered by earlier paths minus the first row of the latest.
    """

    score: FloatArray
    extent: IntArray


def fitness(similarity: FloatArray, lengths: Sequence[int]) -> FloatArray:
    """Return the fitness of every segment of some lengths, float64 [lengths, frames].

    Entry ``[i, s]`` is that of the segment of ``lengths[i]`` frames that starts at frame ``s``; ``-inf`` where that
    segment would reach beyond the end.

    Args:
        similarity: self-similarity matrix with 1 on its diagonal and no value above 1, [frames, frames].
        lengths: from 1 to the number of frames.
    """
    frames, longest = len(similarity), max(lengths)
    padded = np.pad(similarity, ((0, 0), (0, longest)))
    # of each row the cells of a segment's columns, by start
    cells_nsm = np.lib.stride_tricks.sliding_window_view(padded, longest, axis=1)[:, :frames]
    last = np.array(lengths)[:, None, None] - 1
    shape = (len(lengths), frames, longest)
    nothing = _Row(np.full(shape, -np.inf), np.zeros(shape, np.int64))
    # beside the segment: no path runs, after any number of finished paths
    beside, covered = np.zeros(shape[:2]), np.zeros(shape[:2], np.int64)
    before, row = nothing, _begin(nothing, cells_nsm[0], beside, covered, 0)
    for n in range(1, frames):
        beside, covered = _finish(row, last, beside, covered, n - 1)
        before, row = row, _begin(_step(row, before, cells_nsm[n]), cells_nsm[n], beside, covered, n)
    ends = np.take_along_axis(row.score, last, 2)[..., 0] >= beside
    score, extent = _finish(row, last, np.where(ends, -np.inf, beside), covered, frames - 1)
    return _harmonic(score, extent, np.array(lengths)[:, None], frames)


def _step(row: _Row, before: _Row, cells: Array) -> _Row:
    """Continue every path by one of the three steps to the next row; the first column stays empty."""
    score, extent = np.full_like(row.score, -np.inf), np.zeros_like(row.extent)
    best, held = score[..., 1:], extent[..., 1:]
    best[...], held[...] = row.score[..., :-1], row.extent[..., :-1]
    _take_larger(best, held, before.score[..., :-1], before.extent[..., :-1])
    _take_larger(best[..., 1:], held[..., 1:], row.score[..., :-2], row.extent[..., :-2])
    best += cells[:, 1:]
    held += 1 << _BITS
    return _Row(score, extent)


def _take_larger(score: FloatArray, extent: IntArray, other: FloatArray, its_extent: IntArray) -> None:
    larger = other > score
    np.copyto(score, other, where=larger)
    np.copyto(extent, its_extent, where=larger)


def _begin(row: _Row, cells: Array, beside: FloatArray, covered: IntArray, n: int) -> _Row:
    """Begin a new path in the first column of row ``n``."""
    row = _Row(row.score.copy(), row.extent.copy()) if n == 0 else row
    row.score[..., 0] = beside + cells[:, 0]
    row.extent[..., 0] = covered + (1 << _BITS) - n
    return row


def _finish(row: _Row, last: IntArray, beside: FloatArray, covered: IntArray, n: int) -> tuple[FloatArray, IntArray]:
    """Return the best of ending a path in row ``n`` and of none having run."""
    score = np.take_along_axis(row.score, last, 2)[..., 0]
    extent = np.take_along_axis(row.extent, last, 2)[..., 0] + n + 1
    larger = score > beside
    return np.where(larger, score, beside), np.where(larger, extent, covered)


def _harmonic(score: FloatArray, extent: IntArray, lengths: IntArray, frames: int) -> FloatArray:
    cells, covered = extent >> _BITS, extent & ((1 << _BITS) - 1)
    average = (score - lengths) / np.maximum(cells, 1)
    share = (covered - lengths) / frames
    total = average + share
    found: FloatArray = 2 * average * share / np.where(total == 0, 1, total)
    found[np.arange(frames) > frames - lengths] = -np.inf
    return found
