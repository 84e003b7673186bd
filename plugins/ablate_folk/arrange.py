"""The arrangement: two verses of a tune for flute, clarinet, guitar, bass and drums.

- First verse: the flute has the melody, the clarinet holds notes of the chords below it, the guitar breaks the chords,
  the bass plays their roots, and the drums keep a light beat.
- Second verse: the clarinet has the melody, the flute plays thirds of the chord above it on the beats, the guitar
  strikes chords after the beat, the bass walks, and the drums are full, with a fill in each fourth bar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ablate_folk.tunes import chord_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate_folk.tunes import Chord, Tune

FLUTE, CLARINET, GUITAR, BASS, DRUMS = 73, 71, 24, 32, 128
#: Names of the tracks.
NAMES = {FLUTE: "Flute", CLARINET: "Clarinet", GUITAR: "Guitar", BASS: "Bass", DRUMS: "Drums"}
VERSES = 2
# General MIDI percussion
_KICK, _STICK, _SNARE, _HAT, _CRASH, _TOMS = 36, 37, 38, 42, 49, (50, 48, 45, 43)
_FILL = 4  # bars
_MELODY, _COUNTER, _CHORD, _LOW = 84, 62, 58, 74  # velocities
_LOWEST = {CLARINET: 57, FLUTE: 72, GUITAR: 52, BASS: 36}


class ScoreNote(NamedTuple):
    """A note as written: instrument, MIDI pitch, velocity, and onset and length in sixteenths."""

    instrument: int
    pitch: int
    velocity: int
    onset: int
    length: int


def arrangement(tune: Tune) -> list[ScoreNote]:
    """Return the notes of both verses, part by part."""
    notes: list[ScoreNote] = []
    for verse, parts in enumerate((_first_verse, _second_verse)):
        notes += [note._replace(onset=note.onset + verse * tune.length) for note in parts(tune)]
    return notes


def _first_verse(tune: Tune) -> Iterator[ScoreNote]:
    yield from (ScoreNote(FLUTE, 12 + pitch, _MELODY, onset, length) for pitch, onset, length in tune.melody)
    held = 64
    for chord in tune.chords:
        held = min(_tones(chord, CLARINET, 2), key=lambda pitch: (abs(pitch - held), pitch))
        yield ScoreNote(CLARINET, held, _COUNTER, chord.onset, chord.length)
        yield from _broken(chord, tune)
        yield ScoreNote(BASS, _tones(chord, BASS, 1)[0], _LOW, chord.onset, chord.length)
    for bar in range(0, tune.length, tune.bar):
        yield _hit(_KICK, 78, bar)
        yield from (_hit(_STICK, 56, bar + tune.beat * beat) for beat in range(1, tune.beats))


def _second_verse(tune: Tune) -> Iterator[ScoreNote]:
    yield from (ScoreNote(CLARINET, pitch, _MELODY, onset, length) for pitch, onset, length in tune.melody)
    for pitch, onset, length in tune.melody:
        if onset % tune.beat == 0:
            above = [tone for tone in _tones(chord_at(tune, onset), FLUTE, 2) if tone > pitch + 2]
            yield ScoreNote(FLUTE, above[0], _COUNTER, onset, max(length, tune.beat))
    for chord in tune.chords:
        root, third, fifth = _tones(chord, BASS, 1)
        walk = (root, fifth, third, fifth)
        for beat, onset in enumerate(range(chord.onset, chord.onset + chord.length, tune.beat)):
            yield ScoreNote(BASS, walk[beat], _LOW, onset, tune.beat)
            if beat:
                yield from (ScoreNote(GUITAR, tone, _CHORD, onset, tune.beat) for tone in _tones(chord, GUITAR, 1))
    for number, bar in enumerate(range(0, tune.length, tune.bar)):
        yield from _full_bar(tune, bar, fill=number % _FILL == _FILL - 1)
    yield _hit(_CRASH, 88, 0)


def _broken(chord: Chord, tune: Tune) -> Iterator[ScoreNote]:
    """Yield the guitar's notes: one on each beat or, in six-eight time, on each eighth; each rings to the end."""
    step = 2 if tune.beats == 2 else tune.beat
    tones = _tones(chord, GUITAR, 1)
    order = (0, 2, 1, 2, 1, 2) if len(tones) > 2 else (0, 1)
    end = chord.onset + chord.length
    for number, onset in enumerate(range(chord.onset, end, step)):
        tone = tones[order[number % len(order)]]
        yield ScoreNote(GUITAR, tone, _CHORD, onset, min(2 * step, end - onset))


def _full_bar(tune: Tune, bar: int, *, fill: bool) -> Iterator[ScoreNote]:
    half = tune.bar // 2
    yield _hit(_KICK, 90, bar)
    quiet_from = bar + half if fill else bar + tune.bar
    yield from (_hit(_HAT, 60 - 8 * (onset % 4 > 0), onset) for onset in range(bar, quiet_from, 2))
    for beat in range(1, tune.beats):
        onset = bar + tune.beat * beat
        if onset < quiet_from:
            yield _hit(_KICK if tune.beats == 4 and beat == 2 else _SNARE, 82, onset)
    if fill:
        for number, onset in enumerate(range(quiet_from, bar + tune.bar, 2)):
            yield _hit(_TOMS[number % len(_TOMS)], 76 + 4 * number, onset)


def _hit(pitch: int, velocity: int, onset: int) -> ScoreNote:
    return ScoreNote(DRUMS, pitch, velocity, onset, 1)


def _tones(chord: Chord, instrument: int, octaves: int) -> list[int]:
    """Return the chord's tones in some octaves from the lowest note of an instrument on, in the order of the chord."""
    lowest = _LOWEST[instrument]
    return [lowest + (tone - lowest) % 12 + 12 * octave for octave in range(octaves) for tone in chord.tones]
