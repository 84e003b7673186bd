"""A performance: the notes of one recorded or generated piece, its pedal events, and its labels."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pretty_midi

    from ablate.arrays import Array
    from ablate.music.write import MidiFile

#: A note with its MIDI pitch (0 to 127), MIDI velocity (1 to 127), start and end in seconds, and instrument (the
#: General MIDI program, 0 to 127, or 128 for drums).
NOTE_DTYPE = np.dtype([("pitch", "i2"), ("velocity", "i2"), ("start", "f8"), ("end", "f8"), ("instrument", "i2")])
#: A pedal event with its time in seconds, MIDI controller number (64 sustain, 67 soft), value (0 to 127), and the
#: instrument that it belongs to.
PEDAL_DTYPE = np.dtype([("time", "f8"), ("controller", "i2"), ("value", "i2"), ("instrument", "i2")])

#: The instrument of drums; other instruments are General MIDI programs, 0 to 127.
DRUMS = 128

SUSTAIN = 64
_NO_LABELS: Mapping[str, float] = MappingProxyType({})
_NO_NAMES: Mapping[int, str] = MappingProxyType({})


def make_notes(*, pitch: Any, velocity: Any, start: Any, end: Any, instrument: Any = 0) -> Array:
    """Return notes, an array of :data:`NOTE_DTYPE`, from their columns: arrays of one length, or one value for all."""
    return _records(NOTE_DTYPE, pitch=pitch, velocity=velocity, start=start, end=end, instrument=instrument)


def make_pedals(*, time: Any, controller: Any, value: Any, instrument: Any = 0) -> Array:
    """Return pedal events, an array of :data:`PEDAL_DTYPE`, from their columns, as :func:`make_notes` does."""
    return _records(PEDAL_DTYPE, time=time, controller=controller, value=value, instrument=instrument)


def pitched(notes: Array) -> Array:
    """Return the notes of all instruments but drums, whose pitch is the number of a sound; do not change them."""
    pitch_is_meant = notes["instrument"] != DRUMS
    return notes if pitch_is_meant.all() else notes[pitch_is_meant]


def _records(dtype: np.dtype[Any], **columns: Any) -> Array:
    records = np.empty(np.broadcast(*columns.values()).shape, dtype)
    for name, column in columns.items():
        records[name] = column
    return records


def _no_pedals() -> Array:
    return np.empty(0, PEDAL_DTYPE)


def _no_notes() -> Array:
    return np.empty(0, NOTE_DTYPE)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Performance:
    """Notes, pedal events and labels of one piece.

    Attributes:
        notes: record array of :data:`NOTE_DTYPE`, in the order of its reader (see ``ablate.music.midi``).
        pedals: record array of :data:`PEDAL_DTYPE`, by time.
        labels: named numbers that describe the performance (``{"tempo": 0.9}``).
            Augmenters write them, conditioners read them.
        name: of a piece its identity in a corpus, so best used once in it: for a file its path in the corpus's folder,
            without suffix and with ``/``. Of a generated sample a name for people.
        primer: the notes that ``notes`` continue, of :data:`NOTE_DTYPE`, on the same clock; they are not part of
            ``notes``.
        primer_seconds: the time where the primer ends and the new notes begin; 0.0 without a primer.
        track_names: the names of the tracks of an instrument in its file, by instrument; metadata that nothing
            depends on.
    """

    notes: Array
    pedals: Array = dataclasses.field(default_factory=_no_pedals)
    labels: Mapping[str, float] = dataclasses.field(default_factory=lambda: _NO_LABELS)
    name: str = ""
    primer: Array = dataclasses.field(default_factory=_no_notes)
    primer_seconds: float = 0.0
    track_names: Mapping[int, str] = dataclasses.field(default_factory=lambda: _NO_NAMES)

    def __len__(self) -> int:
        """Return the number of notes."""
        return len(self.notes)

    def __repr__(self) -> str:
        parts = [repr(self.name)] if self.name else []
        parts += [f"{len(self.notes)} notes", f"{self.seconds:.1f} s"]
        parts += [f"after a primer of {len(self.primer)} notes"] if len(self.primer) else []
        parts += [f"labels {dict(self.labels)}"] if self.labels else []
        return f"<Performance {', '.join(parts)}>"

    def _repr_png_(self) -> bytes:
        """Return a small piano roll for Jupyter."""
        from ablate.music.picture import piano_roll_png  # seldom needed

        return piano_roll_png(self.notes, self.primer)

    def _repr_html_(self) -> str | None:
        """Return the piano roll with a legend for Jupyter, if there are several instruments; otherwise None."""
        from ablate.music.picture import piano_roll_html

        return piano_roll_html(self.notes, self.primer)

    @property
    def seconds(self) -> float:
        """The end of the last note in seconds; 0.0 without notes."""
        return float(self.notes["end"].max()) if len(self.notes) else 0.0

    @classmethod
    def from_notes(cls, notes: Iterable[tuple[float, ...]], **rest: Any) -> Performance:
        """Build a performance from ``(pitch, velocity, start, end)`` tuples, in their order.

        A fifth entry is the note's instrument, 0 to 128; without it, it is the piano, 0.
        """
        rows = [(*note, 0)[:5] for note in notes]
        return cls(np.array(rows, NOTE_DTYPE), **rest)

    def replace(self, **changes: Any) -> Performance:
        """Return a copy with some attributes replaced."""
        return dataclasses.replace(self, **changes)

    def labelled(self, **labels: float) -> Performance:
        """Return a copy with labels added."""
        return self.replace(labels=MappingProxyType({**self.labels, **labels}))

    def whole(self) -> Performance:
        """Return the performance with the primer's notes as the first ones of its own."""
        return self.replace(notes=np.concatenate([self.primer, self.notes]), primer=_no_notes(), primer_seconds=0.0)

    def continuation(self) -> Performance:
        """Return the performance without its primer, shifted so that the end of the primer is at 0 s."""
        notes, pedals = self.notes.copy(), self.pedals[self.pedals["time"] >= self.primer_seconds].copy()
        for field in ("start", "end"):
            notes[field] = np.maximum(notes[field] - self.primer_seconds, 0.0)
        pedals["time"] -= self.primer_seconds
        return self.replace(notes=notes, pedals=pedals, primer=_no_notes(), primer_seconds=0.0)

    def beginning(self, seconds: float) -> Performance:
        """Return the first ``seconds``: the notes that begin there, shortened if they end later, and the pedals."""

        def cut(notes: Array) -> Array:
            first = notes[notes["start"] < seconds].copy()
            first["end"] = np.minimum(first["end"], seconds)
            return first

        pedals = self.pedals[self.pedals["time"] < seconds]
        return self.replace(notes=cut(self.notes), primer=cut(self.primer), pedals=pedals)

    def canonical(self) -> Performance:
        """Return a copy with its notes in canonical order: by start, pitch, end, velocity, instrument."""
        start = self.notes["start"]
        in_order = bool((start[1:] >= start[:-1]).all())
        notes = self.notes.copy() if in_order else self.notes[np.argsort(start, kind="stable")]
        same = notes["start"][1:] == notes["start"][:-1]
        together = np.flatnonzero(np.append(same, False) | np.append(False, same))
        # the other keys decide only among notes that start together, so only these few are sorted by all keys
        order = np.lexsort([notes[key][together] for key in ("instrument", "velocity", "end", "pitch", "start")])
        notes[together] = notes[together][order]
        return self.replace(notes=notes)

    def check(self) -> None:
        """Raise :class:`CorpusError` unless every note is valid MIDI with ``0 <= start <= end``, finite."""
        notes = np.concatenate([self.primer, self.notes])
        times_ok = np.isfinite(notes["start"]) & np.isfinite(notes["end"]) & (notes["start"] >= 0)
        wrong = ~(times_ok & (notes["start"] <= notes["end"]))
        wrong |= (notes["pitch"] < 0) | (notes["pitch"] > 127)
        wrong |= (notes["velocity"] < 1) | (notes["velocity"] > 127)
        wrong |= (notes["instrument"] < 0) | (notes["instrument"] > DRUMS)
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise CorpusError(f"{self.name or 'performance'}: note {first} is not valid: {notes[first]}")

    @classmethod
    def from_pretty_midi(cls, midi: pretty_midi.PrettyMIDI, name: str = "") -> Performance:
        """Build a performance from all notes, in their order, and the sustain and soft pedal events."""
        instruments = [(DRUMS if i.is_drum else i.program, i) for i in midi.instruments]
        notes = [(n.pitch, n.velocity, n.start, n.end, number) for number, i in instruments for n in i.notes]
        pedals = [
            (c.time, c.number, c.value, number)
            for number, i in instruments
            for c in i.control_changes
            if c.number in (64, 67)
        ]
        pedal_array = np.array(pedals, PEDAL_DTYPE)
        pedal_array = pedal_array[np.argsort(pedal_array["time"], kind="stable")]
        return cls(np.array(notes, NOTE_DTYPE), pedal_array, name=name)

    def midi_file(self) -> MidiFile:
        """Return the performance as a MIDI file, with the changes that MIDI made necessary; see ``ablate.music.write``.

        Every instrument has a track, and further tracks where notes of one pitch overlap. The notes of a primer are in
        tracks of their own, named ``primer``.
        """
        from ablate.music.write import Labels, midi_file  # only where a file is written

        return midi_file(self.notes, self.primer, self.pedals, Labels(self.name, self.track_names))

    def to_pretty_midi(self) -> pretty_midi.PrettyMIDI:
        """Return the tracks of :meth:`midi_file` as a pretty_midi object."""
        return self.midi_file().midi

    def midi_bytes(self) -> bytes:
        """Return the bytes of :meth:`midi_file`, a Standard MIDI File written by pretty_midi."""
        return self.midi_file().data()
