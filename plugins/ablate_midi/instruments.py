"""Keep only some instruments of a corpus, and say what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import CorpusError, first_problems
from ablate.music.instruments import Chooser, counts, listed
from ablate.options import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.music.instruments import Choice
    from ablate.music.performance import Performance


def choose(
    pieces: Sequence[Performance], choice: Choice, *, skip_bad: bool
) -> tuple[tuple[Performance, ...], tuple[str, ...]]:
    """Return the pieces with the chosen instruments only, and one line for each problem.

    One line has the notes that are left out in all pieces together. A piece without a note of the choice is an error,
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
    reasons = [f"{piece.name}: no note of {setting}, but {listed(counts(piece.notes))}" for piece in empty]
    if empty and (len(empty) == len(pieces) or not skip_bad):
        number = f"{len(empty)} of {len(pieces)} files: " if len(pieces) > 1 else ""
        rest = "" if len(empty) == len(pieces) else ", remove these files, or pass --skip-bad"
        raise CorpusError(f"{number}{'; '.join(first_problems(reasons))}. Choose other instruments{rest}")
    lost = [chooser.left_out(piece.notes) for piece in pieces]
    total = {number: sum(each.get(number, 0) for each in lost) for number in sorted({n for each in lost for n in each})}
    problems = [f"left out: {reason}" for reason in reasons]
    if total:
        files = f" in {sum(map(bool, lost)):,} of {len(pieces):,} files" if len(pieces) > 1 else ""
        notes = f"{sum(total.values()):,} of {sum(map(len, pieces)):,} notes"
        problems.insert(0, f"{notes} left out by {setting}{files}: {listed(total)}")
    return tuple(filter(len, chosen)), tuple(problems)
