"""``ablate corpus``."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.output import json_option, print_json, print_table
from ablate.cli.settings import parse_setting
from ablate.errors import CorpusError, UsageError, did_you_mean, first_problems
from ablate.interfaces import FittedTokenizer
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ablate.interfaces import Tokenizer
    from ablate.music.corpus import FileReading
    from ablate.music.inspect import CorpusReport, Summary
    from ablate.music.performance import Performance
    from ablate.music.roundtrip import Error, RoundTrip

option_option = click.option(
    "--option", "settings", multiple=True, metavar="KEY=VALUE", help="Set an option of the tokenizer (repeatable)."
)
fit_option = click.option(
    "--fit",
    "material",
    metavar="PATH|NAME",
    help="Pieces to fit the tokenizer on, where it is one that is fitted: a file, a folder or a corpus.",
)
reader_option = click.option(
    "--reader",
    type=click.Choice(["symusic", "pretty_midi"]),
    default="symusic",
    show_default=True,
    help="Library that reads MIDI files.",
)


@click.group("corpus")
def group() -> None:
    """Inspect MIDI files and corpora.

    Example: ablate corpus inspect bach-prelude --tokenizer midilike
    """


@group.command("list")
@json_option
def list_(as_json: bool) -> None:  # noqa: FBT001
    """List the corpora of all plugins.

    Example: ablate corpus list
    """
    corpora = get_registry().offered("corpus")
    rows = [(c.spec.name, c.spec.summary, c.plugin.name) for c in corpora]
    if as_json:
        print_json([dict(zip(("name", "summary", "plugin"), row, strict=True)) for row in rows])
    else:
        print_table(["corpus", "summary", "plugin"], rows)


@group.command("inspect")
@click.argument("path", metavar="PATH|NAME")
@click.option("--tokenizer", metavar="NAME", help="Also report what a round trip through this tokenizer loses.")
@option_option
@fit_option
@reader_option
@json_option
def inspect(
    path: str,
    tokenizer: str | None,
    settings: tuple[str, ...],
    material: str | None,
    reader: Any,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Summarise a MIDI file, a folder of MIDI files, or a corpus.

    Problems and files that cannot be read are listed. If no file can be read, the exit code is 1.
    A tokenizer that is fitted is fitted on the inspected pieces, or on those of --fit.

    Example: ablate corpus inspect recordings/ --tokenizer midilike
    """
    from ablate.music.inspect import inspect_corpus

    if material is not None and tokenizer is None:
        raise UsageError(f"--fit {material}: name the tokenizer to fit with --tokenizer")
    encoder = _tokenizer(tokenizer, settings, material) if tokenizer else None
    readings = list(_readings(path, reader))
    if tokenizer and encoder:
        _fit(encoder, tokenizer, readings if material is None else _readings(material, reader))
    report = inspect_corpus(readings, encoder)
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        _print_report(report)
    if report.unreadable == len(report.files):
        raise CorpusError(f"{path}: no file can be read")


def _readings(path: str, reader: Any) -> Iterable[FileReading | Performance]:
    from ablate.music.corpus import read_files

    registry = get_registry()
    names = registry.names("corpus")
    if Path(path).exists():
        return read_files(path, reader)
    if path not in names:
        raise UsageError(f"{path}: no such file or folder, and no corpus of that name{did_you_mean(path, names)}")
    spec = registry.spec("corpus", path)
    corpus: Iterable[Performance] = spec.build(spec.parse({})).load()
    return corpus


def _tokenizer(name: str, settings: tuple[str, ...], material: str | None) -> Tokenizer:
    """Return the tokenizer with these settings, not fitted yet.

    Raises:
        UsageError: a setting does not fit, or ``--fit`` (``material``) is given for one that is not fitted.
    """
    from ablate.errors import InvalidOptions

    spec = get_registry().spec("tokenizer", name)
    try:
        options = spec.parse(dict(parse_setting(text, "--option") for text in settings))
    except InvalidOptions as error:
        raise UsageError("\n".join(f"--option {line}" for line in str(error).splitlines())) from error
    tokenizer: Tokenizer = spec.build(options)
    if material is not None and not isinstance(tokenizer, FittedTokenizer):
        raise UsageError(f"--fit {material}: tokenizer '{name}' is not fitted; leave the option out")
    return tokenizer


def _fit(tokenizer: Tokenizer, name: str, readings: Iterable[FileReading | Performance]) -> None:
    """Fit a tokenizer on the readings, if it is one that is fitted; raise CorpusError where they do not suit it."""
    if not isinstance(tokenizer, FittedTokenizer):
        return
    try:
        tokenizer.load(tokenizer.fit(list(_performances(readings))))
    except ValueError as error:
        raise CorpusError(f"tokenizer '{name}' cannot be fitted on these pieces: {error}") from error


def _performances(readings: Iterable[FileReading | Performance]) -> Iterator[Performance]:
    from ablate.music.performance import Performance

    for reading in readings:
        performance = reading if isinstance(reading, Performance) else reading.performance
        if performance is not None:
            yield performance


def _print_report(report: CorpusReport) -> None:
    headers = ["file", "notes", "seconds", "pitch", "velocity", "pedal", "duplicates", "overlaps", "outside 21-108"]
    files = [(file.name, *_cells(file.summary)) for file in report.files]
    total = [("all", *_cells(report.total))] if len(files) > 1 else []
    print_table(headers, files + total, right=len(headers) - 1)
    if report.round_trip:
        trips = [(file.name, *_trip_cells(file.round_trip)) for file in report.files]
        total = [("all", *_trip_cells(report.round_trip))] if len(files) > 1 else []
        trip_headers = ["file", "tokens", "per note", "clipped", "onset error", "duration error", "velocity error"]
        trip_headers += ["drift", "drift %"]
        title = "After encoding and decoding: mean error (largest error), times in ms"
        print_table(trip_headers, trips + total, title=title, right=len(trip_headers) - 1)
    problems = [f"{file.name}: {problem}" for file in report.files for problem in file.problems]
    for line in first_problems(problems, "--json lists all"):
        click.echo(f"problem: {line}")
    if report.unreadable:
        click.echo(f"{report.unreadable} of {len(report.files)} files cannot be read")


def _cells(summary: Summary | None) -> tuple[str, ...]:
    if summary is None:
        return ("cannot be read", *[""] * 7)
    return (
        str(summary.notes),
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


@group.command("tokens")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--tokenizer", required=True, metavar="NAME", help="Tokenizer to encode with.")
@option_option
@fit_option
@reader_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text", "npy"]),
    default="json",
    show_default=True,
    help="Output format: numbers as JSON, one word on each line, or a NumPy file.",
)
def tokens(file: Path, tokenizer: str, settings: tuple[str, ...], material: str | None, reader: Any, form: str) -> None:
    """Print the tokens of a MIDI file.

    A tokenizer that is fitted is fitted on this file alone, or on the pieces of --fit.

    Example: ablate corpus tokens piece.mid --tokenizer midilike --format text
    """
    from ablate.music.midi import read_midi

    if not file.exists():
        raise UsageError(f"{file}: no such file; check the path")
    if form == "npy" and sys.stdout.isatty():
        raise UsageError("a NumPy file cannot be shown in a terminal; redirect it to a file: --format npy > tokens.npy")
    encoder = _tokenizer(tokenizer, settings, material)
    performance = read_midi(file, reader)
    _fit(encoder, tokenizer, [performance] if material is None else _readings(material, reader))
    ids = encoder.encode(performance)
    if form == "json":
        click.echo(json.dumps(ids.tolist()))
    elif form == "text":
        click.echo("\n".join(encoder.vocabulary[token] for token in ids))
    else:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, ids, allow_pickle=False)
        sys.stdout.buffer.write(buffer.getvalue())
