"""Pair note-ons and note-offs: the definition of a note.

A *note-on* (of a velocity above 0) begins a note of its channel and pitch, which is then open. A *note-off* (or a
note-on of velocity 0) ends every open note of its channel and pitch that began at an earlier tick. If there is none, it
takes away the open notes that began at its own tick: they have no length. If it ended several notes, as many further
note-offs of its tick belong to these, one for each note, and do nothing. A note-off without an open note does nothing.

The messages "all sound off" (controller 120), "all notes off" (123) and those that imply it (124 to 127) end every open
note of their channel that began at an earlier tick. A note that nothing ends is left out, as is one without length.

Tracks are played together: it makes no difference in which track a message is. This is pretty_midi's definition, with
two differences: pretty_midi pairs within each track and ignores controllers 120 to 127, and it gives a second note-off
of one tick to notes that began at this tick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.music.smf.song import CONTROL, NOTE_OFF, NOTE_ON, TICK_BITS

if TYPE_CHECKING:
    from ablate.arrays import BoolArray, IntArray
    from ablate.music.smf.song import Song

_SILENCING = (120, 123, 124, 125, 126, 127)
#: Of a note in place of the event that ends it: nothing does, or it has no length.
NEVER, NO_LENGTH = -1, -2


class Notes(NamedTuple):
    """The notes of a song, in the order of their beginnings.

    Attributes:
        begin: the index of the event that begins each note.
        end: the index of the event that ends it.
        never_ended: the number of notes that are left out because nothing ends them.
        without_length: the number of notes that are left out because they have no length.
    """

    begin: IntArray
    end: IntArray
    never_ended: int
    without_length: int


def find_notes(song: Song) -> Notes:
    """Return the notes of a song; see the definition at the top of this module."""
    kind = song.kind
    index = np.flatnonzero((kind == NOTE_ON) | (kind == NOTE_OFF))
    begins = (kind[index] == NOTE_ON) & (song.second[index] > 0)
    key = song.voice[index] * 128 + song.first[index]
    if not len(key) or key.max() < 2**16:
        key = key.astype(np.uint16)  # its sort is much faster
    order = np.argsort(key, kind="stable")
    index, begins, key = index[order], begins[order], key[order]
    stop, stop_tick = _stops(song, index)
    end = _next_offs(begins, key, song.tick[index])
    end = np.where(end >= 0, index[end], end)
    _pair_one_by_one(end, begins, key, index, song.tick, stop_tick)
    end_tick = np.where(end >= 0, song.tick[end], 1 << TICK_BITS)
    end = np.where((stop_tick < end_tick) & (end != NO_LENGTH), stop, end)
    begin, end = index[begins], end[begins]
    whole = np.flatnonzero(end >= 0)
    whole = whole[np.argsort(begin[whole])]
    return Notes(begin[whole], end[whole], int((end == NEVER).sum()), int((end == NO_LENGTH).sum()))


def _next_offs(begins: BoolArray, key: IntArray, tick: IntArray) -> IntArray:
    """Return for each event the next note-off of its key; for note-ons with one at their own tick, ``NO_LENGTH``."""
    count = len(key)
    place = np.where(begins, count, np.arange(count))
    place = np.minimum.accumulate(place[::-1])[::-1]
    inside = np.minimum(place, count - 1)
    ended = (place < count) & (key[inside] == key)
    return np.where(ended, np.where(begins & (tick[inside] == tick), NO_LENGTH, place), NEVER)


def _stops(song: Song, index: IntArray) -> tuple[IntArray, IntArray]:
    """Return for each event of ``index`` the next one that silences its channel at a later tick, and its tick."""
    none = np.full(len(index), NEVER), np.full(len(index), 1 << TICK_BITS)
    stops = np.flatnonzero((song.kind == CONTROL) & np.isin(song.first, _SILENCING))
    if not len(stops):
        return none
    stops = stops[np.argsort(song.voice[stops], kind="stable")]
    keys = (song.voice[stops] << TICK_BITS) + song.tick[stops]
    following = np.searchsorted(keys, (song.voice[index] << TICK_BITS) + song.tick[index], side="right")
    stop = stops[np.minimum(following, len(stops) - 1)]
    exists = (following < len(stops)) & (song.voice[stop] == song.voice[index])
    return np.where(exists, stop, none[0]), np.where(exists, song.tick[stop], none[1])


def _pair_one_by_one(
    end: IntArray, begins: BoolArray, key: IntArray, index: IntArray, tick: IntArray, stop_tick: IntArray
) -> None:
    """Replace the ends of the notes of each key that has a note-off at the tick of a note-on before it.

    Only there does the end of a note depend on the notes before it.
    """
    for each in np.unique(key[end == NO_LENGTH]):
        start, stop = np.searchsorted(key, [each, each + 1])
        part = slice(start, stop)
        ticks, stops = tick[index[part]].tolist(), stop_tick[part].tolist()
        ends = _ends(ticks, begins[part].tolist(), stops)
        end[part] = [index[start + place] if place >= 0 else place for place in ends]


def _ends(ticks: list[int], begins: list[bool], stops: list[int]) -> list[int]:
    """Return for each event of one key the place of the note-off that ends the note that it begins."""
    ends = [NEVER] * len(ticks)
    older: list[int] = []  # the open notes that began before this tick
    fresh: list[int] = []  # the open notes that began at this tick
    now = spare = -1  # ``spare`` note-offs of this tick belong to notes that have ended
    for place, tick in enumerate(ticks):
        if tick != now:
            now, spare = tick, 0
            older += fresh
            fresh = []
        if begins[place]:
            fresh.append(place)
        elif still := [note for note in older if stops[note] >= tick]:
            for note in still:
                ends[note] = place
            spare, older = len(still) - 1, []
        elif spare > 0:
            spare -= 1
        else:
            for note in fresh:
                ends[note] = NO_LENGTH
            fresh, older = [], []
    return ends
