"""Inspect a corpus before training: counts, ranges, oddities, and the loss of a tokenizer.

All reports are frozen dataclasses of plain numbers and text; ``dataclasses.asdict`` makes them ready for JSON.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import AblateError
from ablate.music.corpus.read import FileReading
from ablate.music.corpus.roundtrip import RoundTrip, Trip, summarise, travel
from ablate.music.corpus.unwritten import Unwritten, find_unwritten
from ablate.music.instruments import counts
from ablate.music.midi import LeftOut
from ablate.music.performance import Performance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.arrays import Array
    from ablate.interfaces import Tokenizer

#: The keys of a piano, MIDI pitches from A0 to C8.
LOWEST, HIGHEST = 21, 108
#: From this share of its tokens on, the pauses of a piece are a problem.
PAUSES = 0.5
_NOTHING = LeftOut()


@dataclasses.dataclass(frozen=True)
class Summary:
    """Numbers of one file, or of all files together.

    Attributes:
        notes: the number of notes.
        instruments: the number of notes of each instrument that has any; 128 is drums.
        seconds: the end of the last note; for several files their sum.
        pitch_min: lowest MIDI pitch; None without notes, as the next three.
        pitch_max: highest MIDI pitch.
        velocity_min: lowest MIDI velocity.
        velocity_max: highest MIDI velocity.
        pedal_events: events of controllers 64 and 67.
        duplicate_notes: copies of a note in the same file, beyond the first one.
        zero_length_notes: notes that end when they start.
        out_of_range_notes: notes outside 21 to 108.
        overlapping_notes: notes that begin while an earlier note of the same instrument and pitch sounds (duplicates
            included).
        never_ended_notes: notes of the file without an end, which are left out; ``notes`` has none of them.
        without_length_notes: notes of the file that end when they begin, likewise.
        late_notes: notes after the end of their track, likewise.
        unchosen: the number of notes of each instrument that was not chosen, likewise.
    """

    notes: int
    instruments: Mapping[int, int]
    seconds: float
    pitch_min: int | None
    pitch_max: int | None
    velocity_min: int | None
    velocity_max: int | None
    pedal_events: int
    duplicate_notes: int
    zero_length_notes: int
    out_of_range_notes: int
    overlapping_notes: int
    never_ended_notes: int = 0
    without_length_notes: int = 0
    late_notes: int = 0
    unchosen: Mapping[int, int] = dataclasses.field(default_factory=dict)

    @property
    def left_out_notes(self) -> int:
        """The number of notes of the file that the reader left out."""
        return self.never_ended_notes + self.without_length_notes + self.late_notes


@dataclasses.dataclass(frozen=True)
class FileReport:
    """One file.

    Attributes:
        name: its path relative to the corpus.
        summary: its numbers; None if it cannot be read.
        round_trip: the loss of the tokenizer; None without a tokenizer or if the file cannot be read.
        problems: one line each; for an unreadable file the reason.
        unwritten: the notes that the tokenizer cannot write; None as ``round_trip``.
    """

    name: str
    summary: Summary | None
    round_trip: RoundTrip | None
    problems: tuple[str, ...]
    unwritten: Unwritten | None = None


@dataclasses.dataclass(frozen=True)
class CorpusReport:
    """A corpus.

    Attributes:
        files: every file, in the order given.
        unreadable: the number of files that cannot be read.
        total: all readable files together.
        round_trip: the loss of the tokenizer in all of them; None without a tokenizer, or if none can be encoded.
        unwritten: the notes of all of them that the tokenizer cannot write; None as ``round_trip``.
        problems: of all files together, one line each.
    """

    files: tuple[FileReport, ...]
    unreadable: int
    total: Summary
    round_trip: RoundTrip | None
    unwritten: Unwritten | None
    problems: tuple[str, ...] = ()


def inspect_corpus(files: Iterable[FileReading | Performance], tokenizer: Tokenizer | None = None) -> CorpusReport:
    """Inspect every file of a corpus.

    Args:
        files: the results of :func:`ablate.music.corpus.read_files`, or performances.
        tokenizer: if set, each performance is encoded and decoded with it, and the two are compared.
    """
    readings = [_as_reading(file) for file in files]
    reports, trips = [], []
    for reading in readings:
        problems, trip, unwritten = reading.problems, None, None
        if tokenizer is not None and reading.performance is not None:
            try:
                trip = travel(reading.performance, tokenizer)
                unwritten = find_unwritten([reading.performance], tokenizer)
                trips.append((reading.performance, trip))
                problems += _pauses(trip)
            except AblateError as error:
                problems = (*problems, f"cannot be tokenized: {error}")
        summary = None
        if reading.performance is not None:
            summary = summary_of(reading.performance, reading.left_out, reading.unchosen)
        reports.append(FileReport(reading.name, summary, _report(trip), problems, unwritten))
    summaries = [report.summary for report in reports if report.summary is not None]
    return CorpusReport(
        files=tuple(reports),
        unreadable=len(reports) - len(summaries),
        total=_total(summaries),
        round_trip=summarise([trip for _, trip in trips]) if trips else None,
        unwritten=find_unwritten([performance for performance, _ in trips], tokenizer) if tokenizer and trips else None,
    )


def _pauses(trip: Trip) -> tuple[str, ...]:
    """Return a line if most tokens of a piece are those of its pauses."""
    if trip.pause_tokens <= PAUSES * trip.tokens:
        return ()
    share = 100 * trip.pause_tokens / trip.tokens
    return (
        f"{trip.pause_tokens:,} of {trip.tokens:,} tokens ({share:.3g} %) are pauses: a model learns little else here",
    )


def _as_reading(file: FileReading | Performance) -> FileReading:
    return FileReading(file.name, file) if isinstance(file, Performance) else file


def _report(trip: Trip | None) -> RoundTrip | None:
    return None if trip is None else summarise([trip])


def summary_of(
    performance: Performance, left_out: LeftOut = _NOTHING, unchosen: Mapping[int, int] | None = None
) -> Summary:
    """Return the numbers of one performance, with those of the notes of its file that were left out."""
    notes = performance.canonical().notes
    pitch, velocity = notes["pitch"], notes["velocity"]
    has_notes = len(notes) > 0
    return Summary(
        notes=len(notes),
        instruments=counts(notes),
        seconds=performance.seconds,
        pitch_min=int(pitch.min()) if has_notes else None,
        pitch_max=int(pitch.max()) if has_notes else None,
        velocity_min=int(velocity.min()) if has_notes else None,
        velocity_max=int(velocity.max()) if has_notes else None,
        pedal_events=len(performance.pedals),
        duplicate_notes=int((notes[1:] == notes[:-1]).sum()),  # in canonical order, equal notes are neighbours
        zero_length_notes=int((notes["start"] == notes["end"]).sum()),
        out_of_range_notes=int(((pitch < LOWEST) | (pitch > HIGHEST)).sum()),
        overlapping_notes=_count_overlapping(notes),
        **{f"{kind}_notes": count for kind, count in left_out._asdict().items()},
        unchosen=unchosen or {},
    )


def _count_overlapping(notes: Array) -> int:
    """Return the number of notes that begin before the latest end so far of a note of their instrument and pitch."""
    notes = notes[np.lexsort((notes["end"], notes["start"], notes["pitch"], notes["instrument"]))]
    keys = 128 * notes["instrument"].astype(np.int64) + notes["pitch"]
    ends, rank = np.unique(notes["end"], return_inverse=True)
    # key and rank of the end in one integer: its running maximum is the latest end of this key, without rounding
    latest = np.maximum.accumulate(keys * len(ends) + rank)
    key_before, rank_before = np.divmod(latest[:-1], max(len(ends), 1))
    return int(((key_before == keys[1:]) & (ends[rank_before] > notes["start"][1:])).sum())


def _total(summaries: Sequence[Summary]) -> Summary:
    """Add the counts and the seconds, and return the extremes of the ranges."""

    def extreme(name: str, pick: Any) -> Any:
        values = [getattr(s, name) for s in summaries if getattr(s, name) is not None]
        return pick(values) if values else None

    def added(name: str) -> dict[int, int]:
        notes_of: collections.Counter[int] = collections.Counter()
        for summary in summaries:
            notes_of.update(getattr(summary, name))
        return dict(sorted(notes_of.items()))

    values: dict[str, Any] = {name: added(name) for name in ("instruments", "unchosen")}
    for field in dataclasses.fields(Summary):
        if field.name in values:
            continue
        if field.name.endswith(("_min", "_max")):
            values[field.name] = extreme(field.name, min if field.name.endswith("_min") else max)
        else:
            values[field.name] = sum(getattr(s, field.name) for s in summaries)
    return Summary(**values)
