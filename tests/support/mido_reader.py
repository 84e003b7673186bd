"""An independent reader of MIDI files: mido parses the messages, and this module pairs them.

It shares no code with ablate's reader and serves only to compare with it. Its definition:

- Tracks are merged by tick, in the order of the file; the tempos of all tracks count. A voice is a channel of a port
  (meta event 0x21).
- A note-off (or a note-on of velocity 0) ends every open note of its voice and pitch that began before its tick. If
  there is none, those that begin at its tick end: they have no length. It is ignored if another message of this tick
  has ended a note in its place: a note-off that has ended two notes, or all-notes-off.
- All-notes-off (controllers 120, 123 to 127) ends the notes of a voice that began before its tick.
- All this holds within each track alone. Notes that are still open then, and note-offs that ended nothing, are paired
  once more, those of all tracks together; but not the first note-off that all-notes-off stood in for.
- Notes without an end or without length are left out and counted.
- The instrument of a note is the program that its track has last set for its voice, or else the last one that any
  track has set; channel 10 is drums. A reset of all controllers (121) lifts the pedals of its voice.
"""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING, Any, NamedTuple

from support.mido_messages import RefusalError, parse, split, unwrap

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """The music of a file.

    Attributes:
        notes: in the order of their ends.
        pedals: in the order of the file.
        left_out: the number of notes left out.
        help: why mido refuses or misreads the file as it is; "" if it does not.
        continued: whether a track has more bytes after its end.
    """

    notes: list[Note]
    pedals: list[Pedal]
    left_out: int
    help: str
    continued: bool


def read(data: bytes) -> Music:
    """Read the bytes of a MIDI file; raises :class:`RefusalError` with a reason."""
    kind, division, chunks, cut = split(unwrap(data))
    tracks = [parse(chunk) for chunk in chunks]
    if kind > 2 or (kind == 2 and len(tracks) > 1):
        raise RefusalError("format 2" if kind == 2 else "unknown format")
    if not tracks or division == 0:
        raise RefusalError("division 0" if tracks else "no tracks")
    if cut and not tracks[-1].ended:
        raise RefusalError("cut short")
    messages = []
    for number, track in enumerate(tracks):
        tick = 0
        for message in track.messages:
            tick += message.time
            messages.append((tick, number, message))
    events = _events(messages)
    help_needed = next((track.help for track in tracks if track.help), "")
    return Music(*_music(events, _Clock(events, division)), help_needed, any(track.continued for track in tracks))


class _Clock:
    """Seconds of ticks, as whole numbers up to the last division."""

    def __init__(self, events: list[_Event], division: int) -> None:
        self._time_code = division < 0
        if self._time_code:
            frames, parts = -(division >> 8), division & 0xFF
            if frames not in _FRAMES or not parts:
                raise RefusalError("unknown time code")
            self._unit = _FRAMES[frames] * parts
            return
        self._unit = division * 1e6
        self._changes = [(0, 0, 500_000)]  # tick, microseconds times division until then, tempo
        for event in events:
            if event.message.type == "set_tempo":
                self._changes.append((event.tick, self._total(event.tick), event.message.tempo))

    def _total(self, tick: int) -> int:
        since, total, tempo = self._changes[bisect(self._changes, tick, key=lambda change: change[0]) - 1]
        return total + (tick - since) * tempo

    def seconds(self, tick: int) -> float:
        """Return the time of a tick."""
        return (tick if self._time_code else self._total(tick)) / self._unit


class _Event(NamedTuple):
    """A message at its place in the file."""

    tick: int
    track: int
    voice: tuple[int, int]
    message: Any

    @property
    def pitch(self) -> int:
        """The pitch of a note-on or a note-off; -1 of other messages."""
        return self.message.note if self.message.type in {"note_on", "note_off"} else -1

    @property
    def begins(self) -> bool:
        """Whether a note begins."""
        return self.message.type == "note_on" and self.message.velocity > 0

    def controls(self, *numbers: int) -> bool:
        """Return whether it is one of these controllers."""
        return self.message.type == "control_change" and self.message.control in numbers


def _events(messages: list[tuple[int, int, Any]]) -> list[_Event]:
    """Return the events of messages, which are sorted by track, by tick."""
    events, port, last = [], 0, -1
    for tick, track, message in messages:
        port, last = port if track == last else 0, track
        if message.type == "midi_port":
            port = message.port
        events.append(_Event(tick, track, (port, getattr(message, "channel", -1)), message))
    return sorted(events, key=lambda event: event.tick)


def _ends(events: list[_Event]) -> dict[int, int | None]:
    """Return for each note, by the index of its event, that of its end; None if it has no length."""
    several = len({event.track for event in events}) > 1
    pairs, ignored = _paired(events, range(len(events)), within_tracks=True)
    if several:
        used = ignored.union(pairs.values())
        rest = [i for i, event in enumerate(events) if i not in (pairs if event.begins else used) or event.pitch < 0]
        pairs |= _paired(events, rest, within_tracks=False)[0]
    return pairs


def _paired(
    events: list[_Event], indices: Iterable[int], *, within_tracks: bool
) -> tuple[dict[int, int | None], set[int]]:
    """Return the end of each note that has one, and the note-offs that all-notes-off has stood in for."""
    pairs: dict[int, int | None] = {}
    ignored: set[int] = set()
    silenced: dict[tuple[Any, int], int] = {}  # the tick at which all-notes-off has ended notes
    keys: dict[tuple[Any, int], list[int]] = {}  # open notes of a group and pitch
    surplus: dict[tuple[Any, int], tuple[int, int]] = {}  # tick, notes that ended there without their note-off
    for index in indices:
        event = events[index]
        group = (event.track, event.voice) if within_tracks else event.voice
        key = group, event.pitch
        if event.begins:
            keys.setdefault(key, []).append(index)
        elif event.pitch >= 0:
            ended = _close(keys, key, event.tick, events)
            more = _surplus(surplus, key, event.tick)
            if silenced.pop(key, -1) == event.tick:
                ignored.add(index)
            if not ended and not more:
                pairs |= dict.fromkeys(keys.pop(key, []))
            surplus[key] = event.tick, max(0, more + len(ended) - 1)
            pairs |= dict.fromkeys(ended, index)
        elif event.controls(*_ALL_OFF):
            for other in [other for other in keys if other[0] == group]:
                ended = _close(keys, other, event.tick, events)
                pairs |= dict.fromkeys(ended, index)
                silenced |= dict.fromkeys([other] if ended else [], event.tick)
                surplus[other] = event.tick, len(ended) + _surplus(surplus, other, event.tick)
    return pairs, ignored


def _surplus(surplus: dict[tuple[Any, int], tuple[int, int]], key: tuple[Any, int], tick: int) -> int:
    at, more = surplus.get(key, (tick, 0))
    return more if at == tick else 0


def _close(keys: dict[tuple[Any, int], list[int]], key: tuple[Any, int], tick: int, events: list[_Event]) -> list[int]:
    """Take away and return the open notes that began before a tick."""
    opened = keys.get(key, [])
    ended = [index for index in opened if events[index].tick < tick]
    keys[key] = opened[len(ended) :]
    return ended


class _Programs:
    """The programs in force while a file plays."""

    def __init__(self) -> None:
        self._programs: dict[tuple[int, tuple[int, int]], int] = {}

    def change(self, event: _Event) -> None:
        """Set the program of a voice, if the event is a program change."""
        if event.message.type == "program_change":
            self._programs[event.track, event.voice] = self._programs[-1, event.voice] = event.message.program

    def instrument(self, event: _Event) -> int:
        """Return the instrument that the voice of an event has."""
        program = self._programs.get((event.track, event.voice), self._programs.get((-1, event.voice), 0))
        return DRUMS if event.voice[1] == 9 else program


def _music(events: list[_Event], clock: _Clock) -> tuple[list[Note], list[Pedal], int]:
    """Return the notes, the pedals, and the number of notes left out."""
    programs, pairs = _Programs(), _ends(events)
    notes, pedals, left_out = [], [], 0
    for index, event in enumerate(events):
        programs.change(event)
        time, channel = clock.seconds(event.tick), event.voice[1]
        if event.begins:
            off = pairs.get(index)
            end = time if off is None else clock.seconds(events[off].tick)
            if end > time:  # a tempo of 0 gives notes without length, too
                message = event.message
                notes.append(Note(channel, message.note, message.velocity, time, end, programs.instrument(event)))
            else:
                left_out += 1
        elif event.controls(64, 67, 121):
            message = event.message
            values = {64: 0, 67: 0} if message.control == 121 else {message.control: message.value}
            pedals += [
                Pedal(channel, time, number, value, programs.instrument(event)) for number, value in values.items()
            ]
    return notes, pedals, left_out
