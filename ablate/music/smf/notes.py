"""Pair note-ons and note-offs: the definition of a note.

A *note-on* (of a velocity above 0) begins a note of its channel and pitch, which is then open. A *note-off* (or a
note-on of velocity 0) ends every open note of its channel and pitch that began at an earlier tick. If there is none, it
takes away the open notes that began at its own tick: they have no length. If it ended several notes, as many further
note-offs of its tick belong to these, one for each note, and do nothing. A note-off without an open note does nothing.
The messages "all sound off" (controller 120), "all notes off" (123) and those that imply it (124 to 127) end every open
note of their channel that began at an earlier tick.

In a file of several tracks, all this holds within a track first. A note that nothing in its own track ends is then
ended by the messages of other tracks for its channel: by the first note-off for its pitch that ends no note of its own
track, or by the first of those controllers. A note that nothing ends is left out, as is one without length.

This is pretty_midi's definition, with three differences: pretty_midi never looks into other tracks, ignores controllers
120 to 127, and gives a second note-off of one tick always to the notes that began at this tick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.music.smf.song import MOST_TICKS
from ablate.music.smf.walk import CONTROL, NOTE_OFF, NOTE_ON

if TYPE_CHECKING:
    from ablate.arrays import BoolArray, IntArray
    from ablate.music.smf.song import Song

#: Whether each controller ends notes.
_SILENCES = np.isin(np.arange(256), (120, 123, 124, 125, 126, 127))
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
    index = np.flatnonzero((song.kind == NOTE_ON) | (song.kind == NOTE_OFF))
    begins = (song.kind[index] == NOTE_ON) & (song.second[index] > 0)
    stops = np.flatnonzero((song.kind == CONTROL) & _SILENCES[song.first])
    end = _pair(song, index, begins, song.part, stops)
    if song.part is not song.voice and (end[begins] == NEVER).any():
        useful = np.zeros(len(song.tick), bool)
        useful[end[begins & (end >= 0)]] = True
        rest = np.flatnonzero(np.where(begins, end == NEVER, ~useful[index]))
        end[rest] = _pair(song, index[rest], begins[rest], song.voice, stops)
    begin, end = index[begins], end[begins]
    whole = end >= 0
    if whole.all():
        return Notes(begin, end, 0, 0)
    return Notes(begin[whole], end[whole], int((end == NEVER).sum()), int((end == NO_LENGTH).sum()))


def _pair(song: Song, index: IntArray, begins: BoolArray, group: IntArray, stops: IntArray) -> IntArray:
    """Return for each event that begins a note the index of the one that ends it, ``NEVER`` or ``NO_LENGTH``.

    Args:
        song: all events.
        index: the note-ons and note-offs to pair, by tick.
        begins: whether each of these begins a note.
        group: for each event of the song the group within which events are paired: its track and channel, or its
            channel.
        stops: the index of each event that ends all notes of its channel.
    """
    key = group[index] * 128 + song.first[index]
    if not len(key) or key.max() < 2**16:
        key = key.astype(np.uint16)  # its sort is much faster
    order = np.argsort(key, kind="stable")
    index, begins, key = index[order], begins[order], key[order]
    tick = song.tick[index]
    stop, stop_tick = _next_stops(song, index, group, stops)
    end = _next_offs(begins, key, tick)
    if (end == NO_LENGTH).any():
        _pair_one_by_one(end, begins, key, tick, stop_tick)
    sooner = (stop_tick < np.where(end >= 0, tick[end], MOST_TICKS)) & (end != NO_LENGTH)
    end = np.where(end >= 0, index[end], end)
    end = np.where(sooner, stop, end)
    result = np.empty_like(end)
    result[order] = end
    return result


def _next_offs(begins: BoolArray, key: IntArray, tick: IntArray) -> IntArray:
    """Return for each event the next note-off of its key; for note-ons with one at their own tick, ``NO_LENGTH``."""
    count = len(key)
    place = np.where(begins, count, np.arange(count))
    place = np.minimum.accumulate(place[::-1])[::-1]
    inside = np.minimum(place, count - 1)
    ended = (place < count) & (key[inside] == key)
    return np.where(ended, np.where(begins & (tick[inside] == tick), NO_LENGTH, place), NEVER)


def _next_stops(song: Song, index: IntArray, group: IntArray, stops: IntArray) -> tuple[IntArray, IntArray]:
    """Return for each event of ``index`` the next one of ``stops`` in its group at a later tick, and its tick."""
    if not len(stops):
        return np.full(len(index), NEVER), np.full(len(index), MOST_TICKS)
    count = len(song.tick)
    stops = stops[np.argsort(group[stops], kind="stable")]
    later = np.searchsorted(song.tick, song.tick[index], side="right")
    following = np.searchsorted(group[stops] * count + stops, group[index] * count + later)
    stop = stops[np.minimum(following, len(stops) - 1)]
    exists = (following < len(stops)) & (group[stop] == group[index])
    return np.where(exists, stop, NEVER), np.where(exists, song.tick[stop], MOST_TICKS)


def _pair_one_by_one(end: IntArray, begins: BoolArray, key: IntArray, tick: IntArray, stop_tick: IntArray) -> None:
    """Replace the ends of the notes of each key that has a note-off at the tick of a note-on before it.

    Only there does the end of a note depend on the notes before it.
    """
    for each in np.unique(key[end == NO_LENGTH]):
        start, stop = np.searchsorted(key, [each, each + 1])
        part = slice(start, stop)
        ends = _ends(tick[part].tolist(), begins[part].tolist(), stop_tick[part].tolist())
        end[part] = [start + place if place >= 0 else place for place in ends]


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
