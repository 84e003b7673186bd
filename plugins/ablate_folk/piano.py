"""The setting for piano: two verses of a tune for two hands.

- First verse: the right hand has the melody, the left hand breaks the chords from their roots on, with the pedal.
- Second verse: the right hand adds a tone of the chord below the melody on the beats, the left hand plays the root on
  the first beat of a chord and the other tones after it, without pedal; the last bar is one chord.

The left hand stays below middle C and the right hand above, so that no two notes of a pitch sound together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ablate_folk.tunes import chord_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate_folk.tunes import Chord, Tune

VERSES = 2
MIDDLE_C = 60
#: Middle C and what is above it is for the right hand; roots begin at a low D.
_LOWEST_ROOT = 38
_NARROWEST = 3  # semitones between the two notes of the right hand


class PianoNote(NamedTuple):
    """A note as written: MIDI pitch; onset and length in sixteenths; whether it belongs to the melody."""

    pitch: int
    onset: int
    length: int
    melodic: bool = False


def setting(tune: Tune) -> list[PianoNote]:
    """Return the notes of both verses, part by part."""
    raised = 12 if min(note.pitch for note in tune.melody) < MIDDLE_C else 0
    notes: list[PianoNote] = []
    for verse, left in enumerate((_broken, _struck)):
        melody = [PianoNote(note.pitch + raised, note.onset, note.length, melodic=True) for note in tune.melody]
        lower = _lower_voice(tune, melody) if verse else ()
        begin = verse * tune.length
        notes += [note._replace(onset=note.onset + begin) for note in (*melody, *lower, *left(tune))]
    return notes


def _lower_voice(tune: Tune, melody: list[PianoNote]) -> Iterator[PianoNote]:
    """Yield the highest tone of the chord below each note of a melody on a beat, if it stays above middle C."""
    for note in melody:
        tones = [
            pitch
            for pitch in range(MIDDLE_C, note.pitch - _NARROWEST + 1)
            if pitch % 12 in chord_at(tune, note.onset).tones
        ]
        if tones and note.onset % tune.beat == 0:
            yield PianoNote(tones[-1], note.onset, note.length)


def _broken(tune: Tune) -> Iterator[PianoNote]:
    """Yield eighths: up and down the chord in triple time, around its middle in other time."""
    order = (0, 1, 2) if tune.beat == 6 else (0, 1, 2, 1, 2, 1) if tune.beats == 3 else (0, 2, 1, 2)
    for chord in tune.chords:
        tones = _tones(chord)
        for number, onset in enumerate(range(chord.onset, chord.onset + chord.length, 2)):
            yield PianoNote(tones[order[number % len(order)]], onset, 2)


def _struck(tune: Tune) -> Iterator[PianoNote]:
    """Yield the root on the first beat of a chord, and the other tones on the beats after it, or between them."""
    last = tune.chords[-1].onset
    for chord in tune.chords:
        root, *others = _tones(chord)
        if chord.onset == last:
            yield from (PianoNote(tone, chord.onset, chord.length) for tone in (root, *others))
            return
        # six-eight time has two beats of three eighths: the chord is on the last one of each
        step = 4 if tune.beat == 6 else tune.beat
        for begin in range(chord.onset, chord.onset + chord.length, tune.bar if tune.beat == 4 else tune.beat):
            end = min(begin + (tune.bar if tune.beat == 4 else tune.beat), chord.onset + chord.length)
            yield PianoNote(root, begin, min(step, end - begin))
            for onset in range(begin + step, end, step):
                yield from (PianoNote(tone, onset, min(step, end - onset)) for tone in others)


def _tones(chord: Chord) -> tuple[int, ...]:
    """Return the root and the tones above it, below middle C."""
    root = _LOWEST_ROOT + (chord.tones[0] - _LOWEST_ROOT) % 12
    return (root, *(root + (tone - root) % 12 for tone in chord.tones[1:]))
