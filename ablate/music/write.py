"""Write performances as MIDI files that every reader reads back to the same notes.

In MIDI, a note-off names a channel and a pitch, not a note. Where two notes of one pitch sound together on one channel,
readers disagree about which of them it ends: pretty_midi ends all that began before, symusic the first. So notes of one
pitch and instrument that overlap are written on different channels, each in a track of its own. A note that begins at
the tick at which another one ends does not overlap it: its note-on comes after the note-off.

A file has 15 channels, and one for drums. Where these are too few:

- Every instrument gets a channel; the others go, one by one, to the instrument with the most notes that still have
  none. A note without a channel takes the one whose note of its pitch ends soonest, and then notes of one pitch on one
  channel that begin together end together, as the shortest of them; others with different ends end where the next one
  begins. This is the rule for drums as well.
- A primer has tracks and channels of its own, unless there are too few for all instruments of both. Its drums have a
  track of their own if they begin before all others.
- Of more than 15 instruments, those with the fewest notes are written as the one of the others with the nearest number.

Each of these changes is reported. Not reported, for they are shorter than a tick: a time moves to the nearest tick, a
note lasts at least one, and of several movements of a pedal within a tick the last one is written.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pretty_midi

    from ablate.arrays import Array

#: Ticks of a quarter note, which lasts half a second: a tick is 0.52 ms.
RESOLUTION = 960
#: Channels for pitched instruments.
CHANNELS = 15
_TEMPO = 120.0
# pretty_midi refuses files with more ticks, so the ticks of a piece that is longer than 87 minutes are longer
_MOST_TICKS = 9_900_000
_DRUMS = 128


class Change(NamedTuple):
    """A change that MIDI made necessary.

    Attributes:
        notes: the number of notes that it changes; 0 if it changes none of them in particular.
        text: what it is, for people, to be read after ``3 of 40 notes`` if there is a number.
    """

    notes: int
    text: str


class MidiFile(NamedTuple):
    """A MIDI file in the making.

    Attributes:
        midi: its tracks; the first 15 pitched ones have a channel each, if pretty_midi writes them.
        notes: the number of its notes.
        changes: the changes that MIDI made necessary; empty if the notes are the same.
    """

    midi: pretty_midi.PrettyMIDI
    notes: int
    changes: tuple[Change, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """The changes, one line each, for people."""
        return tuple(f"{count} of {self.notes} notes {text}" if count else text for count, text in self.changes)

    def data(self) -> bytes:
        """Return the bytes of the file, a Standard MIDI File of format 1, written by pretty_midi."""
        buffer = io.BytesIO()
        self.midi.write(buffer)
        return buffer.getvalue()


class Labels(NamedTuple):
    """The names of tracks.

    Attributes:
        piece: the name of the piece, which names the track of its only instrument.
        tracks: names of tracks by instrument.
    """

    piece: str
    tracks: Mapping[int, str]


class _Notes(NamedTuple):
    """Notes in ticks, as columns of int64; ``primer`` is 1 for those of the primer."""

    pitch: Array
    velocity: Array
    start: Array
    end: Array
    instrument: Array
    primer: Array

    def chosen(self, which: Array) -> _Notes:
        return _Notes(*(column[which] for column in self))


def latin1(text: str) -> str:
    r"""Return ``text`` with escapes (``\u6708``) for what is not Latin-1, the encoding of text in MIDI files."""
    return text.encode("latin-1", "backslashreplace").decode("latin-1")


def midi_file(notes: Array, primer: Array, pedals: Array, labels: Labels) -> MidiFile:
    """Arrange notes and pedal events as the tracks of a MIDI file, by the rules of this module.

    Pedal events go to every channel of their instrument; those of an instrument without notes have no effect and are
    not written.

    Args:
        notes: record array of ``NOTE_DTYPE``, with valid notes.
        primer: the notes before them, of the same type; they get tracks of their own, named ``primer``.
        pedals: record array of ``PEDAL_DTYPE``, by time.
        labels: the names of the tracks.

    Raises:
        CorpusError: a note ends after more than 57 days.
    """
    import pretty_midi

    last = max((float(part["end"].max()) for part in (notes, primer) if len(part)), default=0.0)
    resolution = _resolution(last, labels.piece or "performance")
    midi = pretty_midi.PrettyMIDI(resolution=resolution, initial_tempo=_TEMPO)
    tick = 60.0 / (_TEMPO * resolution)
    columns, changes = _in_channels(_in_ticks(notes, primer, tick))
    if tick > 1e-3:
        text = f"times are rounded to {1000 * tick:.1f} ms in the MIDI file: the music lasts {last:,.0f} s"
        changes.append(Change(0, text))
    layers, end = _layered(columns)
    shortened = int((end < columns.end).sum())
    if shortened:
        text = "end earlier in the MIDI file: it has too few channels for the notes of one pitch that sound together"
        changes.append(Change(shortened, text))
    columns = columns._replace(end=end)
    for first, instrument, layer in _tracks(columns, layers):
        chosen = (columns.instrument == instrument) & (columns.primer == first) & (layers == layer)
        name = _name(instrument, first, columns, labels)
        track = pretty_midi.Instrument(instrument % _DRUMS, is_drum=instrument == _DRUMS, name=latin1(name))
        track.notes = _pretty_notes(columns.chosen(chosen), tick)
        track.control_changes = _pretty_controls(pedals[pedals["instrument"] == instrument], tick)
        midi.instruments.append(track)
    return MidiFile(midi, len(end), tuple(changes))


def _resolution(seconds: float, source: str) -> int:
    ticks = 2 * RESOLUTION * seconds
    if not 2 * seconds <= _MOST_TICKS:
        days = _MOST_TICKS / 2 / 86400
        raise CorpusError(f"{source}: a note ends after {seconds:.3g} s, and a MIDI file has {days:.0f} days at most")
    return RESOLUTION if ticks <= _MOST_TICKS else int(_MOST_TICKS / (2 * seconds))


def _in_ticks(notes: Array, primer: Array, tick: float) -> _Notes:
    both = np.concatenate([primer, notes])
    start, end = (np.rint(both[field] / tick).astype(np.int64) for field in ("start", "end"))
    pitch, velocity, instrument = (both[field].astype(np.int64) for field in ("pitch", "velocity", "instrument"))
    is_primer = (np.arange(len(both)) < len(primer)).astype(np.int64)
    return _Notes(pitch, velocity, start, np.maximum(end, start + 1), instrument, is_primer)


def _in_channels(notes: _Notes) -> tuple[_Notes, list[Change]]:
    """Return notes of at most :data:`CHANNELS` pairs of part and pitched instrument, and what was changed."""
    changes = []
    pitched = notes.instrument != _DRUMS
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
    changes.append(Change(int((instrument != notes.instrument).sum()), text))
    return notes._replace(instrument=instrument), changes


def _drums_mix(notes: _Notes) -> bool:
    """Return whether some drums of the primer begin after others; on one channel these need one track."""
    drums = notes.instrument == _DRUMS
    first, later = (notes.start[drums & (notes.primer == part)] for part in (1, 0))
    return bool(len(first) and len(later) and first.max() > later.min())


def _layered(notes: _Notes) -> tuple[Array, Array]:
    """Return the layer of each note, from 0, one channel for each layer of an instrument; and the ends of the notes."""
    layers, end = np.zeros(len(notes.start), np.int64), notes.end.copy()
    # the primer's drums and the others share a channel
    key = np.where(notes.instrument == _DRUMS, _DRUMS, 2 * _DRUMS * notes.primer + notes.instrument)
    members = {int(each): np.flatnonzero(key == each) for each in np.unique(key)}
    limits = _limits({each: _layers(notes.chosen(rows), CHANNELS) for each, rows in members.items() if each != _DRUMS})
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


def _layers(notes: _Notes, limit: int) -> Array:
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


def _ends(notes: _Notes, layers: Array) -> Array:
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


def _tracks(notes: _Notes, layers: Array) -> Iterator[tuple[int, int, int]]:
    """Yield the tracks, at least one: whether of the primer, the instrument, the layer; drums last."""
    tracks = sorted({*zip((1 - notes.primer).tolist(), notes.instrument.tolist(), layers.tolist(), strict=True)})
    for own, instrument, layer in sorted(tracks or [(1, 0, 0)], key=lambda track: track[1] == _DRUMS):
        yield 1 - own, instrument, layer


def _name(instrument: int, primer: int, notes: _Notes, labels: Labels) -> str:
    import pretty_midi

    sound = "Drums" if instrument == _DRUMS else pretty_midi.program_to_instrument_name(instrument)
    alone = (notes.instrument[notes.primer == primer] == instrument).all()
    if primer:
        return "primer" if alone else f"primer: {sound}"
    return labels.tracks.get(instrument) or (labels.piece if alone else sound)


def _pretty_notes(notes: _Notes, tick: float) -> list[pretty_midi.Note]:
    import pretty_midi

    rows = zip(*(column.tolist() for column in notes[:4]), strict=True)
    return [pretty_midi.Note(velocity, pitch, start * tick, end * tick) for pitch, velocity, start, end in rows]


def _pretty_controls(pedals: Array, tick: float) -> list[pretty_midi.ControlChange]:
    import pretty_midi

    ticks = np.maximum(np.rint(pedals["time"] / tick), 0)
    rows = zip(ticks.tolist(), pedals["controller"].tolist(), pedals["value"].tolist(), strict=True)
    last = {(time, controller): value for time, controller, value in rows}
    return [pretty_midi.ControlChange(controller, value, time * tick) for (time, controller), value in last.items()]
