"""Searches for copied passages that are done once in a process, although three metrics read them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import TYPE_CHECKING

from ablate_memorization.copies import CopyFinder
from ablate_memorization.options import LongestOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ablate
    from ablate.arrays import IntArray

#: Number of indexed references that a process keeps; with splits by replicate a study goes back and forth.
REFERENCES = 2
#: Number of samples whose lengths are kept for each reference.
SAMPLES = 256


class Pieces:
    """Pieces that are equal if their notes are.

    Args:
        pieces: performances.
    """

    def __init__(self, pieces: Sequence[ablate.Performance]) -> None:
        self.pieces = pieces
        state = hashlib.sha256()
        for piece in pieces:
            state.update(len(piece).to_bytes(8, "little"))
            state.update(piece.notes.tobytes())
        self._digest = state.digest()

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pieces) and self._digest == other._digest


class Searches:
    """The searches in one reference, each done once.

    Args:
        reference: pieces, with at least one note of the part that is searched.
        options: which notes count as the same.
    """

    def __init__(self, reference: Pieces, options: LongestOptions) -> None:
        self._finder = CopyFinder(reference.pieces, options)
        self._lengths = functools.lru_cache(maxsize=SAMPLES)(self._search)

    def lengths(self, sample: ablate.Performance) -> IntArray:
        """Return the lengths of the copied passages, see :meth:`CopyFinder.lengths`; the array is read-only."""
        return self._lengths(Pieces([sample]))

    def _search(self, sample: Pieces) -> IntArray:
        lengths = self._finder.lengths(sample.pieces[0])
        lengths.setflags(write=False)
        return lengths


def searches_in(reference: Pieces, options: LongestOptions) -> Searches:
    """Return the searches in this reference: the same ones for equal notes and equal options of the search.

    Args:
        reference: pieces, with at least one note of the part that is searched.
        options: which notes count as the same; the other options of a metric are ignored.
    """
    names = [field.name for field in dataclasses.fields(LongestOptions)]
    return _searches(reference, LongestOptions(**{name: getattr(options, name) for name in names}))


_searches = functools.lru_cache(maxsize=REFERENCES)(Searches)
