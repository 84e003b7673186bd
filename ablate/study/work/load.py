"""Load a corpus, and split it into the pieces to train on, to validate on and to test on."""

from __future__ import annotations

import collections
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.blame import about
from ablate.errors import StageError
from ablate.music.corpus.read import left_out_text
from ablate.music.instruments import counts, sole_instrument
from ablate.music.storage import read_performances, write_performances
from ablate.printable import piece_text, printable
from ablate.study.instruments.stored import instrument_files
from ablate.study.split import Rule, uses_of
from ablate.study.work.artifacts import write_artifact
from ablate.study.work.components import build
from ablate.study.work.doing import doing
from ablate.study.work.messages import StageResult
from ablate.study.work.returned import checked_pieces, texts, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


def load(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Read a corpus."""
    (stage,) = stages
    corpus = build("corpus", stage.extra["corpus"], context.registry)
    with doing(about(corpus)):
        performances, renamed = distinct(checked_pieces(corpus.load(), about(corpus)))
    if not any(len(performance) for performance in performances):
        raise StageError(f"{about(corpus)} holds no notes")
    files = {"performances.npz": functools.partial(write_performances, performances)}
    write_artifact(context.home, stage, {**files, **instrument_files(sole_instrument(performances))})
    notes = sum(len(performance) for performance in performances)
    left_out = total(("files", "notes"), corpus.left_out, about(corpus))
    result = {
        "performances": len(performances),
        "notes": notes,
        "seconds": sum(performance.seconds for performance in performances),
        "pieces": [performance.name for performance in performances],
        "problems": [*texts(corpus.problems, about(corpus)), *renamed, *_twins(performances)],
        "left_out": left_out,
        "summary": left_out_text(
            left_out, {"files": len(performances), "notes": notes}, printable(str(corpus.left_out_why))
        ),
    }
    played = counts(np.concatenate([performance.notes for performance in performances]))
    if any(played):  # piano music has none to name
        result["instruments"] = {str(number): count for number, count in played.items()}
    return [StageResult(stage, result, 0.0)]


def distinct(performances: Iterable[Performance]) -> tuple[list[Performance], list[str]]:
    """Return pieces with names that tell them apart, and a line for each name that several pieces have.

    A name identifies a piece in splits, primers and the report. Of the pieces with one name, the second is named
    ``NAME (2)`` and so on; pieces without a name are numbered.
    """
    pieces = [piece.replace(name=piece_text(piece.name)) for piece in performances]
    counts = collections.Counter(piece.name for piece in pieces)
    taken, numbers = set(counts), collections.Counter[str]()
    for index, piece in enumerate(pieces):
        name = piece.name
        numbers[name] += 1
        if counts[name] == 1 or (name and numbers[name] == 1):
            continue
        while (new := f"{name} ({numbers[name]})" if name else f"piece {numbers[name]}") in taken:
            numbers[name] += 1
        taken.add(new)
        pieces[index] = piece.replace(name=new)
    several = [(name, count) for name, count in counts.items() if name and count > 1]
    return pieces, [f"{name}: {count} pieces have this name; they are numbered, from (2) on" for name, count in several]


def _twins(performances: Sequence[Performance]) -> Iterator[str]:
    """Yield a line for each piece that holds the same notes as an earlier one: a split may divide the two."""
    first: dict[bytes, str] = {}
    for performance in performances:
        name = first.setdefault(performance.canonical().notes.tobytes(), performance.name)
        if name != performance.name and len(performance):
            yield (
                f"{performance.name}: holds the same notes as {name}, so a split may train on the one and test on the "
                "other; remove one of them, or keep both in one group (split.by)"
            )


class Split(NamedTuple):
    """The pieces of a corpus by their use, each list in the order of the corpus.

    Attributes:
        train: to train on, at least one.
        validation: to validate on while training.
        test: to test on after training.
    """

    train: list[Performance]
    validation: list[Performance]
    test: list[Performance]


def pieces(folder: Path, split: Mapping[str, Any]) -> Split:
    """Return the corpus in a loading's folder, split by the rule in a stage's configuration."""
    return split_pieces(read_performances(folder / "performances.npz"), Rule.of(split))


def split_pieces(performances: Sequence[Performance], rule: Rule) -> Split:
    """Return the pieces by their use; see :mod:`ablate.study.split`.

    Raises:
        CorpusError: the corpus cannot be split by this rule, or lacks a piece that it names.
    """
    uses = uses_of([piece.name for piece in performances], [piece.labels for piece in performances], rule)
    of_use = {use: [p for p, own in zip(performances, uses, strict=True) if own == use] for use in Split._fields}
    return Split(**of_use)
