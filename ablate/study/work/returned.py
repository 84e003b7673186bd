"""Check what corpora, augmenters, tokenizers and conditioners return, so that an error names the right component."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.blame import about
from ablate.errors import StageError
from ablate.music.performance import NOTE_DTYPE, PEDAL_DTYPE, Performance
from ablate.printable import name_problem, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ablate.arrays import FloatArray, IntArray
    from ablate.interfaces import Conditioner, Tokenizer


def checked_pieces(pieces: Any, where: str) -> list[Performance]:
    """Return performances that a component returned, after a check of each.

    Args:
        pieces: what it returned.
        where: the component, for messages.

    Raises:
        StageError: they are no performances, or their arrays or labels are not of the right types.
        CorpusError: a note is not valid.
    """
    if isinstance(pieces, str | bytes | Mapping) or not hasattr(pieces, "__iter__"):
        raise StageError(f"{where} returned {type(pieces).__name__} in place of performances")
    every = list(pieces)
    for piece in every:
        check_piece(piece, where)
    return every


def check_piece(piece: Any, where: str) -> None:
    """Check one performance that a component returned; raises like :func:`checked_pieces`."""
    if not isinstance(piece, Performance):
        raise StageError(f"{where} returned {type(piece).__name__} in place of a performance")
    if not isinstance(piece.name, str):
        raise StageError(f"{where} returned a performance whose name is {type(piece.name).__name__}, not text")
    for name, array, dtype in (
        ("notes", piece.notes, NOTE_DTYPE), ("primer", piece.primer, NOTE_DTYPE), ("pedals", piece.pedals, PEDAL_DTYPE)
    ):  # fmt: skip
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
            raise StageError(f"{where} returned a performance whose {name} are no array of its notes' type")
    if not isinstance(piece.labels, Mapping):
        raise StageError(f"{where} returned a performance whose labels are {type(piece.labels).__name__}")
    for label, value in piece.labels.items():
        if not isinstance(label, str) or not label or name_problem(label):
            raise StageError(f"{where} returned a label without a printable name: {printable(repr(label)[:80])}")
        if isinstance(value, str) or not _is_finite(value):
            raise StageError(f"{where} returned a label '{label}' that is no finite number")
    piece.check()


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


def checked_tokens(tokens: Any, tokenizer: Tokenizer) -> IntArray:
    """Return the token ids that a tokenizer encoded, int64 [time].

    Raises:
        StageError: they are no array of whole numbers, or one is no id of its vocabulary.
    """
    where, words = about(tokenizer), len(tokenizer.vocabulary)
    array = np.asarray(tokens)
    if array.ndim != 1 or not (np.issubdtype(array.dtype, np.integer) or not array.size):
        raise StageError(f"{where}: encode must return whole numbers [time], not {array.dtype} {[*array.shape]}")
    ids: IntArray = array.astype(np.int64)
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < words:
        wrong = int(ids.min() if ids.min() < 0 else ids.max())
        raise StageError(f"{where}: encode returned the token {wrong}, and its vocabulary has {words:,} words")
    return ids


def checked_times(times: Any, tokens: IntArray, tokenizer: Tokenizer) -> FloatArray:
    """Return the clock at tokens, float64 [time].

    Raises:
        StageError: it is not one finite number for each token, or decreases.
    """
    array: FloatArray = np.asarray(times, np.float64)
    if array.shape != tokens.shape or not np.isfinite(array).all() or (np.diff(array) < 0).any():
        wanted = f"{len(tokens):,} finite numbers that never decrease"
        raise StageError(f"{about(tokenizer)}: times must return {wanted}, not {[*array.shape]}")
    return array


def checked_conditions(values: Any, length: int, conditioner: Conditioner) -> FloatArray:
    """Return the numbers of a conditioner for an example, float32 [time, width].

    Raises:
        StageError: they have another shape, or are not finite.
    """
    where, shape = about(conditioner), (length, conditioner.width)
    array: FloatArray = np.asarray(values, np.float32)
    if array.shape != shape:
        raise StageError(f"{where}: from_performance must return numbers {[*shape]}, not {[*array.shape]}")
    if not np.isfinite(array).all():
        raise StageError(f"{where}: from_performance returned a number that is not finite")
    return array


def total(names: Iterable[str], counts: Any, where: str) -> dict[str, int]:
    """Return the counts that a component reports, by name; 0 where it reports none.

    Raises:
        StageError: one is no whole number of at least 0.
    """
    values: dict[str, Any] = (
        {name: counts.get(name, 0) for name in names} if isinstance(counts, Mapping) else {"": None}
    )
    if not all(isinstance(v, int | np.integer) and not isinstance(v, bool) and 0 <= v < 2**63 for v in values.values()):
        raise StageError(f"{where}: left_out must have whole numbers of at least 0")
    return {name: int(value) for name, value in values.items()}


def texts(lines: Sequence[Any], where: str) -> list[str]:
    """Return the lines that a component reports, printable.

    Raises:
        StageError: they are no texts.
    """
    if isinstance(lines, str) or not hasattr(lines, "__iter__") or not all(isinstance(line, str) for line in lines):
        raise StageError(f"{where}: problems must be a tuple of lines")
    return [printable(line) for line in lines]
