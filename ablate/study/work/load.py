"""Load a corpus, and split it into the pieces to train on, to validate on and to test on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.errors import StageError
from ablate.music.storage import read_performances, write_performances
from ablate.study.split import Rule, uses_of
from ablate.study.work.artifacts import write_artifact
from ablate.study.work.components import build
from ablate.study.work.messages import StageResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


def load(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Read a corpus."""
    (stage,) = stages
    corpus = build("corpus", stage.extra["corpus"], context.registry)
    performances = list(corpus.load())
    for performance in performances:
        performance.check()
    if not any(len(performance) for performance in performances):
        raise StageError("the corpus holds no notes")
    write_artifact(context.home, stage, {"performances.npz": functools.partial(write_performances, performances)})
    result = {
        "performances": len(performances),
        "notes": sum(len(performance) for performance in performances),
        "seconds": sum(performance.seconds for performance in performances),
        "problems": list(corpus.problems),
    }
    return [StageResult(stage, result, 0.0)]


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
        CorpusError: the corpus cannot be split by this rule.
        UnknownName: a piece to hold out is not in the corpus.
    """
    uses = uses_of([piece.name for piece in performances], [piece.labels for piece in performances], rule)
    of_use = {use: [p for p, own in zip(performances, uses, strict=True) if own == use] for use in Split._fields}
    return Split(**of_use)
