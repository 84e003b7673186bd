"""Bring the events of all tracks into the order in which they sound, and find the instrument of each."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import CorpusError
from ablate.music.performance import DRUMS
from ablate.music.smf.walk import PROGRAM

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, IntArray
    from ablate.music.smf.decode import Decoded

DRUM_CHANNEL = 9  # channel 10 of people, who count from 1
#: More ticks than a file of 16 GB can hold.
MOST_TICKS = 1 << 60


@dataclasses.dataclass(frozen=True)
class Song:
    """The channel messages of a file, by tick; those of one tick track by track.

    Attributes:
        tick: int64, from the beginning of the file.
        track: from 0.
        place: int64, the place of the event in the file.
        kind: uint8, 0x80 to 0xE0.
        voice: int64, a number for each port and channel: 16 for each port, so that ``voice % 16`` is the channel.
        part: int64, a number for each track and voice.
        first: uint8, the first data byte: pitch, controller or program.
        second: uint8, the second one: velocity or value.
    """

    tick: IntArray
    track: Array
    place: IntArray
    kind: Array
    voice: IntArray
    part: IntArray
    first: Array
    second: Array

    def program(self, event: IntArray, at: IntArray | None = None) -> IntArray:
        """Return the program in force for each event: the last one of its track on its channel.

        Where the track has none, it is the last one of the channel in any track; where there is none either, 0.

        Args:
            event: the index of each event.
            at: the index of the event at whose time the program is asked for; by default the event's own.
        """
        at = event if at is None else at
        changes = np.flatnonzero(self.kind == PROGRAM)
        result = np.zeros(len(event), np.int64)
        if not len(changes):
            return result
        for group in (self.voice, self.part):
            order = changes[np.argsort(group[changes], kind="stable")]
            keys = group[order] * len(group) + order
            last = np.searchsorted(keys, group[event] * len(group) + at, side="right") - 1
            exists = (last >= 0) & (group[order[last]] == group[event])
            result = np.where(exists, self.first[order[last]], result)
        return result

    def instrument(self, event: IntArray, at: IntArray | None = None) -> IntArray:
        """Return the instrument of each event, 0 to 128; see :meth:`program`."""
        program = self.program(event, at)
        program[self.is_drums(event)] = DRUMS
        return program

    def is_drums(self, event: IntArray) -> BoolArray:
        """Return whether each event is of the channel of drums."""
        return np.asarray(self.voice[event] & 15 == DRUM_CHANNEL)


def song_of(decoded: Decoded, source: str) -> Song:
    """Return the events of all tracks, which are played together.

    Raises:
        CorpusError: an event comes after more ticks than a file can hold.
    """
    events = decoded.events
    place = np.arange(len(events))
    if len(decoded.walks) > 1:
        place = np.argsort(events.tick, kind="stable")
        events = events.take(place)
    if len(events) and events.tick[-1] >= MOST_TICKS:
        raise CorpusError(f"{source}: is damaged: its last event comes after {events.tick[-1]:,} ticks")
    voice = (events.status & 15).astype(np.int64)
    if events.port.any():
        voice += 16 * np.unique(events.port, return_inverse=True)[1]
    part = voice
    if len(decoded.walks) > 1:
        part = np.unique((events.track.astype(np.int64) << 16) + voice, return_inverse=True)[1]
    return Song(events.tick, events.track, place, events.status & 0xF0, voice, part, events.first, events.second)
