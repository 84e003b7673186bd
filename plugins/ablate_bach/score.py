"""The score of Bach's Prelude in C major, BWV 846 (The Well-Tempered Clavier I, 1722), in 35 bars.

Bars 1 to 32 are one chord of five notes each, broken the same way in both halves of the bar; bars 33 and 34 are written
out, 35 is the closing chord. C4 is middle C, MIDI pitch 60.
"""

from __future__ import annotations

from typing import NamedTuple

SIXTEENTHS = 16  # in a bar
BARS = 35

_CHORDS = """
     1 C4 E4 G4 C5 E5      2 C4 D4 A4 D5 F5      3 B3 D4 G4 D5 F5      4 C4 E4 G4 C5 E5
     5 C4 E4 A4 E5 A5      6 C4 D4 F#4 A4 D5     7 B3 D4 G4 D5 G5      8 B3 C4 E4 G4 C5
     9 A3 C4 E4 G4 C5     10 D3 A3 D4 F#4 C5    11 G3 B3 D4 G4 B4     12 G3 Bb3 E4 G4 C#5
    13 F3 A3 D4 A4 D5     14 F3 Ab3 D4 F4 B4    15 E3 G3 C4 G4 C5     16 E3 F3 A3 C4 F4
    17 D3 F3 A3 C4 F4     18 G2 D3 G3 B3 F4     19 C3 E3 G3 C4 E4     20 C3 G3 Bb3 C4 E4
    21 F2 F3 A3 C4 E4     22 F#2 C3 A3 C4 Eb4   23 Ab2 F3 B3 C4 D4    24 G2 F3 G3 B3 D4
    25 G2 E3 G3 C4 E4     26 G2 D3 G3 C4 F4     27 G2 D3 G3 B3 F4     28 G2 Eb3 A3 C4 F#4
    29 G2 E3 G3 C4 G4     30 G2 D3 G3 C4 F4     31 G2 D3 G3 B3 F4     32 C2 C3 G3 Bb3 E4
"""
# Which note of the chord each sixteenth of a half bar strikes.
_PATTERN = (0, 1, 2, 3, 4, 2, 3, 4)
_BAR_33 = "C2 C3 F3 A3 C4 F4 C4 A3 C4 A3 F3 A3 F3 D3 F3 D3"
_BAR_34 = "C2 B2 G4 B4 D5 F5 D5 B4 D5 B4 G4 B4 D4 F4 E4 D4"
_BAR_35 = "C2 C3 E4 G4 C5"

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "b": -1}


class ScoreNote(NamedTuple):
    """A note as written: MIDI pitch; onset and length in sixteenths, the onset from the beginning of the piece."""

    pitch: int
    onset: int
    length: int


def score() -> list[ScoreNote]:
    """Return the 549 notes of the piece by onset; those of the closing chord from the lowest up."""
    words = _CHORDS.split()
    chords = [_pitches(words[i + 1 : i + 6]) for i in range(0, len(words), 6)]
    notes: list[ScoreNote] = []
    for bar, chord in enumerate(chords):
        for half in (0, SIXTEENTHS // 2):
            notes += _broken([chord[i] for i in _PATTERN], bar * SIXTEENTHS + half)
    for bar, text in ((32, _BAR_33), (33, _BAR_34)):
        notes += _broken(_pitches(text.split()), bar * SIXTEENTHS)
    notes += [ScoreNote(pitch, 34 * SIXTEENTHS, SIXTEENTHS) for pitch in _pitches(_BAR_35.split())]
    return notes


def _broken(pitches: list[int], onset: int) -> list[ScoreNote]:
    """Return one note for each sixteenth; the first two are held to the end of the group."""
    return [ScoreNote(pitch, onset + i, len(pitches) - i if i < 2 else 1) for i, pitch in enumerate(pitches)]


def _pitches(names: list[str]) -> list[int]:
    return [_STEPS[name[0]] + _ACCIDENTALS[name[1:-1]] + 12 * (int(name[-1]) + 1) for name in names]
