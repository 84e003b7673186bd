"""The self-similarity of a piece in pitch class, frame by frame.

The steps are those of the program of Wu and Yang (GitHub, slSeanWU/MusDr, ``ssm_features.py`` by M. Müller and others),
which starts with a recording; here the chroma comes from the notes. Differences:

- chroma is the time that notes of each pitch class sound within a window, without overtones, loudness or pedals;
- repetitions at another tempo are found by the steps of a path only (:mod:`ablate_structure.scape`), not also by
  stretching the matrix: seven stretched matrices cost seven times the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import Array, FloatArray

    Notes = Array

#: Share of the cells that are kept, and the value of all others; those of Wu and Yang.
KEPT, PENALTY = 0.25, -2.0
#: Norm below which a frame counts as silent.
_SILENCE = 1e-3


def chroma(notes: Notes, rate: float, window: float, frames: int) -> FloatArray:
    """Return the chroma of each frame, of norm 1, float64 [frames, 12]; all pitch classes are equal in silence.

    Args:
        notes: array of :data:`ablate.music.performance.NOTE_DTYPE`, at least one note and no drums; time is from the
            first onset.
        rate: frames per second.
        window: seconds around the time of a frame in which notes count.
        frames: their number.
    """
    times = np.arange(frames) / rate + notes["start"].min()
    notes = notes[notes["start"] < times[-1] + window / 2]
    lengths = notes["end"] - notes["start"]
    after_fn, before_fn = (np.clip(times[:, None] + side * window / 2 - notes["start"], 0, lengths) for side in (1, -1))
    of_class_nc = notes["pitch"][:, None] % 12 == np.arange(12)
    found = (after_fn - before_fn) @ of_class_nc
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    columns: FloatArray = np.where(norms > _SILENCE * window, found / np.where(norms == 0, 1, norms), 12**-0.5)
    return columns


def self_similarity(chroma: FloatArray, smoothing: int) -> FloatArray:
    """Return the similarity of every two frames, at best 1, where one may be transposed, float64 [frames, frames].

    The cosine of the angle between frames is averaged over the next ``smoothing`` frames of both and over the last
    ones; the larger average counts, and the largest over twelve transpositions. Of all cells the largest quarter is
    kept and scaled to 0 to 1; the others are -2, and the diagonal is 1.

    Args:
        chroma: float64 [frames, 12].
        smoothing: frames.
    """
    best = np.zeros((len(chroma), len(chroma)))
    for shift in range(12):
        cells = np.roll(chroma, shift, axis=1) @ chroma.T
        for each in (cells, cells[::-1, ::-1]):
            smoothed = _ahead(each, smoothing)
            np.maximum(best, smoothed if each is cells else smoothed[::-1, ::-1], out=best)
    return _thresholded(best)


def _ahead(cells: FloatArray, smoothing: int) -> FloatArray:
    """Return the mean of each cell and the next ones on its diagonal; cells beyond the edge are 0."""
    padded = np.pad(cells, ((0, smoothing), (0, smoothing)))
    frames = len(cells)
    shifted = np.stack([padded[i : i + frames, i : i + frames] for i in range(smoothing)])
    means: FloatArray = shifted.mean(axis=0)
    return means


def _thresholded(cells: FloatArray) -> FloatArray:
    lost = round(cells.size * (1 - KEPT))
    least = np.partition(cells.ravel(), lost)[lost]
    span = cells.max() - least
    scaled: FloatArray = (cells - least) / span if span > 0 else np.ones_like(cells)
    scaled[cells < least] = PENALTY
    np.fill_diagonal(scaled, 1.0)
    return scaled
