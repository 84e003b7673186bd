"""The option ``--instruments`` of commands that read music, and tokenizers that cannot tell instruments apart."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING

import click

from ablate.cli.corpus_report import left_out_sentence
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
    """Yield the readings with the chosen instruments only; one without any has no performance, but a problem.

    Raises:
        UsageError: a name or number is none of an instrument.
    """
    from ablate.music.corpus.read import FileReading
    from ablate.music.instruments import counts
    from ablate.music.performance import Performance

    chooser = _chooser(choice)
    for each in readings:
        reading = FileReading(each.name, each) if isinstance(each, Performance) else each
        if reading.performance is None:
            yield reading
            continue
        lost = chooser.left_out(reading.performance.notes)
        if lost and lost == counts(reading.performance.notes):
            yield dataclasses.replace(reading, performance=None, problems=(f"has {_none(choice, lost)}",))
        else:
            yield dataclasses.replace(reading, performance=chooser(reading.performance), unchosen=lost)


def chosen_piece(reading: Reading, file: Path, choice: str) -> tuple[Performance, tuple[str, ...]]:
    """Return the chosen instruments of a file, and its problems with what is left out, one line each.

    Raises:
        CorpusError: the file has no note of the choice.
        UsageError: a name or number is none of an instrument.
    """
    from ablate.music.instruments import counts

    chooser, notes = _chooser(choice), reading.performance.notes
    lost = chooser.left_out(notes)
    if lost and lost == counts(notes):
        raise CorpusError(f"{file}: has {_none(choice, lost)}")
    return chooser(reading.performance), (*reading.problems, *left_out_sentence(choice, lost, len(notes)))


def _chooser(choice: str) -> Chooser:
    from ablate.music.instruments import Chooser

    value = parse_setting(f"instruments={choice}")[1]  # as after --set corpus.midi.instruments=
    try:
        return Chooser(tuple(value) if isinstance(value, list) else value if isinstance(value, str) else choice)
    except ValueError as error:
        raise UsageError(f"--instruments {choice}: {error}") from None


def _none(choice: str, lost: Mapping[int, int]) -> str:
    from ablate.music.instruments import listed

    return f"no note of --instruments {choice}, but {listed(lost)}"


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
