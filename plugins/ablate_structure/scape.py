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

    from ablate.arrays import Array, BoolArray, FloatArray, IntArray

#: Cells and covered frames are carried in one integer, the cells above this many bits.
_BITS = 32


class _Row(NamedTuple):
    """Best path families whose latest path is in a row of the matrix, by column, length and start of a segment.

    Attributes:
        score: sum of the cells, ``-inf`` without a path, [columns, lengths, starts].
        extent: cells and, below :data:`_BITS`, the frames covered by earlier paths minus the first row of the latest.
    """

    score: FloatArray
    extent: IntArray


def fitness(similarity: FloatArray, lengths: Sequence[int]) -> FloatArray:
    """Return the fitness of every segment of some lengths, float64 [lengths, frames].

    Entry ``[i, s]`` is that of the segment of ``lengths[i]`` frames that starts at frame ``s``; ``-inf`` where that
    segment would reach beyond the end. Where families of different extent have an equal sum, the steps (1, 1), (2, 1)
    and (1, 2) take precedence in this order, as in the public program.

    Args:
        similarity: self-similarity matrix with 1 on its diagonal and no value above 1, [frames, frames].
        lengths: from 1 to the number of frames.
    """
    frames, longest, starts = len(similarity), max(lengths), len(similarity) - min(lengths) + 1
    padded = np.pad(similarity, ((0, 0), (0, longest)))
    # of each row the cells of a segment's columns, by start
    cells_nms = np.lib.stride_tricks.sliding_window_view(padded, starts, axis=1)[:, :longest]
    last = np.array(lengths) - 1, np.arange(len(lengths))  # column of each length
    shape = (longest, len(lengths), starts)
    latest, before, spare = (_Row(np.full(shape, -np.inf), np.zeros(shape, np.int64)) for _ in range(3))
    larger = np.empty(shape, np.bool_)
    # families none of whose paths runs now
    idle, covered = np.zeros(shape[1:]), np.zeros(shape[1:], np.int64)
    for n in range(frames):
        if n:
            idle, covered = _finish(latest, last, idle, covered, n - 1)
            _step(spare, latest, before, cells_nms[n, 1:, None], larger)
            latest, before, spare = spare, latest, before
        latest.score[0] = idle + cells_nms[n, 0]
        latest.extent[0] = covered + (1 << _BITS) - n
    ends = latest.score[last] >= idle
    score, extent = _finish(latest, last, np.where(ends, -np.inf, idle), covered, frames - 1)
    found = np.full((len(lengths), frames), -np.inf)
    found[:, :starts] = _harmonic(score, extent, np.array(lengths)[:, None], frames)
    found[np.arange(frames) > frames - np.array(lengths)[:, None]] = -np.inf
    return found


def _step(row: _Row, latest: _Row, before: _Row, cells: Array, larger: BoolArray) -> None:
    """Fill all columns of a row but the first with the continuations of paths; ``larger`` is scratch space."""
    score, extent, mask = row.score[1:], row.extent[1:], larger[1:]
    np.greater(before.score[:-1], latest.score[:-1], out=mask)
    np.maximum(before.score[:-1], latest.score[:-1], out=score)
    np.copyto(extent, latest.extent[:-1])
    np.copyto(extent, before.extent[:-1], where=mask)
    np.greater(latest.score[:-2], score[1:], out=mask[1:])
    np.maximum(latest.score[:-2], score[1:], out=score[1:])
    np.copyto(extent[1:], latest.extent[:-2], where=mask[1:])
    score += cells
    extent += 1 << _BITS


def _finish(
    row: _Row, last: tuple[IntArray, IntArray], idle: FloatArray, covered: IntArray, n: int
) -> tuple[FloatArray, IntArray]:
    """Return the best of ending a path in row ``n`` and of none having run."""
    score, extent = row.score[last], row.extent[last] + n + 1
    larger = score > idle
    return np.where(larger, score, idle), np.where(larger, extent, covered)


def _harmonic(score: FloatArray, extent: IntArray, lengths: IntArray, frames: int) -> FloatArray:
    cells, covered = extent >> _BITS, extent & ((1 << _BITS) - 1)
    average = (score - lengths) / np.maximum(cells, 1)
    share = (covered - lengths) / frames
    total = average + share
    found: FloatArray = 2 * average * share / np.where(total == 0, 1, total)
    return found
