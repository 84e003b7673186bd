"""Write performances as MIDI files that every reader reads back to the same notes.

In MIDI, a note-off names a channel and a pitch, not a note. Where two notes of one pitch sound together on one channel,
readers disagree about which of them it ends: pretty_midi ends all that began before, symusic the first. So notes of one
pitch and instrument that overlap are written on different channels, each in a track of its own. A note that begins at
the tick at which another one ends does not overlap it: its note-on comes after the note-off.

A file has 15 channels, and one for drums. Where these are too few:

- Every pitched instrument gets a channel; the others go, one by one, to the instrument with the most notes that still
  have none. A note without a channel takes the one whose note of its pitch ends soonest, and then notes of one pitch on
  one channel that begin together end together, as the shortest of them; others with different ends end where the next
  one begins. This is the rule for drums as well.
- A primer has tracks and channels of its own, unless there are too few for all instruments of both. Its drums have a
  track of their own if they begin before all others.
- Of more than 15 instruments, those with the fewest notes are written as the one of the others with the nearest number.
  Their pedal events are left out: on the channels of that one, they would hold its notes. Its own hold theirs.

Each of these changes is reported, but that a drum ends where it is struck again warns nobody: it is usual, and hardly
any sound of a drum depends on its end. Not reported, for they are shorter than a tick: a time moves to the nearest
tick, a note lasts at least one, and of several movements of a pedal within a tick the last one is written.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.errors import CorpusError
from ablate.music.channels import DRUMS, Change, Notes, in_channels, layered, left_out_pedals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pretty_midi

    from ablate.arrays import Array

#: Ticks of a quarter note, which lasts half a second: a tick is 0.52 ms.
RESOLUTION = 960
_TEMPO = 120.0
# pretty_midi refuses files with more ticks, so the ticks of a piece that is longer than 85 minutes are longer
_MOST_TICKS = 9_900_000


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
        """Return the changes that are not harmless, one line each, for people."""
        found = [change for change in self.changes if not change.harmless]
        return tuple(
            f"{one.notes} of {self.notes} notes {one.text}{left_out_pedals(one.pedals)}" if one.notes else one.text
            for one in found
        )

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


def latin1(text: str) -> str:
    r"""Return ``text`` with escapes (``\u6708``) for what is not Latin-1, the encoding of text in MIDI files."""
    return text.encode("latin-1", "backslashreplace").decode("latin-1")


def midi_file(notes: Array, primer: Array, pedals: Array, labels: Labels) -> MidiFile:
    """Arrange notes and pedal events as the tracks of a MIDI file, by the rules of this module.

    Pedal events go to every channel of their instrument; those of an instrument without notes have no effect and are
    not written. Those of an instrument that is written as another one are left out, and counted.

    Args:
        notes: record array of ``NOTE_DTYPE``, with valid notes.
        primer: the notes before them, of the same type; they get tracks of their own, named ``primer``.
        pedals: record array of ``PEDAL_DTYPE``, by time.
        labels: the names of the tracks.

    Raises:
        CorpusError: a note ends, or a pedal moves, after more than 57 days.
    """
    import pretty_midi

    last = _last(notes, primer, pedals)
    resolution = _resolution(last, labels.piece or "performance")
    midi = pretty_midi.PrettyMIDI(resolution=resolution, initial_tempo=_TEMPO)
    tick = 60.0 / (_TEMPO * resolution)
    columns, changes = in_channels(_in_ticks(notes, primer, tick), pedals["instrument"])
    if tick > 1e-3:
        text = f"times are rounded to {1000 * tick:.1f} ms in the MIDI file: the music lasts {last:,.0f} s"
        changes.append(Change(0, text))
    layers, end = layered(columns)
    changes += _shortened(columns, end)
    columns = columns._replace(end=end)
    for first, instrument, layer in _tracks(columns, layers):
        chosen = (columns.instrument == instrument) & (columns.primer == first) & (layers == layer)
        name = _name(instrument, first, columns, labels)
        track = pretty_midi.Instrument(instrument % DRUMS, is_drum=instrument == DRUMS, name=latin1(name))
        track.notes = _pretty_notes(columns.chosen(chosen), tick)
        track.control_changes = _pretty_controls(pedals[pedals["instrument"] == instrument], tick)
        midi.instruments.append(track)
    return MidiFile(midi, len(end), tuple(changes))


def _last(notes: Array, primer: Array, pedals: Array) -> float:
    """Return the time of the last event that is written; 0.0 without any."""
    played = np.unique(np.concatenate([notes["instrument"], primer["instrument"]]))
    written = pedals["time"][np.isin(pedals["instrument"], played)]
    return max((float(times.max()) for times in (notes["end"], primer["end"], written) if len(times)), default=0.0)


def _resolution(seconds: float, source: str) -> int:
    ticks = 2 * RESOLUTION * seconds
    if not 2 * seconds <= _MOST_TICKS:
        days = _MOST_TICKS / 2 / 86400
        raise CorpusError(f"{source}: the music lasts {seconds:.3g} s, and a MIDI file has {days:.0f} days at most")
    if ticks <= _MOST_TICKS:
        return RESOLUTION
    most = int(_MOST_TICKS / (2 * seconds))
    return next(resolution for resolution in range(most, 0, -1) if _is_exact(resolution))


def _is_exact(resolution: int) -> bool:
    """Return whether pretty_midi writes the tempo as 500,000 us; it may cut it to 499,999, 10 s in 57 days."""
    scale = 60.0 / (_TEMPO * resolution)
    return int(6e7 / (60.0 / (scale * resolution))) == 500_000


def _in_ticks(notes: Array, primer: Array, tick: float) -> Notes:
    both = np.concatenate([primer, notes])
    start, end = (np.rint(both[field] / tick).astype(np.int64) for field in ("start", "end"))
    pitch, velocity, instrument = (both[field].astype(np.int64) for field in ("pitch", "velocity", "instrument"))
    is_primer = (np.arange(len(both)) < len(primer)).astype(np.int64)
    return Notes(pitch, velocity, start, np.maximum(end, start + 1), instrument, is_primer)


def _shortened(notes: Notes, end: Array) -> Iterator[Change]:
    """Yield how many pitched notes and how many drums get earlier ends."""
    shortened, drums = end < notes.end, notes.instrument == DRUMS
    pitched_count, drum_count = (int((shortened & which).sum()) for which in (~drums, drums))
    if pitched_count:
        text = "end earlier in the MIDI file: it has too few channels for the notes of one pitch that sound together"
        yield Change(pitched_count, text)
    if drum_count:
        text = "are drums that end in the MIDI file where they are struck again: drums have one channel"
        yield Change(drum_count, text, harmless=True)


def _tracks(notes: Notes, layers: Array) -> Iterator[tuple[int, int, int]]:
    """Yield the tracks, at least one: whether of the primer, the instrument, the layer; drums last."""
    tracks = sorted({*zip((1 - notes.primer).tolist(), notes.instrument.tolist(), layers.tolist(), strict=True)})
    for own, instrument, layer in sorted(tracks or [(1, 0, 0)], key=lambda track: track[1] == DRUMS):
        yield 1 - own, instrument, layer


def _name(instrument: int, primer: int, notes: Notes, labels: Labels) -> str:
    import pretty_midi

    sound = "Drums" if instrument == DRUMS else pretty_midi.program_to_instrument_name(instrument)
    alone = (notes.instrument[notes.primer == primer] == instrument).all()
    if primer:
        return "primer" if alone else f"primer: {sound}"
    return labels.tracks.get(instrument) or (labels.piece if alone else sound)


def _pretty_notes(notes: Notes, tick: float) -> list[pretty_midi.Note]:
    import pretty_midi

    rows = zip(*(column.tolist() for column in notes[:4]), strict=True)
    return [pretty_midi.Note(velocity, pitch, start * tick, end * tick) for pitch, velocity, start, end in rows]


def _pretty_controls(pedals: Array, tick: float) -> list[pretty_midi.ControlChange]:
    import pretty_midi

    ticks = np.maximum(np.rint(pedals["time"] / tick), 0)
    rows = zip(ticks.tolist(), pedals["controller"].tolist(), pedals["value"].tolist(), strict=True)
    last = {(time, controller): value for time, controller, value in rows}
    return [pretty_midi.ControlChange(controller, value, time * tick) for (time, controller), value in last.items()]
