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
        problems: one line each.
        left_out: the number of ``files`` without these instruments, and of other ``notes`` of the pieces.
    """

    pieces: tuple[Performance, ...]
    problems: tuple[str, ...]
    left_out: dict[str, int]


def choose(pieces: Sequence[Performance], choice: Choice, *, skip_bad: bool) -> Chosen:
    """Choose instruments.

    One line has the notes that are left out of all pieces that stay. A piece without a note of the choice is an error,
    or with ``skip_bad`` a line.

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
    why = [f"no note of {setting}, but {listed(counts(piece.notes))}" for piece in empty]
    if empty and (len(empty) == len(pieces) or not skip_bad):
        number = f"{len(empty)} of {len(pieces)} files: " if len(pieces) > 1 else ""
        reasons = [f"{piece.name}: {reason}" for piece, reason in zip(empty, why, strict=True)]
        rest = "" if len(empty) == len(pieces) else ", remove these files, or pass --skip-bad"
        raise CorpusError(f"{number}{'; '.join(first_problems(reasons))}. Choose other instruments{rest}")
    kept = [before for before, after in zip(pieces, chosen, strict=True) if len(after)]
    lost = [chooser.left_out(piece.notes) for piece in kept]
    total = {number: sum(each.get(number, 0) for each in lost) for number in sorted({n for each in lost for n in each})}
    problems = [f"{piece.name}: left out: {reason}" for piece, reason in zip(empty, why, strict=True)]
    if total:
        files = f" in {sum(map(bool, lost)):,} of {len(kept):,} files" if len(kept) > 1 else ""
        notes = f"{sum(total.values()):,} of {sum(map(len, kept)):,} notes"
        problems.insert(0, f"{notes} left out by {setting}{files}: {listed(total)}")
    left_out = {"files": len(empty), "notes": sum(total.values())}
    return Chosen(tuple(filter(len, chosen)), tuple(problems), left_out)
