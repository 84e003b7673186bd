"""Load a corpus, and split it into the pieces to train on and the pieces held out."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from ablate.errors import CorpusError, StageError, UnknownName
from ablate.music.storage import read_performances, write_performances
from ablate.options import validate
from ablate.settings import SplitSettings
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


def pieces(folder: Path, split: Mapping[str, Any]) -> tuple[list[Performance], list[Performance]]:
    """Return the corpus in a loading's folder: the pieces to train on, and those that a split holds out."""
    return split_pieces(read_performances(folder / "performances.npz"), validate(SplitSettings, split))


def split_pieces(
    performances: Sequence[Performance], settings: SplitSettings
) -> tuple[list[Performance], list[Performance]]:
    """Return the pieces to train on and the pieces held out, each in the order of the corpus.

    A share is held out by the SHA-256 of seed and name: the ``round(share * pieces)`` smallest (at least one), so
    adding or removing a piece moves at most one other piece across the split.

    Raises:
        CorpusError: no piece is left to train on.
        UnknownName: a piece to hold out is not in the corpus.
    """
    names = [performance.name for performance in performances]
    if settings.pieces:
        for piece in settings.pieces:
            if piece not in names:
                raise UnknownName("piece", piece, names, hint="named in split.pieces")
        out = set(settings.pieces)
    elif settings.held_out:
        count = max(1, round(settings.held_out * len(names)))
        out = set(sorted(names, key=lambda name: _rank(name, settings.seed))[:count])
    else:
        return list(performances), []
    learned = [performance for performance in performances if performance.name not in out]
    if not learned:
        raise CorpusError(f"split: no piece is left to train on; the corpus has {len(names)} piece(s), all held out")
    return learned, [performance for performance in performances if performance.name in out]


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
