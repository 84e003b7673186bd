"""Keep only some instruments of a corpus, and say what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import CorpusError, first_problems
from ablate.music.instruments import Chooser, counts, listed
from ablate.options import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.music.instruments import Choice
    from ablate.music.performance import Performance


class Chosen(NamedTuple):
    """The chosen instruments of some pieces.

    Attributes:
        pieces: with these instruments only.
        problems: a line for each piece without these instruments.
        left_out: the number of ``files`` without these instruments, and of other ``notes`` of the pieces.
        why: the two numbers with their reason; empty if nothing is left out.
    """

    pieces: tuple[Performance, ...]
    problems: tuple[str, ...]
    left_out: dict[str, int]
    why: str


def choose(pieces: Sequence[Performance], choice: Choice, *, skip_bad: bool) -> Chosen:
    """Choose instruments; a piece without a note of the choice is an error, or with ``skip_bad`` a line.

    Args:
        pieces: each has notes.
        choice: see :class:`ablate.music.instruments.Chooser`.
        skip_bad: leave out pieces without a note of the choice.

    Raises:
        CorpusError: a piece has no note of the choice, or with ``skip_bad`` none has any.
    """
    chooser, setting = Chooser(choice), f"corpus.midi.instruments = {shown(choice)}"
    chosen = [chooser(piece) for piece in pieces]
    empty = [before for before, after in zip(pieces, chosen, strict=True) if not len(after)]
    lacking = [f"no note of {setting}, but {listed(counts(piece.notes))}" for piece in empty]
    if empty and (len(empty) == len(pieces) or not skip_bad):
        number = f"{len(empty)} of {len(pieces)} files: " if len(pieces) > 1 else ""
        reasons = [f"{piece.name}: {reason}" for piece, reason in zip(empty, lacking, strict=True)]
        rest = "" if len(empty) == len(pieces) else ", remove these files, or pass --skip-bad"
        raise CorpusError(f"{number}{'; '.join(first_problems(reasons))}. Choose other instruments{rest}")
    kept = [before for before, after in zip(pieces, chosen, strict=True) if len(after)]
    lost = [chooser.left_out(piece.notes) for piece in kept]
    total = {number: sum(each.get(number, 0) for each in lost) for number in sorted({n for each in lost for n in each})}
    problems = tuple(f"{piece.name}: left out: {reason}" for piece, reason in zip(empty, lacking, strict=True))
    left_out = {"files": len(empty), "notes": sum(total.values())}
    where = f" in {sum(map(bool, lost)):,} of {len(kept):,} files" if len(kept) > 1 else ""
    parts = [f"{len(empty):,} file{'' if len(empty) == 1 else 's'}"] if empty else []
    parts += [f"{left_out['notes']:,} notes{where}"] if total else []
    why = f"{' and '.join(parts)} by {setting}{f': {listed(total)}' if total else ''}" if parts else ""
    return Chosen(tuple(filter(len, chosen)), problems, left_out, why)
