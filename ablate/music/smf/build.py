"""Build a performance from the notes and pedal events of a song."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import CorpusError
from ablate.music.performance import Performance, make_notes, make_pedals
from ablate.music.smf.clock import Clock, read_tempos, without_zeros
from ablate.music.smf.pedals import held_by_channel
from ablate.music.smf.report import duration

if TYPE_CHECKING:
    from ablate.arrays import IntArray
    from ablate.music.smf.container import Container
    from ablate.music.smf.decode import Decoded
    from ablate.music.smf.notes import Notes
    from ablate.music.smf.pedals import Pedals
    from ablate.music.smf.song import Song

_LONGEST_NAME = 100


def clock_of(
    container: Container, decoded: Decoded, song: Song, notes: Notes, pedals: Pedals, source: str
) -> tuple[Clock, list[str]]:
    """Return the clock of a song, and the problems of its tempos.

    Raises:
        CorpusError: a tempo of 0 leaves a note or pedal event without a time.
    """
    if container.division.per_second:
        return Clock(container.division, []), []
    tempos, problems = read_tempos(decoded.tempos)
    if not all(microseconds for _, microseconds in tempos):
        last = max(int(song.tick[index].max(initial=0)) for index in (notes.end, pedals.event))
        tempos, zeros = without_zeros(tempos, last, source)
        problems += zeros
    return Clock(container.division, tempos), problems


def performance_of(song: Song, notes: Notes, pedals: Pedals, clock: Clock, *, extend: bool) -> Performance:
    """Return the notes, in the order of their beginnings, and the pedal events, in seconds.

    Args:
        song: the events.
        notes: at least one.
        pedals: the pedal events.
        clock: the seconds of each tick.
        extend: whether the sustain pedal of a channel holds its notes.
    """
    begins = notes.begin
    timed = make_notes(
        pitch=song.first[begins],
        velocity=song.second[begins],
        start=clock.seconds(song.tick[begins]),
        end=clock.seconds(song.tick[notes.end]),
        instrument=song.instrument(begins),
    )
    if extend:
        timed["end"] = held_by_channel(song, timed, begins, pedals, clock)
    events = make_pedals(
        time=clock.seconds(song.tick[pedals.event]),
        controller=pedals.controller,
        value=pedals.value,
        instrument=pedals.instrument,
    )
    return Performance(timed, events)


def check_times(performance: Performance, longest_pause: float, longest: float, option: str, source: str) -> None:
    """Raise :class:`CorpusError` if a pause or the piece lasts too long; see ``parse_midi``.

    Args:
        performance: to check.
        longest_pause: in seconds.
        longest: of a piece, in seconds, at least ``longest_pause``.
        option: that raises both, for the message; empty for none.
        source: the name of its file.
    """
    notes, pedals = performance.notes, performance.pedals
    last = max(performance.seconds, pedals["time"].max(initial=0.0))
    if last <= longest_pause:
        return
    moments = np.sort(np.concatenate([[0.0], notes["start"], notes["end"]]))
    if len(pedals):
        moments = np.append(moments, max(moments[-1], pedals["time"][-1]))
    pauses = np.diff(moments)
    place = int(pauses.argmax())
    # "not at most", here and below, so that NaN is no way around it
    if not pauses[place] <= longest_pause:
        raise CorpusError(
            f"{source}: has a pause of {duration(pauses[place])} after {duration(moments[place])}, longer than "
            f"{duration(longest_pause)}: it may be damaged{f'; if it is not, raise {option}' if option else ''}"
        )
    if not last <= longest:
        raise CorpusError(
            f"{source}: lasts {duration(last)}, and the longest piece that is read lasts {duration(longest)}; "
            f"it may be damaged{f'; if it is not, raise {option} to that' if option else ''}"
        )


def track_names(decoded: Decoded, song: Song, begins: IntArray, performance: Performance) -> dict[int, str]:
    """Return the names of the tracks in which the notes of each instrument begin, by instrument.

    Args:
        decoded: has the names of the tracks.
        song: the events.
        begins: the event that begins each note.
        performance: the notes in the same order.
    """
    if not decoded.names:
        return {}
    pairs = np.unique((performance.notes["instrument"].astype(np.int64) << 32) + song.track[begins])
    names: dict[int, dict[str, None]] = {}
    for instrument, track in zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True):
        if name := _text(decoded.names.get(track, b"")):
            names.setdefault(instrument, {})[name] = None
    return {instrument: ", ".join(of) for instrument, of in names.items()}


def _text(name: bytes) -> str:
    """Return a name: as UTF-8, or, as RP-001 allows any code, as Latin-1; without control characters."""
    name = name[: 4 * _LONGEST_NAME]
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        text = name.decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_NAME]
