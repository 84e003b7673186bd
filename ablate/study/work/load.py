"""Load a corpus, and split it into the pieces to train on, to validate on and to test on."""

from __future__ import annotations

import collections
import functools
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

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
    """Return the corpus in a loading's folder, split."""
    return split_pieces(read_performances(folder / "performances.npz"), validate(SplitSettings, split))


def split_pieces(performances: Sequence[Performance], settings: SplitSettings) -> Split:
    """Return the pieces by their use.

    A share is drawn from the pieces that are not named, in the order of the SHA-256 of seed and name: the
    ``round(share * pieces)`` first (at least one) are the test pieces, the last ones the validation pieces. So adding
    or removing a piece moves at most one other piece into or out of each part, and one share does not change the other
    part.

    Raises:
        CorpusError: no piece is left to train on, or several pieces have the name of one that is to be held out.
        UnknownName: a piece to hold out is not in the corpus.
    """
    parts = _named(performances, settings)
    rest = sorted(set(range(len(performances))) - parts.keys(), key=_ranks(performances, settings.seed).__getitem__)
    counts = {part: max(1, round(share * len(performances))) for part, share in settings.shares.items()}
    if sum(counts.values()) >= len(rest):
        raise CorpusError(
            f"split: no piece is left to train on; the corpus has {len(performances)} piece(s), of which "
            f"{len(parts) + sum(counts.values())} are to be held out"
        )
    parts |= dict.fromkeys(rest[: counts.get("test", 0)], "test")
    parts |= dict.fromkeys(rest[len(rest) - counts.get("validation", 0) :], "validation")
    by_use = {use: [p for i, p in enumerate(performances) if parts.get(i, "train") == use] for use in Split._fields}
    return Split(**by_use)


def _named(performances: Sequence[Performance], settings: SplitSettings) -> dict[int, str]:
    """Return the use of each piece that the settings name, by its index in the corpus."""
    names = [performance.name for performance in performances]
    parts: dict[int, str] = {}
    for part, listed in settings.names.items():
        for name in listed:
            if name not in names:
                raise UnknownName("piece", name, names, hint=f"named in split.{part}")
            if names.count(name) > 1:
                raise CorpusError(f"split.{part}: {names.count(name)} pieces of the corpus are named '{name}'")
            parts[names.index(name)] = part
    return parts


def _ranks(performances: Sequence[Performance], seed: int) -> list[str]:
    """Return the keys that order the pieces; of pieces with equal names, each has a key of its own."""
    seen: collections.Counter[str] = collections.Counter()
    ranks = []
    for performance in performances:
        number = f"/{seen[performance.name]}" if seen[performance.name] else ""
        ranks.append(hashlib.sha256(f"{seed}/{performance.name}{number}".encode()).hexdigest())
        seen[performance.name] += 1
    return ranks
