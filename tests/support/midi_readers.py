"""Readers of MIDI files that know nothing of ablate and pair note-ons with note-offs by rules of their own."""

from __future__ import annotations

import collections
import io
import warnings
from typing import TYPE_CHECKING

import mido
import pretty_midi
import symusic

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.music.performance import Performance

#: Instrument (128 for drums), pitch, velocity, and the ticks of start and end.
Row = tuple[int, int, int, int, int]
_DRUM_CHANNEL = 9


def by_pretty_midi(data: bytes) -> list[Row]:
    """Read with pretty_midi: a note-off ends every open note of its pitch that began before it, track by track."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        midi = pretty_midi.PrettyMIDI(io.BytesIO(data))
    return sorted(
        (
            128 if i.is_drum else i.program,
            n.pitch,
            n.velocity,
            int(midi.time_to_tick(n.start)),
            int(midi.time_to_tick(n.end)),
        )
        for i in midi.instruments
        for n in i.notes
    )


def by_symusic(data: bytes) -> list[Row]:
    """Read with symusic: a note-off ends the first open note, track by track."""
    return sorted(
        (128 if t.is_drum else t.program, n.pitch, n.velocity, n.time, n.time + n.duration)
        for t in symusic.Score.from_midi(data).tracks
        for n in t.notes
    )


def by_mido(data: bytes, which: int) -> list[Row]:
    """Read with mido, all tracks as one: a note-off ends the open note number ``which``, 0 the first, -1 the last."""
    programs: dict[int, int] = collections.defaultdict(int)
    opened: dict[tuple[int, int], list[tuple[int, int]]] = collections.defaultdict(list)
    rows, tick = [], 0
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        tick += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        if message.type == "note_on" and message.velocity:
            opened[message.channel, message.note].append((tick, message.velocity))
        elif message.type in ("note_on", "note_off"):
            start, velocity = opened[message.channel, message.note].pop(which)
            instrument = 128 if message.channel == _DRUM_CHANNEL else programs[message.channel]
            rows.append((instrument, message.note, velocity, start, tick))
    assert not any(opened.values()), "every note has an end"
    return sorted(rows)


def rows_of(performance: Performance, resolution: int) -> list[Row]:
    """Return the notes of a performance and its primer in ticks, at 120 quarter notes a minute."""
    notes = performance.whole().notes
    ticks = [[round(seconds * 2 * resolution) for seconds in notes[field].tolist()] for field in ("start", "end")]
    starts, ends = ticks[0], [max(end, start + 1) for start, end in zip(*ticks, strict=True)]
    rows = zip(*(notes[field].tolist() for field in ("instrument", "pitch", "velocity")), starts, ends, strict=True)
    return sorted(rows)


#: Independent readers by name; of mido's users, those who pair from the first on and those from the last.
READERS: dict[str, Callable[[bytes], list[Row]]] = {
    "pretty_midi": by_pretty_midi,
    "symusic": by_symusic,
    "mido, first": lambda data: by_mido(data, 0),
    "mido, last": lambda data: by_mido(data, -1),
}
