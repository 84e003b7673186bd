"""Primers: the beginning of a piece, as tokens, for a sample to continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import PrimerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.interfaces import IntArray, Tokenizer
    from ablate.music.performance import Performance


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
