"""Tunes: melodies with chords, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ablate_folk.melodies import WRITTEN

if TYPE_CHECKING:
    from ablate_folk.melodies import Written

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "b": -1}
_QUALITIES = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 10)}


class Tune(NamedTuple):
    """A melody with its chords.

    Attributes:
        name: of the piece.
        beat: the length of a beat in sixteenths.
        beats: the number of beats in a bar.
        tempo: beats a minute.
        phrases: the numbers of bars in its phrases; the bar of a pickup belongs to the first one.
        melody: its notes.
        chords: the chords, without a gap.
    """

    name: str
    beat: int
    beats: int
    tempo: float
    phrases: tuple[int, ...]
    melody: tuple[Melodic, ...]
    chords: tuple[Chord, ...]

    @property
    def bar(self) -> int:
        """The length of a bar in sixteenths."""
        return self.beat * self.beats

    @property
    def length(self) -> int:
        """The length of the tune in sixteenths."""
        return self.chords[-1].onset + self.chords[-1].length


class Melodic(NamedTuple):
    """A note of a melody: MIDI pitch; onset and length in sixteenths."""

    pitch: int
    onset: int
    length: int


class Chord(NamedTuple):
    """A chord: the pitch classes of its root, third and fifth (or seventh); onset and length in sixteenths."""

    tones: tuple[int, ...]
    onset: int
    length: int


def tunes() -> tuple[Tune, ...]:
    """Return all tunes."""
    return tuple(_tune(name, written) for name, written in WRITTEN.items())


def chord_at(tune: Tune, onset: int) -> Chord:
    """Return the chord that sounds at a sixteenth."""
    return next(chord for chord in reversed(tune.chords) if chord.onset <= onset)


def _tune(name: str, written: Written) -> Tune:
    beat, beats = written.metre
    notes, onset = [], 0
    for word in written.melody.replace("|", "").split():
        pitch, length = word.split(".")
        if pitch != "r":
            notes.append(Melodic(_pitch(pitch), onset, int(length)))
        onset += int(length)
    harmony = [
        Chord(_tones(each), bar * beat * beats + half * (beat * beats // 2), beat * beats // len(names))
        for bar, names in enumerate(word.split("-") for word in written.chords.split())
        for half, each in enumerate(names)
    ]
    return Tune(name, beat, beats, written.tempo, written.phrases, tuple(notes), tuple(harmony))


def _pitch(name: str) -> int:
    return _STEPS[name[0]] + _ACCIDENTALS[name[1:-1]] + 12 * (int(name[-1]) + 1)


def _tones(name: str) -> tuple[int, ...]:
    root = name[:2] if name[1:2] in ("#", "b") else name[:1]
    base = _STEPS[root[0]] + _ACCIDENTALS[root[1:]]
    return tuple((base + step) % 12 for step in _QUALITIES[name[len(root) :]])
