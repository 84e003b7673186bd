"""Turn the bytes of all tracks into events: columns of numbers, computed for all events at once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import CorpusError
from ablate.music.smf.walk import NAME, NOTE_ON, PADDING, PORT, TEMPO, Fault, Meta, Walk, steps_of, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array, BoolArray, IntArray
    from ablate.music.smf.container import Container


@dataclasses.dataclass(frozen=True)
class Events:
    """The channel messages of all tracks, track by track, in the order of the file.

    Attributes:
        tick: int64, from the beginning of the file.
        track: uint16, from 0.
        status: uint8, 0x80 to 0xEF.
        first: uint8, the first data byte.
        second: uint8, the second one; of messages with one data byte it has no meaning.
        port: uint8, the number of the MIDI port that the file gives for the event.
    """

    tick: Array
    track: Array
    status: Array
    first: Array
    second: Array
    port: Array

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.tick)

    def take(self, index: Array) -> Events:
        """Return the events of an index or mask."""
        return Events(*(getattr(self, field.name)[index] for field in dataclasses.fields(self)))


@dataclasses.dataclass(frozen=True)
class Decoded:
    """The content of all tracks.

    Attributes:
        events: see :class:`Events`.
        tempos: for each tempo, its tick and the content of its event; track by track.
        names: for each track with a name, its number from 0 and the name in bytes.
        walks: for each track, what its walk found.
        late_notes: notes that begin after the end-of-track event of their track.
    """

    events: Events
    tempos: list[tuple[int, bytes]]
    names: dict[int, bytes]
    walks: list[Walk]
    late_notes: int


def decode(container: Container, source: str) -> Decoded:
    """Return the events of a file.

    Raises:
        CorpusError: an event cannot be read; names the track and the byte.
    """
    buffer = b"".join(track + PADDING for track in container.tracks) or PADDING
    lengths = np.array([len(track) + len(PADDING) for track in container.tracks], np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    steps, mark = steps_of(buffer), bytearray(len(buffer))
    walks = []
    for number, track in enumerate(container.tracks):
        start = int(bounds[number])
        try:
            found = walk(buffer, steps, start, start + len(track), mark)
        except Fault as fault:
            raise CorpusError(_fault(container, number, fault, source)) from None
        if found.end < 0 and _is_cut(container, number):
            raise CorpusError(_fault(container, number, None, source))
        walks.append(found)
    return _columns(buffer, _begins(mark, steps.one), bounds, walks)


def _is_cut(container: Container, number: int) -> bool:
    return bool(container.cut) and number == len(container.tracks) - 1


def _fault(container: Container, number: int, fault: Fault | None, source: str) -> str:
    if fault is None or _is_cut(container, number):
        return (
            f"{source}: is cut short or damaged: {len(container.tracks[number])} of the {container.cut} bytes "
            f"that its track {number + 1} should have; get a whole copy of it"
        )
    return (
        f"{source}: is damaged: track {number + 1} has {fault.what} (byte {fault.position + 1:,}); "
        "get a whole copy of it"
    )


def _begins(mark: bytearray, one: bytes) -> Array:
    """Return the positions at which events begin, in order."""
    marks, step = np.frombuffer(mark, np.uint8), np.frombuffer(one, np.uint8)
    alone = np.flatnonzero(marks == 1)  # a comparison, because finding True is much faster than finding numbers
    fours = np.empty((4, np.count_nonzero(marks == 4)), np.int64)
    fours[0] = np.flatnonzero(marks == 4)
    for number in range(3):
        np.add(fours[number], step[fours[number]], out=fours[number + 1])
    rows = fours.T.ravel()
    return np.insert(rows, np.searchsorted(rows, alone), alone)


def _columns(buffer: bytes, begin: Array, bounds: Array, walks: Sequence[Walk]) -> Decoded:
    octets = np.frombuffer(buffer, np.uint8)
    delta, status_at = _deltas(octets, begin)
    byte = octets[status_at]
    has_status = byte >= 0x80
    channel = byte < 0xF0
    # without a status byte, an event has that of the channel message before it
    given = np.flatnonzero(has_status & channel)
    status = np.zeros_like(byte)
    if len(given):
        status[given[0] :] = np.repeat(byte[given], np.diff(given, append=len(byte)))
    data_at = status_at + has_status
    bound = np.searchsorted(begin, bounds)  # the first event of each track
    counts = np.diff(bound)
    tick = np.cumsum(delta)
    if len(walks) > 1:
        before = np.append(0, tick)[bound[:-1]]
        tick -= np.repeat(before, counts)
    track = np.repeat(np.arange(len(walks), dtype=np.uint16), counts)
    metas = [(of, meta) for of, found in enumerate(walks) for meta in found.metas]
    late = _late(begin, counts, walks)
    late_notes = int((channel[late] & (status[late] & 0xF0 == NOTE_ON) & (octets[data_at[late] + 1] > 0)).sum())
    channel[late] = False
    chosen = _index(channel)
    data_at = data_at[chosen]
    port = _ports(begin, track, metas)[chosen]
    columns = (tick[chosen], track[chosen], status[chosen], octets[data_at], octets[data_at + 1], port)
    ticks = tick[np.searchsorted(begin, [meta.position for _, meta in metas])].tolist()
    return Decoded(
        Events(*columns),
        [(at, meta.content) for at, (_, meta) in zip(ticks, metas, strict=True) if meta.type == TEMPO],
        {of: meta.content for of, meta in reversed(metas) if meta.type == NAME},
        list(walks),
        late_notes,
    )


def _index(mask: BoolArray) -> IntArray | slice:
    """Return the index of a mask; a slice, which copies nothing, if what it chooses is in one row."""
    index = np.flatnonzero(mask)
    if len(index) and index[-1] - index[0] + 1 == len(index):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def _late(begin: Array, counts: Array, walks: Sequence[Walk]) -> Array:
    """Return the numbers of the events after the end-of-track event of their track."""
    if not any(found.rest for found in walks):
        return np.empty(0, np.int64)
    ends = np.array([found.end if found.end >= 0 else np.iinfo(np.int64).max for found in walks], np.int64)
    return np.flatnonzero(begin >= np.repeat(ends, counts))


def _deltas(octets: Array, begin: Array) -> tuple[Array, Array]:
    """Return for each event the ticks since the event before it, and the position after them."""
    byte = octets[begin]
    delta = (byte & 127).astype(np.int64)
    after = begin + 1
    longer = np.flatnonzero(byte >= 128)
    while len(longer):
        byte = octets[after[longer]]
        delta[longer] = delta[longer] << 7 | byte & 127
        after[longer] += 1
        longer = longer[byte >= 128]
    return delta, after


def _ports(begin: Array, track: Array, metas: Sequence[tuple[int, Meta]]) -> Array:
    """Return the port of each event: that of the last event of its track that gives one, or 0."""
    given = [(meta.position, number, meta.content[0]) for number, meta in metas if meta.type == PORT and meta.content]
    if not given:
        return np.zeros(len(begin), np.uint8)
    place, owner, port = np.array(given, np.int64).T
    last = np.searchsorted(place, begin, side="right") - 1
    return np.where((last >= 0) & (owner[last] == track), port[last], 0).astype(np.uint8)
