"""Compare what ablate reads from a MIDI file with what the independent reader reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi
from ablate.music.performance import make_notes
from support import mido_reader

if TYPE_CHECKING:
    from ablate.music.midi import Reading
    from ablate.music.performance import Performance

#: Seconds by which the times of a note may differ.
TOLERANCE = 1e-4
_FIELDS = ("pitch", "velocity", "instrument")

EQUAL, NO_NOTES, DIFFERENT = "equal", "no notes", "different"
REFUSED, UNREADABLE, BOTH_REFUSE = "refused", "mido refuses", "both refuse"


class Verdict(NamedTuple):
    """Result of a comparison.

    Attributes:
        kind: one of the names above; REFUSED by ablate alone, UNREADABLE for the independent reader alone.
        reason: the difference, or the reason of ablate's refusal, or else that of the independent reader.
        notes: the number of notes that ablate reads.
        helped: why mido refuses or misreads the file as it is; "" if nothing.
    """

    kind: str
    reason: str = ""
    notes: int = 0
    helped: str = ""


def compare(data: bytes, source: str = "x.mid") -> Verdict:
    """Read ``data`` with both readers and compare the notes; any error but :class:`CorpusError` is passed on."""
    try:
        reading = parse_midi(data, source)
    except CorpusError as error:
        refusal = str(error).removeprefix(f"{source}: ")
        try:
            music = mido_reader.read(data)
        except mido_reader.RefusalError:
            return Verdict(BOTH_REFUSE, refusal)
        return Verdict(REFUSED if music.notes else NO_NOTES, refusal, helped=music.help)
    return compare_reading(reading, data)


def compare_reading(reading: Reading, data: bytes) -> Verdict:
    """Compare a reading of ``data`` with that of the independent reader."""
    count = len(reading.performance)
    try:
        music = mido_reader.read(data)
    except mido_reader.RefusalError as error:
        return Verdict(UNREADABLE, str(error), count)
    reason = difference(reading.performance, music, reading.left_out)
    return Verdict(DIFFERENT if reason else EQUAL, reason, count, music.help)


def difference(performance: Performance, music: mido_reader.Music, left_out: int) -> str:
    """Return the first difference between the notes, or in the number of notes left out; "" if there is none."""
    ours, theirs = _sorted(performance.notes), _sorted(_array(music))
    if len(ours) != len(theirs):
        return f"{len(ours)} notes, not {len(theirs)}{_example(ours, theirs)}"
    same = np.ones(len(ours), bool)
    for field in _FIELDS:
        same &= ours[field] == theirs[field]
    for field in ("start", "end"):
        same &= np.abs(ours[field] - theirs[field]) <= TOLERANCE + 1e-9 * theirs[field]
    if not same.all():
        first = int(np.flatnonzero(~same)[0])
        return f"{(~same).sum()} of {len(ours)} notes differ, first {ours[first]}, not {theirs[first]}"
    if left_out != music.left_out and not music.continued:  # ablate counts notes after the end of a track, too
        return f"{left_out} notes left out, not {music.left_out}"
    return ""


def _array(music: mido_reader.Music) -> np.ndarray[Any, Any]:
    rows = np.array([note[1:] for note in music.notes], float).reshape(-1, 5).T
    return make_notes(**dict(zip(("pitch", "velocity", "start", "end", "instrument"), rows, strict=True)))


def _sorted(notes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Sort notes; the last digits of their times, where readers may round differently, do not decide."""
    times = [np.round(notes[field], 6) for field in ("end", "start")]
    return notes[np.lexsort([*times, *(notes[field] for field in _FIELDS)])]


def _example(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> str:
    """Return a note that one side alone has."""
    counts = [Counter(map(tuple, notes[list(_FIELDS)].tolist())) for notes in (ours, theirs)]
    for sign, mine, other in (("more", *counts), ("fewer", *counts[::-1])):
        only = mine - other
        if only:
            return f"; {sign} of (pitch, velocity, instrument) {next(iter(only))}"
    return ""
