"""A pop piece of five instruments, written byte by byte: 1,296 notes, 576 of them of drums."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from support.midi_bytes import midi, off, on, program, track

if TYPE_CHECKING:
    from collections.abc import Iterable

BEAT, BARS = 480, 36
#: The notes of each instrument: piano, clean guitar, finger bass, strings, drums.
NOTES = {0: 288, 27: 216, 33: 144, 48: 72, 128: 576}
_ROOTS = (48, 43, 45, 41)  # C, G, A minor, F
_THIRDS = (4, 4, 3, 4)


class _Note(NamedTuple):
    beat: float  # from the beginning
    beats: float
    pitch: int
    velocity: int


def pop(bars: int = BARS) -> bytes:
    """Return the file; fewer bars have notes in the same proportions."""
    parts = {0: _piano, 27: _guitar, 33: _bass, 48: _strings, 128: _drums}
    notes = {number: [note for bar in range(bars) for note in part(bar)] for number, part in parts.items()}
    return midi(*(_track(number, channel, notes[number]) for channel, number in enumerate(parts)))


def _piano(bar: int) -> Iterable[_Note]:
    root, third = 12 + _ROOTS[bar % 4], _THIRDS[bar % 4]
    for half in (0, 2):
        for step, pitch in enumerate((root, root + third, root + 7, root + 12)):
            yield _Note(4 * bar + half + step / 2, 0.5, pitch, 70 + 4 * step)


def _guitar(bar: int) -> Iterable[_Note]:
    root, third = 12 + _ROOTS[bar % 4], _THIRDS[bar % 4]
    for beat in (1, 3):
        for pitch in (root, root + third, root + 7):
            yield _Note(4 * bar + beat, 0.75, pitch, 60)


def _bass(bar: int) -> Iterable[_Note]:
    for beat in range(4):
        yield _Note(4 * bar + beat, 0.9, _ROOTS[bar % 4] - 12, 90)


def _strings(bar: int) -> Iterable[_Note]:
    for pitch in (24 + _ROOTS[bar % 4], 31 + _ROOTS[bar % 4]):
        yield _Note(4 * bar, 4, pitch, 50)


def _drums(bar: int) -> Iterable[_Note]:
    for eighth in range(8):
        yield _Note(4 * bar + eighth / 2, 0.25, 42, 50 + 10 * (eighth % 2))
    for beat in range(4):
        yield _Note(4 * bar + beat, 0.25, 38 if beat % 2 else 36, 100)
    for eighth in (1, 3, 5, 7):
        yield _Note(4 * bar + eighth / 2, 0.25, 70, 40)


def _track(number: int, channel: int, notes: list[_Note]) -> bytes:
    channel = 9 if number == 128 else channel
    events = [] if number == 128 else [(0, 0, program(number, channel))]
    for note in notes:
        start, end = round(note.beat * BEAT), round((note.beat + note.beats) * BEAT)
        events += [(start, 1, on(note.pitch, note.velocity, channel)), (end, 0, off(note.pitch, channel))]
    events.sort(key=lambda event: event[:2])
    ticks = [0, *(tick for tick, _, _ in events)]
    return track((tick - before, message) for before, (tick, _, message) in zip(ticks, events, strict=False))
