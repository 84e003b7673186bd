"""Cut primers: the beginning of a piece, as tokens, for a sample to continue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import CorpusError, PrimerError, UnknownName
from ablate.music.midi import read_midi
from ablate.music.performance import Performance
from ablate.study.work.artifacts import npy, write_artifact
from ablate.study.work.components import built
from ablate.study.work.load import pieces
from ablate.study.work.messages import StageResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import IntArray
    from ablate.interfaces import Tokenizer
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


def prime(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Cut a primer."""
    (stage,) = stages
    tokenizer = built("tokenizer", stage.config["tokenizer"])
    piece = _primer_piece(stage, context)
    primer = cut_primer(piece, tokenizer, stage.config["take"], stage.config["at_most"])
    given = tokenizer.decode(primer)
    write_artifact(context.home, stage, {"primer.npy": npy(primer)})
    seconds = float(tokenizer.times(primer)[-1])
    return [
        StageResult(stage, {"piece": piece.name, "tokens": len(primer), "notes": len(given), "seconds": seconds}, 0.0)
    ]


def _primer_piece(stage: Stage, context: Context) -> Performance:
    if "file" in stage.config:
        return read_midi(stage.extra["file"])
    performances, held_out = pieces(context.home / stage.inputs["corpus"].artifact, stage.config.get("split", {}))
    return choose_piece(performances, held_out, stage.config["piece"])


def choose_piece(performances: Sequence[Performance], held_out: Sequence[Performance], name: str) -> Performance:
    """The piece of that name, or the first one to learn from without a name.

    Raises:
        UnknownName: there is none.
        CorpusError: there are several.
    """
    if not name:
        return performances[0]
    found = [performance for performance in (*performances, *held_out) if performance.name == name]
    if not found:
        raise UnknownName("piece", name, [performance.name for performance in (*performances, *held_out)])
    if len(found) > 1:
        raise CorpusError(f"primer.piece: {len(found)} pieces are named '{name}'; give primer.file instead")
    return found[0]


def cut_primer(piece: Performance, tokenizer: Tokenizer, take: Mapping[str, float], at_most: int) -> IntArray:
    """The first tokens of a piece, int64 [time], at least one.

    The whole piece is encoded and its tokens are cut, so that notes which sound at the cut are open, as they were in
    training.

    Args:
        piece: what to begin with.
        tokenizer: of the model that continues it.
        take: one of ``tokens``, ``notes`` and ``seconds`` above 0: how much.
        at_most: tokens that a sample may have.

    Raises:
        PrimerError: the piece is shorter, or has pitches that the tokenizer cannot write; or the primer would be
            longer than what continues it.
    """
    tokens = tokenizer.encode(piece)
    decoded = tokenizer.decode(tokens)
    lost = sorted(set(piece.notes["pitch"].tolist()) - set(decoded.notes["pitch"].tolist()))
    if lost:
        listing = ", ".join(map(str, lost))
        raise PrimerError(f"primer '{piece.name}': outside the tokenizer's vocabulary: MIDI pitch {listing}")
    (unit, amount), *_ = ((unit, amount) for unit, amount in take.items() if amount)
    lengths = {"tokens": len(tokens), "notes": len(decoded), "seconds": float(tokenizer.times(tokens)[-1])}
    if amount > lengths[unit]:
        raise PrimerError(f"primer '{piece.name}' has {lengths[unit]:g} {unit}, fewer than primer.{unit} = {amount:g}")
    length = _length(tokens, tokenizer, unit, amount)
    if not length:
        raise PrimerError(f"primer.{unit} = {amount:g} holds no token of '{piece.name}'; take more")
    if length > at_most:
        raise PrimerError(
            f"the primer has {length:,} tokens, more than generation.tokens = {at_most:,}; "
            f"take a smaller primer.{unit}, or generate more"
        )
    return tokens[:length]


def _length(tokens: IntArray, tokenizer: Tokenizer, unit: str, amount: float) -> int:
    if unit == "tokens":
        return int(amount)
    if unit == "seconds":
        return int(np.searchsorted(tokenizer.times(tokens), amount, side="right"))
    low, high = 0, len(tokens)  # the fewest tokens that decode to so many notes
    while low < high:
        middle = (low + high) // 2
        if len(tokenizer.decode(tokens[:middle])) >= amount:
            high = middle
        else:
            low = middle + 1
    return low


def separated(tokens: IntArray, primer: IntArray, tokenizer: Tokenizer) -> Performance:
    """A sample with its primer marked: what the primer and the new tokens decode to, together.

    Args:
        tokens: the new ones, int64 [time].
        primer: those before them, int64 [time]; may be empty.
        tokenizer: of both.
    """
    performance = tokenizer.decode(np.concatenate([primer, tokens]))
    if not len(primer):
        return performance
    # notes begin in the order of their tokens, so the primer's are the first ones to start
    given = len(tokenizer.decode(primer))
    notes = performance.notes[np.argsort(performance.notes["start"], kind="stable")]
    end = float(tokenizer.times(primer)[-1])
    return performance.replace(notes=notes[given:], primer=notes[:given], primer_seconds=end)
