"""Tokens that stand for sequences of other tokens: their parts, and their grammar."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate_midilike.grammar import INSTRUMENT, OFF, ON, SHIFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import Array, BoolArray, IntArray
    from ablate_midilike.grammar import OrderedGrammar, State
    from ablate_midilike.instruments import InstrumentGrammar

#: Small enough that no number of notes makes up for it.
_NEVER = -(2**32)


class Parts:
    """The sequences of ids that ids stand for, each of any length.

    Attributes:
        counts: the length of the sequence of each id, [vocabulary].
    """

    def __init__(self, sequences: Sequence[Sequence[int]]) -> None:
        self.counts = np.array([len(sequence) for sequence in sequences], np.int64)
        self._flat = np.array([part for sequence in sequences for part in sequence], np.int64)
        self._first = np.cumsum(self.counts) - self.counts

    def expand(self, tokens: IntArray) -> tuple[IntArray, IntArray]:
        """Return the parts of the tokens one after another, [parts], and the number of parts of each, [time]."""
        counts = self.counts[tokens]
        ends = np.cumsum(counts)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        return self._flat[np.repeat(self._first[tokens], counts) + within], counts

    def nth(self, number: int, tokens: IntArray) -> IntArray:
        """Return a part of each token, counted from 0, [time]; every token must have that many parts."""
        return np.asarray(self._flat[self._first[tokens] + number])

    def sums(self, values: Array) -> Array:
        """Return for each id the sum over its parts of values for each part id, [vocabulary]."""
        totals = np.concatenate([[0], np.cumsum(values[self._flat])])
        return np.asarray(totals[self._first + self.counts] - totals[self._first])


class MergedGrammar:
    """The grammar of tokens that stand for sequences: a token is possible where its parts are, one after another.

    Args:
        base: the grammar of the parts.
        parts: of each id; an id without parts is never possible. The ids of ``base`` stand for themselves.
        start_token: the id that is no event if it is the first of a row.
        rows: number of rows that are generated together.
    """

    def __init__(self, base: OrderedGrammar, parts: Parts, start_token: int, rows: int) -> None:
        self._base, self._parts, self._start_token = base, parts, start_token
        self._rows_r = np.arange(rows)
        self._has_begun = False
        self._merged_m = np.flatnonzero(parts.counts > 1)
        self._plan = _Plan.of(base, parts, self._merged_m)

    def __call__(self, latest_r: IntArray) -> BoolArray:
        """Return the possible next tokens, bool [rows, vocabulary], after one more token of every row, int64 [rows]."""
        rows_n = self._rows_r if self._has_begun else np.flatnonzero(latest_r != self._start_token)
        self._has_begun = True
        counts_r = self._parts.counts[latest_r]
        for number in range(counts_r.max()):
            rows_n = rows_n[counts_r[rows_n] > number]
            self._base.read(rows_n, self._parts.nth(number, latest_r[rows_n]))
        possible_rb = self._base.possible()
        possible_rv = np.zeros((len(self._rows_r), len(self._parts.counts)), bool)
        possible_rv[:, : possible_rb.shape[1]] = possible_rb
        if len(self._merged_m):
            possible_rv[:, self._merged_m] = self._possible_merged(possible_rb)
        return possible_rv

    def _possible_merged(self, possible_rb: BoolArray) -> BoolArray:
        """Return which merged tokens are possible, bool [rows, merged]: walk through the parts of all at once.

        A walk (one of n) is a row with a merged token; it ends where a part is impossible.
        """
        base, plan = self._base, self._plan
        possible_rm = np.zeros((len(self._rows_r), len(self._merged_m)), bool)
        row_n, merged_n = np.nonzero(possible_rb[:, plan.parts_mp[:, 0]])
        state = base.state(row_n)
        for number in range(plan.parts_mp.shape[1]):
            part_n, key_n = plan.parts_mp[merged_n, number], plan.keys_mp[merged_n, number]
            sounding_n = self._sounding(row_n, key_n, merged_n, number, state)
            fresh_n = base.fresh_rk[row_n, key_n] + plan.fresh_mp[merged_n, number]
            fresh_n = np.maximum(fresh_n, plan.fewest_fresh_mp[merged_n, number])
            possible_n = base.is_possible(part_n, state, sounding_n, fresh_n)
            ends_n = plan.counts_m[merged_n] == number + 1
            possible_rm[row_n[possible_n & ends_n], merged_n[possible_n & ends_n]] = True
            state = base.state_after(part_n, state, fresh_n)
            going = possible_n & ~ends_n
            row_n, merged_n, state = row_n[going], merged_n[going], tuple(each[going] for each in state)
        return possible_rm

    def _sounding(self, row_n: IntArray, key_n: IntArray, merged_n: IntArray, number: int, state: State) -> IntArray:
        """Return how many notes of its key sound before a part of each walk."""
        del state
        return np.asarray(self._base.sounding_rk[row_n, key_n] + self._plan.sounding_mp[merged_n, number])


class MergedInstrumentGrammar(MergedGrammar):
    """The same where the parts may be instruments: they count the sounding notes of each instrument."""

    _base: InstrumentGrammar

    def _sounding(self, row_n: IntArray, key_n: IntArray, merged_n: IntArray, number: int, state: State) -> IntArray:
        instrument_n, plan = state[-2], self._plan
        sounding_n = self._base.sounding(row_n, instrument_n, key_n) + plan.sounding_mp[merged_n, number]
        has_returned_n = instrument_n == self._base.instrument_r[row_n]
        return np.asarray(sounding_n + has_returned_n * plan.opening_mp[merged_n, number])


class _Plan(NamedTuple):
    """The merged tokens, part by part; the numbers of a part are those before it, and 0 after the last part.

    Attributes:
        counts_m: the number of parts.
        parts_mp: their ids.
        keys_mp: their keys, for note-ons and note-offs.
        sounding_mp: by how much the parts before change the number of sounding notes of the key, where they are of the
            same instrument.
        opening_mp: the same of the parts before the first instrument; 0 of those parts themselves.
        fresh_mp, fewest_fresh_mp: of the notes of the key that started in this step, the parts before turn the number
            n into ``max(n + fresh, fewest_fresh)``.
    """

    counts_m: IntArray
    parts_mp: IntArray
    keys_mp: IntArray
    sounding_mp: IntArray
    opening_mp: IntArray
    fresh_mp: IntArray
    fewest_fresh_mp: IntArray

    @classmethod
    def of(cls, base: OrderedGrammar, parts: Parts, merged_m: IntArray) -> _Plan:
        """Return the plan of the merged tokens, with their ids."""
        counts_m = parts.counts[merged_m]
        table_cmp = np.zeros((6, len(merged_m), counts_m.max(initial=0)), np.int64)
        for m, token in enumerate(merged_m):
            part_p, _ = parts.expand(np.array([token]))
            table_cmp[:, m, : len(part_p)] = [part_p, base.key_v[part_p], *_numbers(base, part_p)]
        return cls(counts_m, *table_cmp)


def _numbers(base: OrderedGrammar, part_p: IntArray) -> IntArray:
    """Return for each part the last four rows of :class:`_Plan`, [4, parts]."""
    instrument = None  # that of the row
    sounding: collections.Counter[tuple[int | None, int]] = collections.Counter()
    fresh: dict[int, tuple[int, int]] = {}
    unseen = (0, 0)  # the numbers of a key that no part had before
    numbers = []
    for part, kind, key in zip(part_p.tolist(), base.kind_v[part_p].tolist(), base.key_v[part_p].tolist(), strict=True):
        more, fewest = fresh.get(key, unseen)
        opening = 0 if instrument is None else sounding[None, key]
        numbers.append((sounding[instrument, key], opening, more, fewest))
        if kind == ON:
            sounding[instrument, key] += 1
            fresh[key] = (more + 1, fewest + 1)
        elif kind == OFF:
            sounding[instrument, key] -= 1
            fresh[key] = (more - 1, max(fewest - 1, 0))
        elif kind in (SHIFT, INSTRUMENT):  # nothing has started in the new step, or of the new instrument
            fresh, unseen = {}, (_NEVER, 0)
        instrument = part if kind == INSTRUMENT else instrument
    return np.array(numbers, np.int64).T
