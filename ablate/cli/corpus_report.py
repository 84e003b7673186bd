"""The output of ``ablate corpus inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.cli.echo import echo, echo_sentence
from ablate.cli.folding import shortened, terminal_width
from ablate.cli.output import print_table
from ablate.errors import first_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.interfaces import Tokenizer
    from ablate.music.corpus.inspect import CorpusReport, Summary
    from ablate.music.corpus.roundtrip import Error, RoundTrip


#: A name may fill one part of this many of a line; with --json it is whole.
_NAMES = 2


class Chosen(NamedTuple):
    """A tokenizer of the command line, with the values of its options."""

    name: str
    options: Mapping[str, Any]
    tokenizer: Tokenizer


def print_report(report: CorpusReport, tokenizer: Chosen | None, choice: str) -> None:
    """Print the numbers of each file, the loss of the tokenizer, the problems, and what was left out in all."""
    from ablate.music.corpus.inspect import HIGHEST, LOWEST

    headers = ["file", "notes", "seconds", "pitch", "velocity", "pedal", "duplicates", "overlaps"]
    headers += [f"outside {LOWEST}-{HIGHEST}"]
    width = terminal_width()
    names = [shortened(file.name, width and width // _NAMES) for file in report.files]
    files = [(name, *_cells(file.summary)) for name, file in zip(names, report.files, strict=True)]
    total = [("all", *_cells(report.total))] if len(files) > 1 else []
    print_table(headers, files + total, right=len(headers) - 1, parts=len(headers) - 1)
    if report.round_trip:
        trips = [(name, *_trip_cells(file.round_trip)) for name, file in zip(names, report.files, strict=True)]
        total = [("all", *_trip_cells(report.round_trip))] if len(files) > 1 else []
        trip_headers = ["file", "tokens", "per note", "clipped", "onset error", "duration error", "velocity error"]
        trip_headers += ["drift", "drift %"]
        title = "After encoding and decoding: mean error (largest error), times in ms"
        parts = len(trip_headers) - 1
        print_table(trip_headers, trips + total, title=title, right=parts, parts=parts)
        _print_drift(report.round_trip)
    if report.total.instruments.keys() - {0}:
        _print_instruments(report)
    odd = [f"{name}: {text}" for name, file in zip(names, report.files, strict=True) for text in file.problems]
    for problem in (*report.problems, *first_problems(odd, "--json lists all")):
        echo_sentence(problem, "problem: ")
    for line in _totals(report, tokenizer, choice):
        echo_sentence(line, "total: " if len(files) > 1 else "note: ")


def _print_drift(trip: RoundTrip) -> None:
    """Print the reason for large onset errors, where small errors of the time between notes add up."""
    rest = trip.explained_by_drift
    if rest is None or trip.drift_seconds is None:
        return
    moved = "earlier" if trip.drift_seconds < 0 else "later"
    sentence = (
        "the onset errors are mostly drift: small errors of the times between notes add up, so notes come "
        f"{moved} and {moved} in the course of a piece. Beside this drift, the mean onset error is {1000 * rest:.1f} ms"
    )
    echo_sentence(f"{sentence}.", "note: ")


def _print_instruments(report: CorpusReport) -> None:
    """Print the notes of each instrument, the files that have it, and what the tokenizer loses of it."""
    from ablate.music.instruments import instrument_name

    trip = report.round_trip
    rows = []
    for number, notes in report.total.instruments.items():
        files = sum(number in file.summary.instruments for file in report.files if file.summary)
        lost = [str(trip.lost_by_instrument.get(number, 0))] if trip else []
        rows.append((instrument_name(number), str(number), str(notes), str(files), *lost))
    headers = ["instrument", "number", "notes", "files", *(["lost"] if trip else [])]
    print_table(headers, rows, right=len(headers) - 1)
    if trip and trip.changed_instruments:
        echo(f"{trip.changed_instruments:,} of {trip.notes:,} notes come back for another instrument")


def _totals(report: CorpusReport, tokenizer: Chosen | None, choice: str) -> Iterator[str]:
    """Yield what was left out when reading and by ``--instruments``, and what the tokenizer cannot write."""
    from ablate.music.corpus.read import left_out_text
    from ablate.music.corpus.unwritten import unwritten_sentences

    if report.unreadable:
        yield f"{report.unreadable:,} of {len(report.files):,} files cannot be read"
    text = left_out_text({"notes": report.total.left_out_notes}, {"notes": report.total.notes})
    if text and len(report.files) > 1:  # that of a single file is among its problems
        total = report.total
        kinds = {"never ended": total.never_ended_notes, "without length": total.without_length_notes}
        kinds["after the end of their track"] = total.late_notes
        listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
        yield f"{text}{f': {listed}' if listed else ''}"
    yield from _unchosen(report, choice)
    if report.unwritten and tokenizer:
        yield from unwritten_sentences(report.unwritten, tokenizer.name, tokenizer.options)


def _unchosen(report: CorpusReport, choice: str) -> Iterator[str]:
    lost = report.total.unchosen
    summaries = [file.summary for file in report.files if file.summary]
    concerned = sum(bool(summary.unchosen) for summary in summaries)
    files = f" in {concerned:,} of {len(summaries):,} files" if len(summaries) > 1 else ""
    yield from left_out_sentence(choice, lost, report.total.notes + sum(lost.values()), files)


def left_out_sentence(choice: str, lost: Mapping[int, int], notes: int, files: str = "") -> Iterator[str]:
    """Yield how many notes a choice leaves out, of which instruments; nothing if it leaves out none.

    Args:
        choice: the value of ``--instruments``.
        lost: the number of notes of each instrument that is left out.
        notes: the number of all notes.
        files: in how many files, as text.
    """
    from ablate.music.instruments import listed

    if lost:
        count = f"{sum(lost.values()):,} of {notes:,} notes"
        yield f"{count} left out by --instruments {choice}{files}: {listed(lost)}"


def _cells(summary: Summary | None) -> tuple[str, ...]:
    if summary is None:
        return ("cannot be read", *[""] * 7)
    lost = summary.left_out_notes
    return (
        f"{summary.notes} of {summary.notes + lost}" if lost else str(summary.notes),
        f"{summary.seconds:.1f}",
        f"{summary.pitch_min}-{summary.pitch_max}",
        f"{summary.velocity_min}-{summary.velocity_max}",
        str(summary.pedal_events),
        str(summary.duplicate_notes),
        str(summary.overlapping_notes),
        str(summary.out_of_range_notes),
    )


def _trip_cells(trip: RoundTrip | None) -> tuple[str, ...]:
    if trip is None:
        return ("",) * 8
    return (
        str(trip.tokens),
        f"{trip.tokens_per_note:.2f}",
        f"{trip.clipped:.1%}",
        _error(trip.onset_error, 1000),
        _error(trip.duration_error, 1000),
        _error(trip.velocity_error, 1),
        "" if trip.drift_seconds is None else f"{trip.drift_seconds:+.3f} s",
        "" if trip.drift_percent is None else f"{trip.drift_percent:+.2f}",
    )


def _error(error: Error | None, factor: int) -> str:
    return "" if error is None else f"{error.mean * factor:.1f} ({error.max * factor:.1f})"
