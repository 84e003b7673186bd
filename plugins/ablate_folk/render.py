"""A renderer of the arrangements, in strict time with a little unevenness.

The result is bit-identical everywhere: times are whole microseconds, and the noise is a sum of whole numbers from a
bit generator. NumPy guarantees the stream of the generator, but not those of its distributions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.music.performance import DRUMS, Performance, make_notes
from ablate_folk.arrange import NAMES, arrangement
from ablate_folk.tunes import tunes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array
    from ablate_folk.options import FolkOptions
    from ablate_folk.tunes import Tune

_ARRANGED = ("auld-lang-syne", "scarborough-fair", "greensleeves", "sakura")
_SOUNDING = 0.94  # share of a written length
_GAP = 10_000  # microseconds, between two notes of one pitch and instrument
_VELOCITIES = (20, 120)
_ACCENT = 6  # velocity, on the first beat of a bar
_DRUMS_TIMING = 0.5  # drummers are steadier


class FolkTunes(ablate.Corpus):
    """The corpus of four arranged tunes."""

    def __init__(self, options: FolkOptions) -> None:
        self._options = options

    def identity(self) -> str:
        """Return the name and the options; the component's version covers tunes and renderer."""
        return f"folk-tunes {self._options}"

    def load(self) -> Sequence[Performance]:
        """Return one performance for each tune."""
        return [render(tune, number, self._options) for number, tune in enumerate(arranged())]


def arranged() -> list[Tune]:
    """Return the tunes that are arranged."""
    return [tune for tune in tunes() if tune.name in _ARRANGED]


def render(tune: Tune, number: int, options: FolkOptions) -> Performance:
    """Play an arranged tune.

    Args:
        tune: the tune.
        number: its number, for noise of its own.
        options: of the corpus.

    Returns:
        Notes of five instruments in canonical order, times in whole microseconds from 0 s; no two notes of one pitch
        and instrument sound together.
    """
    instrument, pitch, velocity, onset, length = np.array(arrangement(tune)).T
    sixteenth = 60e6 / (tune.tempo * options.tempo * tune.beat)
    unevenness = noise(options.seed + 1000 * number, len(pitch))
    steadiness = np.where(instrument == DRUMS, _DRUMS_TIMING, 1.0)
    # less than a third of a sixteenth; otherwise fast notes would change their order
    limit = 0.3 * sixteenth
    delay = np.clip(options.timing_noise * 1e6 * steadiness * unevenness[0], -limit, limit)
    start = np.maximum(whole(onset * sixteenth + delay), 0)
    end = start + whole(_SOUNDING * length * sixteenth)
    accent = _ACCENT * (onset % tune.bar == 0)
    velocity = np.clip(velocity + accent + whole(options.velocity_noise * unevenness[1]), *_VELOCITIES)
    end = released(128 * instrument + pitch, start, end)
    notes = make_notes(pitch=pitch, velocity=velocity, start=start / 1e6, end=end / 1e6, instrument=instrument)
    return Performance(notes, name=tune.name, track_names=NAMES).canonical()


def whole(values: Array) -> Array:
    """Return the nearest whole numbers, int64."""
    return np.rint(values).astype(np.int64)


def released(key: Array, start: Array, end: Array) -> Array:
    """Return the ends, moved forward where the same key is struck again too soon afterwards."""
    order = np.lexsort((start, key))
    following = np.append(start[order][1:], 0)
    repeated = np.append(key[order][1:] == key[order][:-1], False)
    latest = np.where(repeated, np.maximum(following - _GAP, start[order] + 1), end[order])
    moved = end.copy()
    moved[order] = np.minimum(end[order], latest)
    return moved


def noise(seed: int, notes: int) -> Array:
    """Return two rows of nearly normal numbers, mean 0 and standard deviation 1: exact sums of twelve uniform ones."""
    raw = np.random.PCG64(seed).random_raw(2 * notes * 12).reshape(2, notes, 12)
    total = (raw >> np.uint64(32)).astype(np.int64).sum(axis=-1)
    return np.asarray((total - 6 * 2**32) / 2**32)
