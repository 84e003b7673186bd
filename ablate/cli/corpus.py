"""``ablate corpus``."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.building import build_component, built, calling
from ablate.cli.corpus_export import export
from ablate.cli.corpus_report import Chosen, print_report
from ablate.cli.echo import echo, echo_data
from ablate.cli.instruments import chosen_piece, chosen_readings, instruments_option, tokenizer_problems
from ablate.cli.output import json_option, print_json, print_table
from ablate.cli.settings import parse_setting
from ablate.errors import CorpusError, UsageError, did_you_mean, first_problems
from ablate.interfaces import FittedTokenizer
from ablate.interfaces.played_by import played_by
from ablate.printable import printable
from ablate.registry import get_registry
from ablate.stdout import results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ablate.interfaces import Tokenizer
    from ablate.music.corpus.read import FileReading
    from ablate.music.performance import Performance

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
    type=click.Choice(["ablate", "pretty_midi"]),
    default="ablate",
    show_default=True,
    help="Order of the notes: by start and pitch, or that of pretty_midi.",
)
pause_option = click.option(
    "--longest-pause",
    "pause",
    type=click.FloatRange(min=0, min_open=True),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="Refuse files in which no note begins or ends for longer.",
)


@click.group("corpus")
def group() -> None:
    """Inspect MIDI files and corpora.

    Example: ablate corpus inspect bach-prelude --tokenizer midilike
    """


group.add_command(export)


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
        print_table(["corpus", "summary", "plugin"], rows, prose=1)


@group.command("inspect")
@click.argument("path", metavar="PATH|NAME")
@click.option("--tokenizer", metavar="NAME", help="Also report what a round trip through this tokenizer loses.")
@option_option
@fit_option
@instruments_option
@reader_option
@pause_option
@json_option
def inspect(
    *,
    path: str,
    tokenizer: str | None,
    settings: tuple[str, ...],
    material: str | None,
    choice: str,
    reader: Any,
    pause: float,
    as_json: bool,
) -> None:
    """Summarise a MIDI file, a folder of MIDI files, or a corpus.

    Problems and files that cannot be read are listed. If no file can be read, the exit code is 1.
    A tokenizer that is fitted is fitted on the inspected pieces, or on those of --fit.

    Of a round trip, clipped is the share of notes that are lost, or whose velocity changes by more than 4. Drift is how
    much later (+) or earlier (-) the last note begins than in the file; drift % is the same as a share of the time at
    which it begins in the file. Of several files, drift and drift % are the medians.

    Example: ablate corpus inspect recordings/ --tokenizer midilike
    """
    from ablate.music.corpus.inspect import inspect_corpus
    from ablate.music.instruments import sole_instrument

    if material is not None and tokenizer is None:
        raise UsageError(f"--fit {material}: name the tokenizer to fit with --tokenizer")
    chosen = _tokenizer(tokenizer, settings, material) if tokenizer else None
    reading = _reading(reader, pause)
    readings = list(chosen_readings(_readings(path, reading), choice))
    problems: tuple[str, ...] = ()
    if chosen:
        _fit(chosen, readings if material is None else chosen_readings(_readings(material, reading), choice))
        problems = tokenizer_problems(_performances(readings), chosen)
        chosen = chosen._replace(tokenizer=played_by(chosen.tokenizer, sole_instrument(_performances(readings))))
    report = dataclasses.replace(inspect_corpus(readings, chosen and chosen.tokenizer), problems=problems)
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        print_report(report, chosen, choice)
    if report.unreadable == len(report.files):
        raise CorpusError(f"{path}: no file can be read")


def _reading(reader: str, pause: float) -> dict[str, Any]:
    """Return how files are read, as arguments of :func:`ablate.music.midi.parse_midi`."""
    return {"reader": reader, "longest_pause": pause, "pause_option": "--longest-pause"}


def _readings(path: str, reading: Mapping[str, Any]) -> Iterable[FileReading | Performance]:
    from ablate.music.corpus.read import read_files

    registry = get_registry()
    names = registry.names("corpus")
    if Path(path).exists():
        return read_files(path, **reading)
    if path not in names:
        raise UsageError(f"{path}: no such file or folder, and no corpus of that name{did_you_mean(path, names)}")
    spec = registry.spec("corpus", path)
    with calling(spec, "loading it"):
        corpus: Iterable[Performance] = build_component(spec, {}).load()
    return corpus


def _tokenizer(name: str, settings: tuple[str, ...], material: str | None) -> Chosen:
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
    tokenizer: Tokenizer = built(spec, lambda: spec.build(options))
    if material is not None and not isinstance(tokenizer, FittedTokenizer):
        raise UsageError(f"--fit {material}: tokenizer '{name}' is not fitted; leave the option out")
    return Chosen(name, dataclasses.asdict(options), tokenizer)


def _fit(chosen: Chosen, readings: Iterable[FileReading | Performance]) -> None:
    """Fit a tokenizer on the readings, if it is one that is fitted; raise CorpusError where they do not suit it."""
    tokenizer = chosen.tokenizer
    if not isinstance(tokenizer, FittedTokenizer):
        return
    try:
        tokenizer.load(tokenizer.fit(list(_performances(readings))))
    except ValueError as error:
        raise CorpusError(f"tokenizer '{chosen.name}' cannot be fitted on these pieces: {error}") from error


def _performances(readings: Iterable[FileReading | Performance]) -> Iterator[Performance]:
    from ablate.music.performance import Performance

    for reading in readings:
        performance = reading if isinstance(reading, Performance) else reading.performance
        if performance is not None:
            yield performance


@group.command("tokens")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--tokenizer", required=True, metavar="NAME", help="Tokenizer to encode with.")
@option_option
@fit_option
@instruments_option
@reader_option
@pause_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "text", "npy"]),
    default="json",
    show_default=True,
    help="Output format: numbers as JSON, one word on each line, or a NumPy file.",
)
def tokens(
    *,
    file: Path,
    tokenizer: str,
    settings: tuple[str, ...],
    material: str | None,
    choice: str,
    reader: Any,
    pause: float,
    form: str,
) -> None:
    """Print the tokens of a MIDI file.

    Several instruments need a tokenizer that writes or merges them, or a choice with --instruments.
    A tokenizer that is fitted is fitted on this file alone, or on the pieces of --fit. Notes that are left out, by the
    reader or by the tokenizer, are counted on stderr.

    Example: ablate corpus tokens piece.mid --tokenizer midilike --format text
    """
    from ablate.music.corpus.unwritten import find_unwritten, unwritten_sentences
    from ablate.music.midi import parse_midi, read_bytes

    if not file.exists():
        raise UsageError(f"{file}: no such file; check the path")
    if form == "npy" and results().isatty():
        raise UsageError("a NumPy file cannot be shown in a terminal; redirect it to a file: --format npy > tokens.npy")
    chosen = _tokenizer(tokenizer, settings, material)
    encoder = chosen.tokenizer
    reading = _reading(reader, pause)
    performance, problems = chosen_piece(parse_midi(read_bytes(file), str(file), **reading), file, choice)
    for problem in tokenizer_problems([performance], chosen):
        raise CorpusError(f"{file}: {problem}")
    _fit(chosen, [performance] if material is None else chosen_readings(_readings(material, reading), choice))
    ids = encoder.encode(performance)
    unwritten = unwritten_sentences(find_unwritten([performance], encoder), tokenizer, chosen.options)
    for line in first_problems([*problems, *unwritten], f"see: ablate corpus inspect {file} --json"):
        echo(f"note: {printable(file.name)}: {line}", err=True)
    if form == "json":
        echo(json.dumps(ids.tolist()))
    elif form == "text":
        echo(*(encoder.vocabulary[token] for token in ids))
    else:
        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, ids, allow_pickle=False)
        echo_data(buffer.getvalue())
