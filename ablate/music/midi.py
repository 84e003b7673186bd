"""Read MIDI files into performances.

Two readers share one definition of a note, that of pretty_midi: a note-off (or a note-on of velocity 0) ends every open
note of its channel and pitch that began before it. Notes without an end, or without any length, are left out and
counted. The instrument of a note is the program of its channel; channel 10 has drums, whatever its program.

``symusic`` reads with C++ and vectorised NumPy, about a hundred times faster. It pairs the first open note-on with the
first note-off; where the result differs, notes are paired again here by the definition above. A file is read again by
pretty_midi only if the positions of its note-offs do not follow from symusic's notes. Times are computed here, from
ticks, in double precision and with the arithmetic of pretty_midi: symusic's seconds are 32-bit floats, with errors of
up to 60 microseconds in pieces of a quarter of an hour.
"""

from __future__ import annotations

import io
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ablate.errors import CorpusError, one_line
from ablate.music.performance import DRUMS, SUSTAIN, Performance, make_notes, make_pedals
from ablate.music.smf import Frame, read_frame

if TYPE_CHECKING:
    from ablate.arrays import Array

_WARNINGS = threading.Lock()
Reader = Literal["symusic", "pretty_midi"]
SOFT = 67
_TICK_BITS = 40


class Reading(NamedTuple):
    """A performance and the oddities of its file.

    Attributes:
        performance: the notes and pedal events.
        problems: the oddities; one line each, for people.
        left_out: the number of notes that are left out, because they never end or have no length.
    """

    performance: Performance
    problems: tuple[str, ...]
    left_out: int = 0


def read_midi(path: str | Path, reader: Reader = "symusic") -> Performance:
    """Read the notes and pedal events of a MIDI file.

    Args:
        path: a Standard MIDI File of format 0 or 1.
        reader: ``"symusic"``, fast, notes in canonical order; or ``"pretty_midi"``, slow, notes in pretty_midi's
            order (that of their note-offs, instrument by instrument). The notes are the same, except in a file
            with tempo changes outside its first track, which pretty_midi ignores.

    Returns:
        All notes with a length, with their instruments; the events of controllers 64 (sustain) and 67 (soft pedal) of
        channels with notes; the file's stem as name.

    Raises:
        CorpusError: the file is missing, unreadable, no MIDI file, damaged, or without notes.
    """
    return parse_midi(read_bytes(Path(path)), str(path), reader).performance


def read_bytes(path: Path, source: str = "") -> bytes:
    """Return the contents of a file; raises :class:`CorpusError` with the name ``source`` (by default the path)."""
    source = source or str(path)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CorpusError(f"{source}: no such file; check the path") from None
    except IsADirectoryError:
        raise CorpusError(f"{source}: is a folder; give one MIDI file") from None
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        raise CorpusError(f"{source}: cannot be opened: {getattr(error, 'strerror', None) or error}") from None


def parse_midi(data: bytes, source: str, reader: Reader = "symusic") -> Reading:
    """Read the bytes of a MIDI file; see :func:`read_midi`.

    Args:
        data: the whole file.
        source: its name or path, for messages and for the performance's name.
        reader: see :func:`read_midi`.

    Raises:
        CorpusError: no MIDI file, damaged, or without notes.
    """
    frame = read_frame(data, source)
    parse = _parse_symusic if reader == "symusic" else _parse_pretty_midi
    performance, problems, left_out = parse(frame, source)
    if not len(performance):
        raise CorpusError(f"{source}: holds no notes (notes without an end do not count); leave it out")
    performance.check()
    lacking = frame.without_end()
    if lacking:
        listed = ", ".join(map(str, lacking))
        problems = (*problems, f"track {listed} has no end-of-track event; the file may be cut short")
    return Reading(performance, problems, left_out)


def _parse_symusic(frame: Frame, source: str) -> Reading:
    score = _score(frame.plain(), source)
    tracks = list(score.tracks)
    ended = _notes_in_ticks(tracks)
    begun = _begun(frame, ended, source)
    problems: tuple[str, ...] = ()
    if len(ended.start) == len(begun.start) and not _ambiguous(ended):
        performance = _in_seconds(score, tracks, ended, source)
    elif (ended.end == ended.start).any() or ended.programs > 1 or begun.voices != ended.voices:
        # a note-off at the time of its note-on does not end it, and the note-off that does is not in these notes
        performance, problems, _ = _parse_pretty_midi(frame, source)
        performance = performance.canonical()
    else:
        performance = _in_seconds(score, tracks, _ended_together(begun, ended), source)
    lost = len(begun.start) - len(performance)
    if lost > 0:
        problems = (*problems, f"{lost} of {len(begun.start)} notes left out: without an end or without length")
    return Reading(performance, problems, max(lost, 0))


def _begun(frame: Frame, ended: _Notes, source: str) -> _Notes:
    """Return all notes that begin, with or without an end; ``ended`` are those with an end."""
    known, times = ended, 1
    while True:
        closed = _score(frame.closed(times), source)
        notes = _notes_in_ticks(list(closed.tracks))
        # more note-offs end no further note: none is left open
        if len(notes.start) == len(known.start):
            return notes
        known, times = notes, 2 * times


def _score(data: bytes, source: str) -> Any:
    import symusic

    try:
        return symusic.Score.from_midi(data)
    except Exception as error:  # it raises RuntimeError, TypeError and others for damaged events
        raise CorpusError(_damaged(source, error)) from error


def _damaged(source: str, error: Exception) -> str:
    reason = one_line(error) or type(error).__name__
    return f"{source}: is damaged, its events cannot be read ({reason}); get a whole copy of it"


class _Notes(NamedTuple):
    """Notes in ticks, as columns of int64.

    Attributes:
        start: of each note.
        end: of each note; not before its start.
        velocity: of each note.
        key: a number for the voice and the pitch; only notes of one key can share a note-off.
        instrument: of each note, 0 to 128.
        voices: the number of tracks in symusic, which splits them by channel and by program.
        programs: the number of programs; with several of them, one channel may be in several voices.
    """

    start: Array
    end: Array
    velocity: Array
    key: Array
    instrument: Array
    voices: int
    programs: int

    @property
    def pitch(self) -> Array:
        return self.key % 128


def _notes_in_ticks(tracks: list[Any]) -> _Notes:
    arrays = [track.notes.numpy() for track in tracks]
    columns = {
        name: np.concatenate([np.empty(0, np.int64), *(array[name] for array in arrays)])
        for name in ("time", "duration", "pitch", "velocity")
    }
    voice = np.repeat(np.arange(len(arrays)), [len(array["time"]) for array in arrays])
    instrument = np.array([_instrument(track) for track in tracks], np.int64)[voice]
    programs = max(len({track.program for track in tracks if track.is_drum == drums}) for drums in (False, True))
    # drums have a channel of their own, and so keys of their own
    key = 128 * (voice if programs <= 1 else instrument == DRUMS) + columns["pitch"]
    end = columns["time"] + columns["duration"]
    return _Notes(columns["time"], end, columns["velocity"], key, instrument, len(arrays), programs)


def _instrument(track: Any) -> int:
    return DRUMS if track.is_drum else int(track.program)


def _ambiguous(notes: _Notes) -> bool:
    """Return whether another pairing of note-ons and note-offs would give other notes.

    This is so if a note begins while another note of its key sounds, or together with it, unless both end together.
    """
    order = np.argsort(_by_key(notes.key, notes.start), kind="stable")
    start, end, key = notes.start[order], notes.end[order], notes.key[order]
    entangled = (start[1:] < end[:-1]) | (start[1:] == start[:-1])
    return bool(((key[1:] == key[:-1]) & entangled & (end[1:] != end[:-1])).any() or (end == start).any())


def _ended_together(begun: _Notes, ended: _Notes) -> _Notes:
    """Return every note that begins, ended by the first note-off of its key after its start.

    ``ended`` has every note-off that ends a note by this rule: while a note of a key is open, symusic has one open too,
    and it ends one note with each note-off, unless a note ends where it started.
    """
    offs = np.unique(_by_key(ended.key, ended.end))
    index = np.searchsorted(offs, _by_key(begun.key, begun.start), side="right")
    off = offs[np.minimum(index, len(offs) - 1)] if len(offs) else np.full(len(index), -1)
    ends = (index < len(offs)) & (off >> _TICK_BITS == begun.key)
    end = off & ((1 << _TICK_BITS) - 1)
    chosen = {name: getattr(begun, name)[ends] for name in ("start", "velocity", "key", "instrument")}
    return begun._replace(end=end[ends], **chosen)


def _by_key(key: Array, ticks: Array) -> Array:
    """Return numbers that sort by key and then by ticks; the ticks of a MIDI file need fewer bits than they have."""
    return (key << _TICK_BITS) | ticks


def _in_seconds(score: Any, tracks: list[Any], notes: _Notes, source: str) -> Performance:
    if any((values < 0).any() for values in notes[:4]) or (notes.end < notes.start).any():
        raise CorpusError(f"{source}: is damaged: its times exceed what a MIDI file can hold")
    clock = _Clock(score, source)
    start, end = clock.seconds(notes.start), clock.seconds(notes.end)
    timed = make_notes(pitch=notes.pitch, velocity=notes.velocity, start=start, end=end, instrument=notes.instrument)
    controls = [track.controls.numpy() for track in tracks]
    events = {
        key: np.concatenate([np.empty(0, np.int64), *(c[key] for c in controls)]) for key in ("time", "number", "value")
    }
    chosen = np.flatnonzero((events["number"] == SUSTAIN) | (events["number"] == SOFT))
    chosen = chosen[np.argsort(events["time"][chosen], kind="stable")]
    times = clock.seconds(events["time"][chosen])
    instrument = np.repeat([_instrument(track) for track in tracks], [len(c["time"]) for c in controls])[chosen]
    pedals = make_pedals(
        time=times, controller=events["number"][chosen], value=events["value"][chosen], instrument=instrument
    )
    return Performance(timed, pedals, name=Path(source).stem).canonical()


class _Clock:
    """Seconds at each tick, in the arithmetic of pretty_midi, so that both readers agree bit for bit."""

    def __init__(self, score: Any, source: str) -> None:
        tempos = score.tempos.numpy()
        order = np.argsort(tempos["time"], kind="stable")
        quarter = 60.0 / (120.0 * score.ticks_per_quarter)  # 120 bpm by default
        ticks, lengths = [0], [quarter]
        for tick, microseconds in zip(tempos["time"][order].tolist(), tempos["mspq"][order].tolist(), strict=True):
            if microseconds <= 0 or tick < 0:
                raise CorpusError(f"{source}: is damaged: it has a tempo without duration")
            length = 60.0 / ((6e7 / microseconds) * score.ticks_per_quarter)
            if tick == 0:
                lengths[0] = length
            elif length != lengths[-1]:
                ticks.append(tick)
                lengths.append(length)
        self._ticks, self._lengths = np.array(ticks, np.int64), np.array(lengths)
        self._offsets = np.concatenate([[0.0], np.cumsum(self._lengths[:-1] * np.diff(self._ticks))])

    def seconds(self, ticks: Array) -> Array:
        """Return the seconds, float64, at each of ``ticks`` (at least 0)."""
        part = np.searchsorted(self._ticks, ticks, side="right") - 1
        return np.asarray(self._offsets[part] + self._lengths[part] * (ticks - self._ticks[part]))


def _parse_pretty_midi(frame: Frame, source: str) -> Reading:
    import pretty_midi

    # the filter of warnings is shared by all threads
    with _WARNINGS, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            midi = pretty_midi.PrettyMIDI(io.BytesIO(frame.plain()))
            performance = Performance.from_pretty_midi(midi, name=Path(source).stem)
        except Exception as error:  # damaged events raise EOFError, OSError, KeyError and others
            raise CorpusError(_damaged(source, error)) from error
    problems = (_problem(str(warning.message)) for warning in caught if warning.category is RuntimeWarning)
    return Reading(performance, tuple(dict.fromkeys(problems)))


def _problem(warning: str) -> str:
    if warning.startswith("Tempo, Key or Time signature"):
        return "tempo, key or time signature changes outside the first track; pretty_midi ignores those tempos"
    return " ".join(warning.split())
