"""Give decoded notes the instrument of the music that was encoded, where all its notes have the same one.

A tokenizer that does not write instruments decodes notes of a piano, whoever played them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.blame import about, name_component
from ablate.interfaces.music import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import BoolArray, FloatArray, IntArray
    from ablate.music.performance import Performance


def played_by(tokenizer: Tokenizer, number: int) -> Tokenizer:
    """Return a tokenizer whose decoded notes are for an instrument, 0 to 128.

    One that writes instruments is returned as it is, and so is every tokenizer for 0, the piano, which needs no change.
    """
    if isinstance(tokenizer, _PlayedBy):
        tokenizer = tokenizer.original
    return tokenizer if tokenizer.instruments or not number else _PlayedBy(tokenizer, number)


class _PlayedBy(Tokenizer):
    """A tokenizer without instruments whose decoded notes are all for one."""

    def __init__(self, tokenizer: Tokenizer, number: int) -> None:
        self.original, self._number = tokenizer, number
        self.vocabulary, self.start_token = tokenizer.vocabulary, tokenizer.start_token
        self.merges = tokenizer.merges
        name_component(self, about(tokenizer))

    def encode(self, performance: Performance) -> IntArray:
        return self.original.encode(performance)

    def decode(self, tokens: IntArray) -> Performance:
        from ablate.music.instruments import as_instrument  # the interfaces are imported without NumPy

        return as_instrument(self.original.decode(tokens), self._number)

    def times(self, tokens: IntArray) -> FloatArray:
        return self.original.times(tokens)

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        return self.original.clock(rows)

    def grammar(self, rows: int) -> Callable[[IntArray], BoolArray] | None:
        return self.original.grammar(rows)
