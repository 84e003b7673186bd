"""An independent reader of MIDI files: mido parses the messages, and this module pairs them.

It shares no code with ablate's reader and serves only to compare with it. Its definition:

- Tracks are merged by tick, in the order of the file; the tempos of all tracks count.
- A note-off (or a note-on of velocity 0) ends every open note of its track, channel and pitch that began before its
  tick. Where its track has no such note open, it ends those of the channel's other tracks.
- A note-off at the tick where a note of its track begins, and that ends no earlier one, ends that note: it has no
  length. A note-off is ignored if another one of this tick has ended two notes, and so one in its place.
- All-notes-off (controllers 120, 123 to 127) ends the notes of a channel that began before its tick. A reset of all
  controllers (121) lifts its pedals.
- Notes without an end or without length are left out and counted.
- The instrument of a note is the program that its track has last set on its channel, or else the last one that any
  track has set; channel 10 is drums.
"""

from __future__ import annotations

from bisect import bisect
from typing import Any, NamedTuple

from support.mido_messages import RefusalError, parse, split, unwrap

DRUMS = 128
_ALL_OFF = {120, *range(123, 128)}
_FRAMES = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}


class Note(NamedTuple):
    """One note; times in seconds, the instrument a program or :data:`DRUMS`."""

    channel: int
    pitch: int
    velocity: int
    start: float
    end: float
    instrument: int


class Pedal(NamedTuple):
    """One event of controller 64 or 67, or the value 0 that a reset of all controllers gives it."""

    channel: int
    time: float
    controller: int
    value: int
    instrument: int


class Music(NamedTuple):
    """The notes and pedals of a file, the number of notes left out, and what helped mido to read it ("" if nothing)."""

    notes: list[Note]
    pedals: list[Pedal]
    left_out: int
    help: str


def read(data: bytes) -> Music:
    """Read the bytes of a MIDI file; raises :class:`RefusalError` with a reason."""
    kind, division, tracks = split(unwrap(data))
    if kind > 1:
        raise RefusalError("format 2")
    if not tracks:
        raise RefusalError("no tracks")
    if division == 0:
        raise RefusalError("division 0")
    help_needed, events = "", []
    for number, track in enumerate(tracks):
        messages, help_of_track = parse(track)
        help_needed = help_needed or help_of_track
        tick = 0
        for message in messages:
            tick += message.time
            events.append((tick, number, message))
    events.sort(key=lambda event: event[0])
    state = _State(_Clock(events, division))
    for event in events:
        state.play(*event)
    notes = [note for note in state.notes if note.end > note.start]  # a tempo of 0 gives notes without length, too
    return Music(notes, state.pedals, state.left_out() + len(state.notes) - len(notes), help_needed)


class _Clock:
    """Seconds of ticks, as whole numbers up to the last division."""

    def __init__(self, events: list[tuple[int, int, Any]], division: int) -> None:
        self._time_code = division < 0
        if self._time_code:
            frames, parts = -(division >> 8), division & 0xFF
            if frames not in _FRAMES or not parts:
                raise RefusalError("unknown time code")
            self._unit = _FRAMES[frames] * parts
            return
        self._unit = division * 1e6
        self._changes = [(0, 0, 500_000)]  # tick, microseconds times division until then, tempo
        for tick, _, message in events:
            if message.type == "set_tempo":
                self._changes.append((tick, self._total(tick), message.tempo))

    def _total(self, tick: int) -> int:
        since, total, tempo = self._changes[bisect(self._changes, tick, key=lambda change: change[0]) - 1]
        return total + (tick - since) * tempo

    def seconds(self, tick: int) -> float:
        """Return the time of a tick."""
        return (tick if self._time_code else self._total(tick)) / self._unit


class _Open(NamedTuple):
    """A note that has no end yet."""

    tick: int
    track: int
    velocity: int
    instrument: int


class _Key:
    """The open notes of one channel and pitch, in the order of their starts."""

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.without_length = 0
        self._surplus: dict[int, tuple[int, int]] = {}  # track: tick, notes that ended there without their note-off

    def off(self, tick: int, track: int) -> list[_Open]:
        """Return the notes that a note-off ends."""
        own = [note for note in self.open if note.track == track]
        at, surplus = self._surplus.get(track, (tick, 0))
        surplus = surplus if at == tick else 0
        ended = [note for note in own if note.tick < tick]
        if not ended and surplus:
            self._surplus[track] = tick, surplus - 1
        elif not ended and own:
            self._without(own[:1])
            self.without_length += 1
        else:
            ended = ended or [note for note in self.open if note.tick < tick]
            self._surplus[track] = tick, surplus + max(len(ended) - 1, 0)
        return self._without(ended)

    def all_off(self, tick: int) -> list[_Open]:
        """Return the notes that all-notes-off ends."""
        return self._without([note for note in self.open if note.tick < tick])

    def _without(self, ended: list[_Open]) -> list[_Open]:
        if ended:
            ids = set(map(id, ended))
            self.open = [note for note in self.open if id(note) not in ids]
        return ended


class _State:
    """The channels while a file plays."""

    def __init__(self, clock: _Clock) -> None:
        self._seconds = clock.seconds
        self._keys: dict[tuple[int, int], _Key] = {}
        self._programs: dict[tuple[int, int], int] = {}  # track (or -1, any track), channel
        self.notes: list[Note] = []
        self.pedals: list[Pedal] = []

    def play(self, tick: int, track: int, message: Any) -> None:
        """Change the state by one message."""
        kind, channel = message.type, getattr(message, "channel", -1)
        if kind in {"note_on", "note_off"}:
            key = self._keys.setdefault((channel, message.note), _Key())
            if kind == "note_on" and message.velocity:
                key.open.append(_Open(tick, track, message.velocity, self._instrument(track, channel)))
            else:
                self._end(channel, message.note, key.off(tick, track), tick)
        elif kind == "program_change":
            self._programs[track, channel] = self._programs[-1, channel] = message.program
        elif kind == "control_change" and message.control in _ALL_OFF:
            for (of_channel, pitch), key in self._keys.items():
                if of_channel == channel:
                    self._end(channel, pitch, key.all_off(tick), tick)
        elif kind == "control_change":
            values = {64: 0, 67: 0} if message.control == 121 else {message.control: message.value}
            for control in values.keys() & {64, 67}:
                instrument = self._instrument(track, channel)
                self.pedals.append(Pedal(channel, self._seconds(tick), control, values[control], instrument))

    def left_out(self) -> int:
        """Return the number of notes without an end or without length."""
        return sum(len(key.open) + key.without_length for key in self._keys.values())

    def _instrument(self, track: int, channel: int) -> int:
        program = self._programs.get((track, channel), self._programs.get((-1, channel), 0))
        return DRUMS if channel == 9 else program

    def _end(self, channel: int, pitch: int, ended: list[_Open], tick: int) -> None:
        for note in ended:
            start, end = self._seconds(note.tick), self._seconds(tick)
            self.notes.append(Note(channel, pitch, note.velocity, start, end, note.instrument))
