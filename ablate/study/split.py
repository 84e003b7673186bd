"""Which pieces of a corpus are held out: by their names alone, so that nobody chooses."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ablate.errors import CorpusError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.engine.settings import SplitSettings
    from ablate.music.performance import Performance


def split_pieces(
    performances: Sequence[Performance], settings: SplitSettings
) -> tuple[list[Performance], list[Performance]]:
    """The pieces to learn from and the pieces held out, each in the corpus's order.

    A share is held out by the SHA-256 of seed and name: the ``round(share * pieces)`` smallest (at least one), so a
    piece more or less in the corpus moves at most one other across the split.

    Raises:
        CorpusError: nothing would be left to learn from.
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
    kept = [performance for performance in performances if performance.name not in out]
    if not kept:
        raise CorpusError(f"split: nothing is left to learn from; the corpus holds {len(names)} piece(s), all held out")
    return kept, [performance for performance in performances if performance.name in out]


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
