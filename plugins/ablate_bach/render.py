"""A renderer of the score: a pianist with a few documented habits, and a little unevenness.

- Tempo: each phrase slows towards its end; the length of a sixteenth grows with the square of the position
  (B. H. Repp, "A constraint on the expressive timing of a melodic gesture", Music Perception 10, 1992).
- Loudness: an arch over each phrase (N. P. McA. Todd, "The dynamics of dynamics", JASA 91, 1992), weight on strong
  beats, and higher notes louder (A. Friberg, R. Bresin, J. Sundberg, "Overview of the KTH rule system for musical
  performance", Advances in Cognitive Psychology 2, 2006).
- Articulation: sixteenths a little detached, held notes nearly full. The pedal changes just after each bar line.

The result is bit-identical everywhere: times are whole microseconds, and the noise is a sum of whole numbers from a
bit generator. NumPy guarantees the stream of the generator, but not those of its distributions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import ablate
from ablate.music.performance import SUSTAIN, Performance, make_notes, make_pedals
from ablate_bach.score import BARS, SIXTEENTHS, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array
    from ablate_bach.options import PreludeOptions


class _Phrase(NamedTuple):
    last_bar: int  # counted from 1
    slowing_bars: int
    slowing: float  # how much longer its last sixteenth is, as a share
    velocity: float


_PHRASES = (
    _Phrase(4, 1, 0.06, 54.0),  # the key is stated
    _Phrase(11, 1, 0.10, 58.0),  # to the dominant
    _Phrase(19, 1, 0.12, 62.0),  # and back, an octave lower
    _Phrase(23, 1, 0.08, 68.0),  # towards the dominant again
    _Phrase(31, 1, 0.15, 65.0),  # over its pedal point
    _Phrase(35, 3, 0.60, 53.0),  # home
)
# Velocity added on each sixteenth of a bar: bar line, half bar, quarters, eighths, other sixteenths.
_METRE = np.array([6, -2, 0, -2, 2, -2, 0, -2, 4, -2, 0, -2, 2, -2, 0, -2])
_ARCH = 10.0  # velocity, from the ends of a phrase to its middle
_HIGH_LOUD = 0.2  # velocity for each semitone above middle C
_VELOCITIES = (30, 100)
_DETACHED, _HELD = 0.92, 0.98  # sounding share of a written length
_GAP = 10_000  # microseconds, between two notes of one pitch
_PEDAL_DELAY = 90_000  # microseconds, from the bar line to the pedal


class Prelude(ablate.Corpus):
    """The corpus whose only performance is the prelude."""

    def __init__(self, options: PreludeOptions) -> None:
        self._options = options

    def identity(self) -> str:
        """Return the piece and the options; the component's version covers the renderer."""
        return f"bwv846 {self._options}"

    def load(self) -> Sequence[Performance]:
        """Return the performance."""
        return [render(self._options)]


def render(options: PreludeOptions) -> Performance:
    """Play the prelude.

    Returns:
        549 notes in canonical order, MIDI pitches 36 to 81, times in whole microseconds from 0 s, no two notes of one
        pitch sounding together; and sustain-pedal events.
    """
    pitch, onset, length = np.array(score()).T
    edges = _timeline(options)
    unevenness = _noise(options.seed, len(pitch))
    # Less than a third of a sixteenth; otherwise fast notes would change their order.
    limit = 0.3 * (edges[1] - edges[0])
    delay = np.clip(options.timing_noise * 1e6 * unevenness[0], -limit, limit)
    start = np.maximum(_whole(edges[onset] + delay), 0)
    share = np.where(length == 1, _DETACHED, _HELD)
    end = start + _whole(share * (edges[onset + length] - edges[onset]))
    velocity = np.clip(_whole(_velocities(pitch, onset) + options.velocity_noise * unevenness[1]), *_VELOCITIES)
    notes = make_notes(pitch=pitch, velocity=velocity, start=start / 1e6, end=_released(pitch, start, end) / 1e6)
    return Performance(notes, _pedals(edges), name="bach-prelude").canonical()


def _whole(values: Array) -> Array:
    return np.rint(values).astype(np.int64)


def _timeline(options: PreludeOptions) -> Array:
    """Return microseconds, int64, at each sixteenth and at the end: shape [sixteenths + 1]."""
    factors = np.ones(BARS * SIXTEENTHS)
    for phrase in _PHRASES:
        end, count = phrase.last_bar * SIXTEENTHS, phrase.slowing_bars * SIXTEENTHS
        position = np.arange(1, count + 1) / count
        factors[end - count : end] += options.rubato * phrase.slowing * position * position
    sixteenth = 60e6 / (4 * options.tempo)
    return np.concatenate([[0], np.cumsum(_whole(sixteenth * factors))])


def _velocities(pitch: Array, onset: Array) -> Array:
    """Return velocities before noise, float64, for notes that start at the sixteenths ``onset``."""
    ends = np.array([phrase.last_bar * SIXTEENTHS for phrase in _PHRASES])
    begins = np.concatenate([[0], ends[:-1]])
    phrase = np.searchsorted(ends, onset, side="right")
    position = (onset - begins[phrase]) / (ends - begins)[phrase]
    levels = np.array([phrase.velocity for phrase in _PHRASES])[phrase]
    arch = _ARCH * (4 * position * (1 - position) - 0.5)
    return np.asarray(levels + arch + _METRE[onset % SIXTEENTHS] + _HIGH_LOUD * (pitch - 60))


def _released(pitch: Array, start: Array, end: Array) -> Array:
    """Return the ends, moved forward where the same pitch is struck again too soon afterwards."""
    order = np.lexsort((start, pitch))
    limits = np.append(start[order][1:] - _GAP, np.iinfo(np.int64).max)
    limits[np.append(pitch[order][1:] != pitch[order][:-1], True)] = np.iinfo(np.int64).max
    released = end.copy()
    released[order] = np.minimum(end[order], limits)
    return released


def _pedals(edges: Array) -> Array:
    """Return pedal events: down after each bar line, up at the next one, so that harmonies do not blur."""
    bars = edges[::SIXTEENTHS]
    times = np.stack([bars[:-1] + _PEDAL_DELAY, bars[1:]], axis=1).ravel() / 1e6
    return make_pedals(time=times, controller=SUSTAIN, value=np.tile([127, 0], BARS))


def _noise(seed: int, notes: int) -> Array:
    """Return two rows of nearly normal numbers, mean 0 and standard deviation 1: exact sums of twelve uniform ones."""
    raw = np.random.PCG64(seed).random_raw(2 * notes * 12).reshape(2, notes, 12)
    total = (raw >> np.uint64(32)).astype(np.int64).sum(axis=-1)
    return np.asarray((total - 6 * 2**32) / 2**32)
