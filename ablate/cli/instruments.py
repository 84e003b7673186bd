"""The option ``--instruments`` of commands that read music, and tokenizers that cannot tell instruments apart."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING

import click

from ablate.cli.settings import parse_setting
from ablate.errors import CorpusError, UsageError
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ablate.cli.corpus_report import Chosen
    from ablate.music.corpus.read import FileReading
    from ablate.music.instruments import Chooser
    from ablate.music.midi import Reading
    from ablate.music.performance import Performance

instruments_option = click.option(
    "--instruments",
    "choice",
    metavar="CHOICE",
    default="all",
    help='Instruments to use: all, piano, merge (all pitched ones as one piano), or names and numbers ("bass,drums").',
)


def chosen_readings(readings: Iterable[FileReading | Performance], choice: str) -> Iterator[FileReading]:
    """Yield the readings with the chosen instruments only, and a problem for what is left out.

    Raises:
        UsageError: a name or number is none of an instrument.
    """
    from ablate.music.corpus.read import FileReading
    from ablate.music.performance import Performance

    chooser = _chooser(choice)
    for each in readings:
        reading = FileReading(each.name, each) if isinstance(each, Performance) else each
        if reading.performance is None:
            yield reading
            continue
        performance, problem = _applied(reading.performance, chooser, choice)
        problems = (problem,) if performance is None else (*reading.problems, *filter(None, [problem]))
        yield dataclasses.replace(reading, performance=performance, problems=problems)


def chosen_piece(reading: Reading, file: Path, choice: str) -> tuple[Performance, tuple[str, ...]]:
    """Return the chosen instruments of a file, and its problems with what is left out.

    Raises:
        CorpusError: the file has no note of the choice.
        UsageError: a name or number is none of an instrument.
    """
    performance, problem = _applied(reading.performance, _chooser(choice), choice)
    if performance is None:
        raise CorpusError(f"{file}: {problem}")
    return performance, (*reading.problems, *filter(None, [problem]))


def _chooser(choice: str) -> Chooser:
    from ablate.music.instruments import Chooser

    value = parse_setting(f"instruments={choice}")[1]  # as after --set corpus.midi.instruments=
    try:
        return Chooser(tuple(value) if isinstance(value, list) else value if isinstance(value, str) else choice)
    except ValueError as error:
        raise UsageError(f"--instruments {choice}: {error}") from None


def _applied(performance: Performance, chooser: Chooser, choice: str) -> tuple[Performance | None, str]:
    """Return what is chosen of a performance, None without any note, and a problem if something is left out."""
    from ablate.music.instruments import counts, listed

    lost = chooser.left_out(performance.notes)
    if not lost:
        return chooser(performance), ""
    if lost == counts(performance.notes):
        return None, f"has no note of --instruments {choice}, but {listed(lost)}"
    of_notes = f"{sum(lost.values()):,} of {len(performance):,} notes"
    return chooser(performance), f"{of_notes} left out by --instruments {choice}: {listed(lost)}"


def tokenizer_problems(performances: Iterable[Performance], chosen: Chosen) -> tuple[str, ...]:
    """Return why a tokenizer cannot be given this music, in one line; nothing if it can."""
    from ablate.music.instruments import counts
    from ablate.study.instruments.refusal import Words, fits, refusal

    notes_of: collections.Counter[int] = collections.Counter()
    for performance in performances:
        notes_of.update(counts(performance.notes))
    if fits(chosen.tokenizer, notes_of):
        return ()
    return (refusal(notes_of, [chosen.name], Words("--instruments ", _tokenizer_options), get_registry()),)


def _tokenizer_options(name: str, options: Mapping[str, str], known: bool) -> str:  # noqa: FBT001 - a plain fact
    return " ".join([f"--tokenizer {name}"] * (not known) + [f"--option {key}={options[key]}" for key in options])
