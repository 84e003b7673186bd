"""A search for the passages of a sample's notes that are copied from a reference piece.

Notes are taken in canonical order. A passage of successive notes is copied if each has a partner in one reference
piece, and for each note and the one before it

- the partners have the same instruments as the notes, unless these do not matter, and the same pitches (or, transposed,
  the same interval between them);
- the interval of the partners' onsets is between ``d / stretch - together`` and ``d * stretch + together`` seconds,
  where ``d`` is that of the notes' own onsets;
- the partners are at most 16 positions apart in their piece's order, and differ from the last 16 before them.

Velocities, durations and pedals are ignored. The partners need not be in the same order as the notes: a tokenizer that
rounds times merges onsets, and the notes of a chord then change their order. Times have to agree from note to note
only, not over a whole passage: ``midilike-classic`` drops up to 15 ms between any two events. Exact n-grams do not
survive this. Of the 8-grams of the 50 pieces of the Saarland Music Data, encoded and decoded by ``midilike-classic``,
there are still in their own piece, on average over pieces, 23 % by pitches in order (by ``midilike``, 52 %), 92 % with
the pitches of notes less than 50 ms apart sorted (95 %), and 99.6 % by the definition above (100 %).

Because partners must differ, a loop of a few short notes, which models fall into, does not match one trill again and
again. Passages grow note by note: of several passages that reach one partner the longest survives, and of equally long
ones the one with the nearest interval. So a passage has the greatest possible length, except where partners would have
to be used again and a discarded passage could have continued.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ablate.music.performance import DRUMS, pitched

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ablate
    from ablate.arrays import Array, FloatArray, IntArray
    from ablate_memorization.options import LongestOptions

#: Greatest distance between the partners of successive notes, in notes, and number of notes for which they differ.
REACH = 16
#: Longer intervals, in seconds, count as equal to this, so that the keys of a pair of pitches have an upper end.
_DAY = 86_400.0
#: Number of pairs of pitches, so that codes of different instruments differ.
_CODES = 128**2
#: Links for each note from which on NumPy is faster than Python.
FEW = 60
#: Number of links that are processed together.
AT_ONCE = 2**18
_ALONE: tuple[int, tuple[int, ...]] = (1, ())


class _Notes(NamedTuple):
    """Notes of all reference pieces, piece after piece, each in canonical order; arrays of shape [notes]."""

    pitch: IntArray
    instrument: IntArray
    onset: FloatArray
    piece: IntArray


class CopyFinder:
    """The reference, indexed by the intervals between its notes.

    A link is an ordered pair of notes of one piece that may be the partners of two successive notes. All links are
    sorted by pitches and interval, so that the links that fit two notes of a sample are one slice.

    Args:
        reference: pieces, with at least one note of the part that is searched.
        options: which notes count as the same.
    """

    def __init__(self, reference: Sequence[ablate.Performance], options: LongestOptions) -> None:
        self._options = options
        self._notes = notes = _joined(reference, options)
        before, after = _links(notes, options.together)
        played = notes.instrument
        # of a single instrument, one number stands for all links
        ensembles = _ensembles(*((played[:1],) * 2 if (played == played[0]).all() else (played[before], played[after])))
        self._ensembles, self._single = np.unique(ensembles), np.unique(self._sounds(notes))
        code = self._code(ensembles, notes.pitch[before], notes.pitch[after])
        keys = self._keys_of(code, notes.onset[after] - notes.onset[before])
        order = np.argsort(keys)
        self._keys = keys[order]
        self._before, self._after = (ends[order].astype(np.int32) for ends in (before, after))

    def lengths(self, sample: ablate.Performance) -> IntArray:
        """Return the length of the copied passage that ends at each note of the sample's part, int64 [notes].

        It is 1 for a note whose pitch the instrument has in the reference, without a longer passage, and 0 for a pitch
        that it has not there. Transposed, it is at least 1 for every note of an instrument of the reference.

        Args:
            sample: at least one note of the part that is searched.
        """
        notes = _joined([sample], self._options)
        intervals = np.diff(notes.onset)
        first, last = self._slices(notes, intervals)
        alone = np.isin(self._sounds(notes), self._single)
        lengths = alone.astype(np.int64)
        fits = last - first
        passages = FewPassages() if fits.sum() < FEW * len(fits) else ManyPassages()
        for part in _portions(fits):
            count = fits[part]
            links = np.repeat(last[part] - count.cumsum(), count) + np.arange(count.sum())
            before, after = self._before[links], self._after[links]
            off = np.abs(self._notes.onset[after] - self._notes.onset[before] - np.repeat(intervals[part], count))
            longest = lengths[1:][part]
            np.maximum(longest, passages.extend(before, after, 1 / (1 + off), count), out=longest)
        return lengths

    def _slices(self, notes: _Notes, intervals: FloatArray) -> tuple[IntArray, IntArray]:
        """Return begin and end of the links that fit each two successive notes, both [notes - 1]."""
        ensembles, options = _ensembles(notes.instrument[:-1], notes.instrument[1:]), self._options
        code = self._code(ensembles, notes.pitch[:-1], notes.pitch[1:])
        shortest = intervals / options.stretch - options.together
        longest = intervals * options.stretch + options.together
        first = np.searchsorted(self._keys, self._keys_of(code, shortest), side="left")
        last = np.searchsorted(self._keys, self._keys_of(code, longest), side="right")
        return first, np.where(np.isin(ensembles, self._ensembles), last, first)

    def _code(self, ensembles: IntArray, before: IntArray, after: IntArray) -> IntArray:
        """Return a number for each two notes, the same where they count as the same.

        Args:
            ensembles: both instruments of each two; those that the reference lacks have any number.
            before: pitch of the first note.
            after: pitch of the second note.
        """
        pitches = after - before if self._options.transposed else 128 * before + after
        return pitches + _CODES * np.searchsorted(self._ensembles, ensembles)

    def _keys_of(self, code: IntArray, interval: FloatArray) -> Array:
        """Return numbers that sort by code and then by interval.

        Of a single instrument they are real, to a microsecond; of many the codes are too large for that, and they are
        complex numbers, which NumPy sorts by the real part and then by the imaginary part.
        """
        interval = np.minimum(interval, _DAY)
        return 2 * _DAY * code + interval if len(self._ensembles) < 2 else code + 1j * interval

    def _sounds(self, notes: _Notes) -> IntArray:
        """Return a number for each note, the same where single notes count as the same."""
        return notes.instrument if self._options.transposed else 128 * notes.instrument + notes.pitch


class FewPassages:
    """The copied passages that end at the latest note of a sample, where few links fit each note.

    In plain Python, which is faster for about ten links for each note, as in a piece of a few hundred notes.
    """

    def __init__(self) -> None:
        # by the partner of the latest note: the length of the passage, and the partners before, the latest first
        self._passages: dict[int, tuple[int, tuple[int, ...]]] = {}

    def extend(self, before: IntArray, after: IntArray, near: FloatArray, counts: IntArray) -> IntArray:
        """Extend every passage by the sample's next notes, one after another.

        Args:
            before: first note of each link that fits the interval to a note, note by note, [links].
            after: second note of each link, [links].
            near: nearness of the link's interval to the sample's, above 0 to 1, [links].
            counts: number of links of each note, [notes].

        Returns:
            The length of the longest passage that ends at each note; 0 if no passage continues, [notes].
        """
        links = zip(before.tolist(), after.tolist(), near.tolist(), strict=True)
        longest = []
        for count in counts.tolist():
            passages: dict[int, tuple[int, tuple[int, ...]]] = {}
            scores: dict[int, float] = {}
            for start, end, nearness in itertools.islice(links, count):
                length, earlier = self._passages.get(start, _ALONE)
                score = length + nearness  # the longest, and of these the nearest
                if score >= scores.get(end, 0.0) and end not in earlier:
                    scores[end] = score
                    passages[end] = length + 1, (start, *earlier[: REACH - 1])
            self._passages = passages
            longest.append(max((length for length, _ in passages.values()), default=0))
        return np.array(longest, np.int64)


class ManyPassages:
    """Like :class:`FewPassages`, where many links fit, as in a large corpus: all links of a note at once."""

    def __init__(self) -> None:
        # sorted by partner; the first one stands for no partner, so that a search always has a result
        self._partner, self._length = np.array([-1]), np.ones(1, np.int64)
        self._earlier_nl = np.full((1, REACH), -1)

    def extend(self, before: IntArray, after: IntArray, near: FloatArray, counts: IntArray) -> IntArray:
        """Extend every passage; see :meth:`FewPassages.extend`."""
        ends = counts.cumsum()
        parts = zip(ends - counts, ends, strict=True)
        return np.array([self._next(before[i:j], after[i:j], near[i:j]) for i, j in parts], np.int64)

    def _next(self, before: IntArray, after: IntArray, near: FloatArray) -> int:
        index = np.searchsorted(self._partner, before, side="right") - 1
        continues = self._partner[index] == before
        length = np.where(continues, self._length[index], 1)
        earlier_nl = np.where(continues[:, None], self._earlier_nl[index], -1)
        fresh = np.flatnonzero(~(earlier_nl == after[:, None]).any(axis=1))
        order = fresh[np.lexsort([length[fresh] + near[fresh], after[fresh]])]
        # of the links that lead to one partner the best is the last
        best = order[np.append(np.diff(after[order]) > 0, np.True_)] if len(order) else order
        self._partner = np.concatenate([[-1], after[best]])
        self._length = np.concatenate([[1], length[best] + 1])
        latest_nl = np.concatenate([before[best, None], earlier_nl[best, :-1]], axis=1)
        self._earlier_nl = np.concatenate([np.full((1, REACH), -1), latest_nl])
        return int(self._length[1:].max(initial=0))


def _portions(fits: IntArray) -> list[slice]:
    """Return the notes in portions of at most about :data:`AT_ONCE` links."""
    portion = fits.cumsum() // AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(portion)) + 1), len(fits)]
    return [slice(i, j) for i, j in itertools.pairwise(edges) if j > i]


def part_of(notes: Array, part: Literal["pitched", "drums"]) -> Array:
    """Return the notes of one part, in their order."""
    return pitched(notes) if part == "pitched" else notes[notes["instrument"] == DRUMS]


def _joined(pieces: Sequence[ablate.Performance], options: LongestOptions) -> _Notes:
    notes = [part_of(piece.canonical().notes, options.part) for piece in pieces]
    pitch, instrument = (np.concatenate([n[key] for n in notes]).astype(np.int64) for key in ("pitch", "instrument"))
    instrument *= options.instruments == "same"
    onset = np.concatenate([each["start"] for each in notes])
    return _Notes(pitch, instrument, onset, np.repeat(np.arange(len(notes)), list(map(len, notes))))


def _ensembles(before: IntArray, after: IntArray) -> IntArray:
    """Return a number for each two instruments, in their order."""
    return (DRUMS + 1) * before + after


def _links(notes: _Notes, together: float) -> tuple[IntArray, IntArray]:
    """Return both ends of all links: forward within reach, and back where onsets are within ``together`` seconds."""
    before, after = [], []
    for distance in range(1, REACH + 1):
        early = np.flatnonzero(notes.piece[distance:] == notes.piece[:-distance])
        late = early + distance
        near = notes.onset[late] - notes.onset[early] <= together
        before += [early, late[near]]
        after += [late, early[near]]
    return np.concatenate(before), np.concatenate(after)
