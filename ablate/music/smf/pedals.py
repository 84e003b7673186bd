"""Find the pedal events of each channel, and hold its notes by them.

A pedal belongs to a channel, in whatever track its events are. "Reset all controllers" (controller 121) lifts the
pedals of its channel; it becomes an event of value 0 for each pedal that is not up already.

Source: MIDI Manufacturers Association, "Response to Reset All Controllers" (RP-015), 1998.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.music.performance import SUSTAIN
from ablate.music.smf.sustain import held_ends
from ablate.music.smf.walk import CONTROL

if TYPE_CHECKING:
    from ablate.arrays import Array, FloatArray, IntArray
    from ablate.music.smf.clock import Clock
    from ablate.music.smf.song import Song

SOFT, RESET, SILENCE = 67, 121, 120
_MATTERS = np.isin(np.arange(256), (SUSTAIN, SOFT, RESET))
_NOTHING = np.empty(0, np.int64)


class Pedals(NamedTuple):
    """Pedal events, by tick.

    Attributes:
        event: the index of each; that of "reset all controllers" for a pedal that it lifts.
        voice: see :class:`ablate.music.smf.song.Song`.
        controller: 64 (sustain) or 67 (soft).
        value: 0 to 127.
        instrument: of the channel at this time, 0 to 128; before the first note of a channel, that of this note.
    """

    event: IntArray
    voice: IntArray
    controller: Array
    value: Array
    instrument: IntArray


def find_pedals(song: Song, begins: IntArray) -> Pedals:
    """Return the pedal events of the channels that have notes.

    Args:
        song: the events.
        begins: the event that begins each note, in order.
    """
    first_note = np.full(int(song.voice.max(initial=0)) + 1, len(song.tick))
    np.minimum.at(first_note, song.voice[begins], begins)
    index = np.flatnonzero((song.kind == CONTROL) & _MATTERS[song.first])
    if first_note.max() == len(song.tick):  # a channel without notes
        index = index[first_note[song.voice[index]] < len(song.tick)]
    controller, value = song.first[index], song.second[index]
    resets = index[controller == RESET]
    if len(resets):
        index, controller, value = _with_resets(song, index[controller != RESET], resets)
    voice = song.voice[index]
    instrument = song.instrument(index, np.maximum(index, first_note[voice]))
    return Pedals(index, voice, controller, value, instrument)


def _with_resets(song: Song, index: IntArray, resets: IntArray) -> tuple[IntArray, Array, Array]:
    """Return index, controller and value of all pedal events, with those of the resets that lift a pedal."""
    rows = np.concatenate([index, resets, resets])
    pedals = np.repeat(np.array([SUSTAIN, SOFT], song.first.dtype), len(resets))
    controller = np.concatenate([song.first[index], pedals])
    value = np.concatenate([song.second[index], np.zeros_like(pedals)])
    is_reset = np.arange(len(rows)) >= len(index)
    voice = song.voice[rows]
    order = np.lexsort((rows, controller, voice))
    before, after = order[:-1], order[1:]
    down = np.zeros(len(rows), bool)
    down[after] = (voice[before] == voice[after]) & (controller[before] == controller[after]) & (value[before] > 0)
    kept = np.flatnonzero(~is_reset | down)
    kept = kept[np.lexsort((controller[kept], rows[kept]))]
    return rows[kept], controller[kept], value[kept]


def held_by_channel(song: Song, notes: Array, begins: IntArray, pedals: Pedals, clock: Clock) -> FloatArray:
    """Return the ends of the notes, in seconds, when the pedal of their channel holds them; drums are not held.

    Args:
        song: the events.
        notes: of :data:`ablate.music.performance.NOTE_DTYPE`, in the order of their beginnings.
        begins: the event that begins each note.
        pedals: all pedal events.
        clock: the seconds of each tick.
    """
    ends: FloatArray = notes["end"].copy()
    sustain = np.flatnonzero((pedals.controller == SUSTAIN) & ~song.is_drums(pedals.event))
    times = clock.seconds(song.tick[pedals.event])
    silence = np.flatnonzero((song.kind == CONTROL) & (song.first == SILENCE))
    quiet = clock.seconds(song.tick[silence])
    last = max(float(ends.max(initial=0.0)), float(times[sustain].max(initial=0.0)))
    own, silences = _by_voice(song.voice[begins]), _by_voice(song.voice[silence])
    for voice, part in _by_voice(pedals.voice[sustain]).items():
        moved = sustain[part]
        held, silenced = notes[own[voice]], quiet[silences.get(voice, _NOTHING)]
        ends[own[voice]] = held_ends(
            held["pitch"], held["start"], held["end"], times[moved], pedals.value[moved], last, silenced
        )
    return ends


def _by_voice(voice: IntArray) -> dict[int, IntArray]:
    """Return for each voice the places where it is, in order."""
    order = np.argsort(voice, kind="stable")
    voices, first = np.unique(voice[order], return_index=True)
    return dict(zip(voices.tolist(), np.split(order, first[1:]), strict=True)) if len(voices) else {}
