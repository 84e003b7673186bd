"""Four traditional melodies with chords.

A note is a pitch (C4 is middle C, MIDI pitch 60) or a rest, ``r``, and its length in sixteenths; bars end with ``|``.
The first bar of a tune is the one before its pickup. There are one or two chords in a bar.

Auld Lang Syne is Scottish (the tune was printed in 1799), Greensleeves English (before 1580), Scarborough Fair English,
Sakura Japanese (Edo period). All are in the public domain.
"""

from __future__ import annotations

from typing import NamedTuple

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
        melody: its notes.
        chords: the chords, without a gap.
    """

    name: str
    beat: int
    beats: int
    tempo: float
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


_AULD_LANG_SYNE = """
    r.12 C4.4 |
    F4.6 F4.2 F4.4 A4.4 | G4.6 F4.2 G4.4 A4.4 | F4.6 F4.2 A4.4 C5.4 | D5.12 D5.4 |
    C5.6 A4.2 A4.4 F4.4 | G4.6 F4.2 G4.4 A4.4 | F4.6 D4.2 D4.4 C4.4 | F4.12 D5.4 |
    C5.6 A4.2 A4.4 F4.4 | G4.6 F4.2 G4.4 D5.4 | C5.6 A4.2 A4.4 C5.4 | D5.12 D5.4 |
    C5.6 A4.2 A4.4 F4.4 | G4.6 F4.2 G4.4 A4.4 | F4.6 D4.2 D4.4 C4.4 | F4.12 r.4 |
"""
_AULD_LANG_SYNE_CHORDS = "F  F C7 F Bb  F C7 Bb-C7 F  F C7 F Bb  F C7 Bb-C7 F"

_SCARBOROUGH_FAIR = """
    E4.8 E4.4 | B4.4 B4.4 B4.4 | F#4.6 G4.2 F#4.4 | E4.12 |
    r.4 B4.4 D5.4 | E5.8 D5.4 | B4.4 C#5.4 A4.4 | B4.12 | r.8 E5.4 |
    E5.8 E5.4 | D5.8 B4.4 | B4.4 A4.4 G4.4 | F#4.4 D4.8 |
    E4.8 B4.4 | A4.8 G4.4 | F#4.4 E4.4 D4.4 | E4.12 | r.12 |
"""
_SCARBOROUGH_FAIR_CHORDS = "Em Em D Em  Em G A Em Em  G G G D  Em D D Em Em"

_GREENSLEEVES = """
    r.10 A4.2 |
    C5.4 D5.2 E5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.4 A4.2 A4.3 G#4.1 A4.2 | B4.4 G#4.2 E4.4 A4.2 |
    C5.4 D5.2 E5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.3 B4.1 A4.2 G#4.3 F#4.1 G#4.2 | A4.6 A4.6 |
    G5.6 G5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.4 A4.2 A4.3 G#4.1 A4.2 | B4.4 G#4.2 E4.6 |
    G5.6 G5.3 F#5.1 E5.2 | D5.4 B4.2 G4.3 A4.1 B4.2 | C5.3 B4.1 A4.2 G#4.3 F#4.1 G#4.2 | A4.10 r.2 |
"""
_GREENSLEEVES_CHORDS = "Am  Am G Am E  Am G Am-E Am  C G Am E  C G Am-E Am"

_SAKURA = """
    A4.4 A4.4 B4.8 | A4.4 A4.4 B4.8 | A4.4 B4.4 C5.4 B4.4 | A4.4 B4.2 A4.2 F4.8 |
    E4.4 C4.4 E4.4 F4.4 | E4.4 E4.2 C4.2 B3.8 | A4.4 B4.4 C5.4 B4.4 | A4.4 B4.2 A4.2 F4.8 |
    E4.4 C4.4 E4.4 F4.4 | E4.4 E4.2 C4.2 B3.8 | A4.4 A4.4 B4.8 | A4.4 A4.4 B4.8 |
    E4.4 F4.4 B4.2 A4.2 F4.4 | E4.12 r.4 |
"""
_SAKURA_CHORDS = "Am Am Am F  Am Em Am F  Am Em Am Am  F Em"


#: The written melodies by the name of their tune.
MELODIES = {
    "auld-lang-syne": _AULD_LANG_SYNE,
    "scarborough-fair": _SCARBOROUGH_FAIR,
    "greensleeves": _GREENSLEEVES,
    "sakura": _SAKURA,
}


def tunes() -> tuple[Tune, ...]:
    """Return the four tunes."""
    return (
        _tune("auld-lang-syne", (4, 4), 116, _AULD_LANG_SYNE_CHORDS),
        _tune("scarborough-fair", (4, 3), 138, _SCARBOROUGH_FAIR_CHORDS),
        _tune("greensleeves", (6, 2), 66, _GREENSLEEVES_CHORDS),
        _tune("sakura", (4, 4), 96, _SAKURA_CHORDS),
    )


def _tune(name: str, metre: tuple[int, int], tempo: float, chords: str) -> Tune:
    beat, beats = metre
    notes, onset = [], 0
    for word in MELODIES[name].replace("|", "").split():
        pitch, length = word.split(".")
        if pitch != "r":
            notes.append(Melodic(_pitch(pitch), onset, int(length)))
        onset += int(length)
    harmony = [
        Chord(_tones(each), bar * beat * beats + half * (beat * beats // 2), beat * beats // len(names))
        for bar, names in enumerate(word.split("-") for word in chords.split())
        for half, each in enumerate(names)
    ]
    return Tune(name, beat, beats, tempo, tuple(notes), tuple(harmony))


def _pitch(name: str) -> int:
    return _STEPS[name[0]] + _ACCIDENTALS[name[1:-1]] + 12 * (int(name[-1]) + 1)


def _tones(name: str) -> tuple[int, ...]:
    root = name[:2] if name[1:2] in ("#", "b") else name[:1]
    base = _STEPS[root[0]] + _ACCIDENTALS[root[1:]]
    return tuple((base + step) % 12 for step in _QUALITIES[name[len(root) :]])
