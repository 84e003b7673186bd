"""Bring the events of all tracks into the order in which they sound, and find the instrument of each."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import CorpusError
from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, IntArray
    from ablate.music.smf.decode import Decoded

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
DRUM_CHANNEL = 9  # channel 10 of people, who count from 1
#: More ticks than a file of 16 GB can hold; so that a channel and a tick fit into one integer of 64 bits.
TICK_BITS = 50


@dataclasses.dataclass(frozen=True)
class Song:
    """The channel messages of a file, by tick; those of one tick track by track.

    Attributes:
        tick: int64, from the beginning of the file.
        track: from 0.
        place: int64, the place of the event in the file.
        kind: uint8, one of :data:`NOTE_ON` and the others.
        voice: int64, a number for each port and channel: 16 for each port, so that ``voice % 16`` is the channel.
        first: uint8, the first data byte: pitch, controller or program.
        second: uint8, the second one: velocity or value.
    """

    tick: IntArray
    track: Array
    place: IntArray
    kind: Array
    voice: IntArray
    first: Array
    second: Array

    @cached_property
    def programs(self) -> tuple[IntArray, Array]:
        """The program changes: a number of voice and index that sorts them, and the program."""
        changes = np.flatnonzero(self.kind == PROGRAM)
        changes = changes[np.argsort(self.voice[changes], kind="stable")]
        return self.voice[changes] * len(self.tick) + changes, self.first[changes]

    def program(self, index: IntArray, voice: IntArray) -> IntArray:
        """Return the program that is in force on each of ``voice`` at the events of ``index``; 0 by default."""
        keys, programs = self.programs
        if not len(keys):
            return np.zeros(len(index), np.int64)
        last = np.searchsorted(keys, voice * len(self.tick) + index, side="right") - 1
        changed = (last >= 0) & (keys[last] // len(self.tick) == voice)
        return np.where(changed, programs[last], 0).astype(np.int64)

    def instrument(self, index: IntArray, voice: IntArray) -> IntArray:
        """Return the instrument of each of ``voice`` at the events of ``index``, 0 to 128."""
        return np.where(self.is_drums(voice), DRUMS, self.program(index, voice))

    @staticmethod
    def is_drums(voice: IntArray) -> BoolArray:
        """Return whether each of ``voice`` has drums."""
        return np.asarray(voice % 16 == DRUM_CHANNEL)


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
    if len(events) and events.tick[-1] >> TICK_BITS:
        raise CorpusError(f"{source}: is damaged: its last event comes after {events.tick[-1]:,} ticks")
    voice = (events.status & 15).astype(np.int64)
    if events.port.any():
        voice += 16 * np.unique(events.port, return_inverse=True)[1]
    return Song(events.tick, events.track, place, events.status & 0xF0, voice, events.first, events.second)
