"""A renderer of the settings for piano: the habits that the prelude of ``bach-prelude`` is played with.

- Tempo: the last bar of each phrase slows; the length of a sixteenth grows with the square of the position
  (B. H. Repp, "A constraint on the expressive timing of a melodic gesture", Music Perception 10, 1992).
- Loudness: an arch over each phrase (N. P. McA. Todd, "The dynamics of dynamics", JASA 91, 1992), weight on beats,
  the melody louder than what is below it, and higher notes louder (A. Friberg, R. Bresin, J. Sundberg, "Overview of
  the KTH rule system for musical performance", Advances in Cognitive Psychology 2, 2006).
- Articulation: melodies nearly full, the left hand detached; in the first verse the pedal changes with the chord.

The result is bit-identical everywhere, as that of :mod:`ablate_folk.render`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.music.performance import SUSTAIN, Performance, make_notes, make_pedals
from ablate_folk.piano import MIDDLE_C, VERSES, setting
from ablate_folk.render import noise, released, whole
from ablate_folk.tunes import tunes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array
    from ablate_folk.options import PianoOptions
    from ablate_folk.tunes import Tune

#: How much longer the last sixteenth of a phrase is, and that of the piece, as a share.
_SLOWING, _LAST_SLOWING = 0.10, 0.50
_VELOCITY, _MELODY = 52.0, 14.0  # of the left hand, and what the melody has above it
_ARCH = 10.0  # velocity, from the ends of a phrase to its middle
_BAR, _BEAT = 6.0, 3.0  # velocity, on the first beat of a bar and on the others
_HIGH_LOUD = 0.2  # velocity for each semitone above middle C
_VELOCITIES = (25, 110)
_HELD, _DETACHED = 0.98, 0.85  # sounding share of a written length
_PEDAL_DELAY = 90_000  # microseconds, from the chord to the pedal


class FolkPiano(ablate.Corpus):
    """The corpus of twelve tunes for piano."""

    def __init__(self, options: PianoOptions) -> None:
        self._options = options

    def identity(self) -> str:
        """Return the name and the options; the component's version covers tunes and renderer."""
        return f"folk-piano {self._options}"

    def load(self) -> Sequence[Performance]:
        """Return one performance for each tune."""
        return [play(tune, number, self._options) for number, tune in enumerate(tunes())]


def play(tune: Tune, number: int, options: PianoOptions) -> Performance:
    """Play the setting of a tune.

    Args:
        tune: the tune.
        number: its number, for noise of its own.
        options: of the corpus.

    Returns:
        Notes in canonical order, times in whole microseconds from 0 s, no two notes of one pitch sounding together;
        and sustain-pedal events.
    """
    notes = setting(tune)
    pitch, onset, length, melodic = np.array(notes).T
    edges = _timeline(tune, options)
    unevenness = noise(options.seed + 1000 * number, len(notes))
    # less than a third of a sixteenth; otherwise fast notes would change their order
    limit = 0.3 * (edges[1] - edges[0])
    start = np.maximum(edges[onset] + whole(np.clip(options.timing_noise * 1e6 * unevenness[0], -limit, limit)), 0)
    share = np.where(melodic == 1, _HELD, _DETACHED)
    end = start + whole(share * (edges[onset + length] - edges[onset]))
    loud = _velocities(tune, pitch, onset) + _MELODY * melodic + options.velocity_noise * unevenness[1]
    return Performance(
        make_notes(
            pitch=pitch,
            velocity=np.clip(whole(loud), *_VELOCITIES),
            start=start / 1e6,
            end=released(pitch, start, end) / 1e6,
        ),
        _pedals(tune, edges),
        name=tune.name,
    ).canonical()


def _phrase_ends(tune: Tune) -> Array:
    """Return the ends of the phrases of both verses, in sixteenths."""
    return np.cumsum(np.tile(tune.phrases, VERSES)) * tune.bar


def _timeline(tune: Tune, options: PianoOptions) -> Array:
    """Return microseconds, int64, at each sixteenth and at the end: shape [sixteenths + 1]."""
    ends = _phrase_ends(tune)
    position = np.arange(1, tune.bar + 1) / tune.bar
    factors = np.ones(ends[-1])
    for end in ends:
        slowing = _LAST_SLOWING if end == ends[-1] else _SLOWING
        factors[end - tune.bar : end] += options.rubato * slowing * position * position
    sixteenth = 60e6 / (tune.tempo * options.tempo * tune.beat)
    return np.concatenate([[0], np.cumsum(whole(sixteenth * factors))])


def _velocities(tune: Tune, pitch: Array, onset: Array) -> Array:
    """Return velocities before noise, float64, for notes that start at the sixteenths ``onset``."""
    ends = _phrase_ends(tune)
    begins = np.concatenate([[0], ends[:-1]])
    phrase = np.searchsorted(ends, onset, side="right")
    position = (onset - begins[phrase]) / (ends - begins)[phrase]
    arch = _ARCH * (4 * position * (1 - position) - 0.5)
    metre = np.where(onset % tune.bar == 0, _BAR, np.where(onset % tune.beat == 0, _BEAT, 0.0))
    return np.asarray(_VELOCITY + arch + metre + _HIGH_LOUD * (pitch - MIDDLE_C))


def _pedals(tune: Tune, edges: Array) -> Array:
    """Return pedal events of the first verse: down after each chord has begun, up with the next one."""
    begins = edges[[chord.onset for chord in tune.chords]]
    ends = edges[[chord.onset + chord.length for chord in tune.chords]]
    times = np.stack([begins + _PEDAL_DELAY, ends], axis=1).ravel() / 1e6
    return make_pedals(time=times, controller=SUSTAIN, value=np.tile([127, 0], len(begins)))
