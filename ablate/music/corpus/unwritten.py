"""Count the notes that a tokenizer cannot write, because it has no token for their pitch or their instrument.

Most tokenizers write a range of pitches and leave out every note outside it. No model learns such notes, and no error
of a round trip shows them. They are found by encoding and decoding notes of the pieces themselves: a pitch of an
instrument that comes back once can be written, and its other notes need not be tried.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.music.instruments import instrument_name
from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.arrays import Array, IntArray
    from ablate.interfaces import Tokenizer
    from ablate.music.performance import Performance

#: A pitch that none of this many pieces with it brings back cannot be written.
_TRIES = 3
_PITCHES = 128
#: The most ranges of pitches that a sentence lists.
_LISTED = 4


@dataclasses.dataclass(frozen=True)
class Unwritten:
    """The notes of some pieces that a tokenizer cannot write.

    Attributes:
        total: all notes of the pieces.
        pitches: the number of notes left out for their pitch, by MIDI pitch.
        instruments: the number of notes left out with their whole instrument, by instrument; such as the drums, where
            a tokenizer merges instruments.
        merged: the instruments that a tokenizer writes as one, where there are several.
    """

    total: int
    pitches: dict[int, int]
    instruments: dict[int, int]
    merged: tuple[int, ...]

    @property
    def notes(self) -> int:
        """The number of notes left out."""
        return sum(self.pitches.values()) + sum(self.instruments.values())

    @property
    def share(self) -> float:
        """The share of the notes that is left out, 0 to 1; 0 without notes."""
        return self.notes / max(1, self.total)

    def plain(self) -> dict[str, Any]:
        """Return the numbers as JSON-ready data."""
        tables = {"pitches": self.pitches, "instruments": self.instruments}
        by_name = {name: {str(key): count for key, count in table.items()} for name, table in tables.items()}
        return {"notes": self.notes, "total": self.total, **by_name, "merged": list(self.merged)}


def find_unwritten(performances: Iterable[Performance], tokenizer: Tokenizer) -> Unwritten:
    """Count the notes whose pitch, or instrument, a tokenizer never writes.

    Args:
        performances: the pieces.
        tokenizer: fitted, where it is one that is fitted.
    """
    counts, tries, written = (np.zeros((DRUMS + 1, _PITCHES), np.int64) for _ in range(3))
    if tokenizer.merges:
        tries[DRUMS] = _TRIES  # left out by definition, and their pitches are those of other notes too
    for performance in performances:
        notes = performance.notes
        own = _counts(notes)
        counts += own
        unknown = (own > 0) & (written == 0) & (tries < _TRIES)
        if unknown.any():
            tries += unknown
            chosen = performance.replace(notes=notes[unknown[notes["instrument"], notes["pitch"]]])
            returned = _returned(chosen, tokenizer)
            written += unknown * (returned if tokenizer.instruments else returned.sum(axis=0))
    lost = np.where(written > 0, 0, counts)
    gone = _gone(counts, lost, merges=tokenizer.merges)
    instruments = {instrument: int(lost[instrument].sum()) for instrument in gone}
    lost[gone] = 0
    by_pitch = lost.sum(axis=0)
    pitches = {int(pitch): int(by_pitch[pitch]) for pitch in np.flatnonzero(by_pitch)}
    kept = [int(each) for each in np.flatnonzero(counts.any(axis=1)) if each not in gone]
    return Unwritten(int(counts.sum()), pitches, instruments, tuple(kept) if tokenizer.merges and len(kept) > 1 else ())


def _gone(counts: IntArray, lost: IntArray, *, merges: bool) -> list[int]:
    """Return the instruments of which nothing is written, although some of their pitches are for others."""
    if merges:
        return [DRUMS] if counts[DRUMS].any() else []
    written = ((counts > 0) & (lost == 0)).any(axis=0)
    whole = (counts == lost).all(axis=1) & (lost[:, written] > 0).any(axis=1)
    return [int(instrument) for instrument in np.flatnonzero(whole)]


def _counts(notes: Array) -> IntArray:
    """Return the number of notes of each instrument and pitch, int64 [instrument, pitch]."""
    keys = notes["instrument"].astype(np.int64) * _PITCHES + notes["pitch"]
    return np.bincount(keys, minlength=(DRUMS + 1) * _PITCHES).reshape(-1, _PITCHES)


def _returned(performance: Performance, tokenizer: Tokenizer) -> IntArray:
    """Return the number of notes of each instrument and pitch that come back from encoding and decoding."""
    tokens = tokenizer.encode(performance)
    return _counts(tokenizer.decode(tokens).notes if len(tokens) else performance.notes[:0])


def unwritten_sentences(
    found: Unwritten, name: str, options: Mapping[str, Any], *, of: str = "notes", prefix: str | None = "--option "
) -> list[str]:
    """Return a sentence for each reason why notes are left out, and one if instruments are merged.

    Args:
        found: the notes.
        name: the name of the tokenizer.
        options: its options; ``low`` and ``high`` are its range of pitches, where it has one.
        of: the notes that were counted, for the text.
        prefix: the text before the name of an option that would write the notes; None names no option.
    """
    sentences = []
    if found.pitches:
        count = _of(sum(found.pitches.values()), found.total, of)
        sentences.append(f"tokenizer '{name}' cannot write {count}: {_reason(sorted(found.pitches), options, prefix)}")
    for instrument, notes in found.instruments.items():
        sentences.append(f"tokenizer '{name}' leaves out {_of(notes, found.total, of)}: {instrument_name(instrument)}")
    if found.merged:
        names = ", ".join(map(instrument_name, found.merged[:_LISTED]))
        more = f" and {len(found.merged) - _LISTED} more" if len(found.merged) > _LISTED else ""
        sentences.append(f"tokenizer '{name}' writes {len(found.merged)} instruments as one: {names}{more}")
    return sentences


def _of(count: int, total: int, of: str) -> str:
    return f"{count:,} of {total:,} {of} ({100 * count / total:.3g} %)"


def _reason(pitches: Sequence[int], options: Mapping[str, Any], prefix: str | None) -> str:
    """Return why notes of these pitches are left out, and the options that would write them."""
    low, high = (options.get(name) for name in ("low", "high"))
    noun = "pitch" if len(pitches) == 1 else "pitches"
    verb = "is" if len(pitches) == 1 else "are"
    start = f"{noun} {_ranges(pitches)} {verb}"
    if not (isinstance(low, int) and isinstance(high, int)) or any(low <= pitch <= high for pitch in pitches):
        return f"{start} not in its vocabulary"
    changes = [f"{prefix}low={pitches[0]}"] * (pitches[0] < low) + [f"{prefix}high={pitches[-1]}"] * (
        pitches[-1] > high
    )
    where = "outside" if len(changes) > 1 else "below" if pitches[0] < low else "above"
    advice = "" if prefix is None else f"; set {' and '.join(changes)}"
    return f"{start} {where} its range of {low} to {high}{advice}"


def _ranges(pitches: Sequence[int]) -> str:
    """Return sorted pitches as text: ``12 to 20, 25``."""
    parts = []
    for _, run in itertools.groupby(enumerate(pitches), lambda pair: pair[1] - pair[0]):  # a run of neighbours
        first, *rest = [pitch for _, pitch in run]
        parts.append(f"{first} to {rest[-1]}" if rest else str(first))
    return ", ".join(parts) if len(parts) <= _LISTED else f"{pitches[0]} to {pitches[-1]}"
