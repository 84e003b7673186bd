"""Give notes channels, so that no two notes of one pitch that overlap share one; see :mod:`ablate.music.write`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.arrays import Array

#: Channels for pitched instruments.
CHANNELS = 15
#: The instrument of drums, which have a channel of their own.
DRUMS = 128


class Change(NamedTuple):
    """A change that MIDI made necessary.

    Attributes:
        notes: the number of notes that it changes; 0 if it changes none of them in particular.
        text: what it is, for people, to be read after ``3 of 40 notes`` if there is a number.
        harmless: whether it is usual and changes nothing that is heard, so that nobody needs to be warned of it.
        pedals: the number of pedal events of their instruments that are left out.
    """

    notes: int
    text: str
    harmless: bool = False
    pedals: int = 0


def left_out_pedals(count: int) -> str:
    """Return the end of a sentence about notes whose pedal events are left out; an empty text for none."""
    return f"; their pedal events ({count:,}) are left out" if count else ""


class Notes(NamedTuple):
    """Notes in ticks, as columns of int64; ``primer`` is 1 for those of the primer."""

    pitch: Array
    velocity: Array
    start: Array
    end: Array
    instrument: Array
    primer: Array

    def chosen(self, which: Array) -> Notes:
        """Return some of the notes, by index or mask."""
        return Notes(*(column[which] for column in self))


def in_channels(notes: Notes, pedals: Array) -> tuple[Notes, list[Change]]:
    """Return notes of at most :data:`CHANNELS` pairs of part and pitched instrument, and what was changed.

    Args:
        notes: those of the primer and the others.
        pedals: the instrument of each pedal event; those of an instrument that changes are counted.
    """
    changes = []
    pitched = notes.instrument != DRUMS
    if _drums_mix(notes):
        notes = notes._replace(primer=np.where(pitched, notes.primer, 0))
    if notes.primer.any() and len({*zip(notes.instrument[pitched], notes.primer[pitched], strict=True)}) > CHANNELS:
        notes = notes._replace(primer=np.zeros_like(notes.primer))
        changes.append(Change(0, f"the primer has no tracks of its own in the MIDI file: it has {CHANNELS} channels"))
    names, inverse, counts = np.unique(notes.instrument[pitched], return_inverse=True, return_counts=True)
    if len(names) <= CHANNELS:
        return notes, changes
    kept = np.sort(names[np.argsort(-counts, kind="stable")[:CHANNELS]])
    nearest = kept[np.abs(names[:, None] - kept).argmin(axis=1)]
    instrument = notes.instrument.copy()
    instrument[pitched] = nearest[inverse]
    text = f"have another instrument in the MIDI file: it has channels for {CHANNELS} of {len(names)}, and drums"
    changed = instrument != notes.instrument
    lost = np.isin(pedals, notes.instrument[changed])
    changes.append(Change(int(changed.sum()), text, pedals=int(lost.sum())))
    return notes._replace(instrument=instrument), changes


def _drums_mix(notes: Notes) -> bool:
    """Return whether some drums of the primer begin after others; on one channel these need one track."""
    drums = notes.instrument == DRUMS
    first, later = (notes.start[drums & (notes.primer == part)] for part in (1, 0))
    return bool(len(first) and len(later) and first.max() > later.min())


def layered(notes: Notes) -> tuple[Array, Array]:
    """Return the layer of each note, from 0, one channel for each layer of an instrument; and the ends of the notes."""
    layers, end = np.zeros(len(notes.start), np.int64), notes.end.copy()
    # the primer's drums and the others share a channel
    key = np.where(notes.instrument == DRUMS, DRUMS, 2 * DRUMS * notes.primer + notes.instrument)
    members = {int(each): np.flatnonzero(key == each) for each in np.unique(key)}
    limits = _limits({each: _layers(notes.chosen(rows), CHANNELS) for each, rows in members.items() if each != DRUMS})
    for each, rows in members.items():
        part, limit = notes.chosen(rows), limits.get(each, 1)
        layers[rows] = _layers(part, limit)
        end[rows] = _ends(part, layers[rows])
    return layers, end


def _limits(wanted: Mapping[int, Array]) -> dict[int, int]:
    """Return the number of channels of each part, from the layers that its notes have with enough channels."""
    counts = {each: np.bincount(layers, minlength=CHANNELS + 1) for each, layers in wanted.items()}
    limits = dict.fromkeys(wanted, 1)
    for _ in range(CHANNELS - len(wanted)):
        lacking = {each: int(counts[each][limits[each] :].sum()) for each in wanted}
        neediest = max(lacking, key=lacking.__getitem__, default=0)
        if not lacking.get(neediest):
            break
        limits[neediest] += 1
    return limits


def _layers(notes: Notes, limit: int) -> Array:
    """Return for each note the first layer in which no note of its pitch sounds, or the one that is free soonest."""
    order = np.lexsort((notes.end, notes.start, notes.pitch))
    layers, ends, pitch = np.zeros(len(order), np.int64), [0], -1
    rows = zip(order.tolist(), *(column[order].tolist() for column in notes[:4]), strict=True)
    for row, each, _, start, end in rows:
        if each != pitch:
            ends, pitch = [], each
        layer = next((number for number, busy in enumerate(ends) if busy <= start), len(ends))
        if layer == limit:
            layer = ends.index(min(ends))
        ends[layer : layer + 1] = [end]
        layers[row] = layer
    return layers


def _ends(notes: Notes, layers: Array) -> Array:
    """Return ends with which any pairing of note-ons with note-offs of a layer and pitch gives the same notes."""
    key = 128 * layers + notes.pitch
    order = np.lexsort((notes.end, notes.start, key))
    if not len(order):
        return notes.end
    key, start, end = key[order], notes.start[order], notes.end[order]
    is_first = np.append(True, (key[1:] != key[:-1]) | (start[1:] != start[:-1]))
    group = np.cumsum(is_first) - 1
    # of notes that begin together, the first in this order is the shortest
    key, start, end = key[is_first], start[is_first], end[is_first]
    limit = end.copy()
    for row in range(len(end) - 2, -1, -1):
        if key[row] == key[row + 1] and start[row + 1] < end[row]:
            limit[row] = limit[row + 1] if end[row] == end[row + 1] else start[row + 1]
    ends = np.empty(len(order), np.int64)
    ends[order] = limit[group]
    return ends
