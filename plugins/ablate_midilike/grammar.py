"""The grammar of both tokenizers: which tokens can follow which in the result of ``encode``.

For any performance, either tokenizer writes:

- a velocity directly before every note-on, and nowhere else;
- a note-off only while a note of its pitch sounds. Each note has its own note-on and note-off, so the number of
  sounding notes of one pitch is its number of note-ons without a note-off;
- between two events, the largest time shift that fits, then the largest that fits in the remainder, and so on. So
  after a time shift other than the longest, the remainder is less than the distance to the next longer shift.

``midilike`` also sorts the events of one step (:class:`OrderedGrammar`), and ``midilike-classic`` never begins with a
time shift. These rules are complete: every sequence that they allow is the result of ``encode`` for some performance,
once the sounding notes are ended. (One exception: of notes of one pitch that start together and end together,
``midilike`` writes the softer ones first. A grammar would have to know their ends in advance.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, IntArray
    from ablate_midilike.layout import Layout

_ON, _OFF, _VELOCITY, _SHIFT, _NO_EVENT = range(5)


class Grammar:
    """The result of :meth:`ablate.Tokenizer.grammar`: from the latest token of each row to the possible next ones.

    Its input may contain tokens that are impossible by its rules, as from a model that samples without it: a note-off
    of a silent pitch is ignored, and an impossible time shift begins a new interval.

    Args:
        layout: of the token ids.
        lengths: of the time shifts, increasing, in any unit.
        start_token: the token that is no event if it is the first token of a row.
        rows: number of rows that are generated together.
        silence_first: whether the first token may be a time shift.
    """

    def __init__(self, layout: Layout, lengths: Array, *, start_token: int, rows: int, silence_first: bool) -> None:
        self._layout, self._start_token = layout, start_token
        families = (layout.note_off, layout.note_off, layout.velocities, layout.shifts)
        self._kind_v = np.repeat([_ON, _OFF, _VELOCITY, _SHIFT], families)
        self._lengths_s = lengths.astype(np.float64)
        self._longer_s = np.append(self._lengths_s[1:], np.inf)
        self._rows_r = np.arange(rows)
        self._has_begun = False
        self._after_velocity_r = np.zeros(rows, bool)
        self._sounding_rk = np.zeros((rows, layout.note_off), np.int64)
        #: time shifts shorter than this may follow
        self._room_r = np.full(rows, np.inf if silence_first else 0.0)

    def __call__(self, latest_r: IntArray) -> BoolArray:
        """Return the possible next tokens, bool [rows, vocabulary], after one more token of every row, int64 [rows]."""
        kind_r = self._kind_v[latest_r]
        if not self._has_begun:
            kind_r[latest_r == self._start_token] = _NO_EVENT
            self._has_begun = True
        self._read(latest_r, kind_r)
        return self._possible()

    def _read(self, latest_r: IntArray, kind_r: IntArray) -> None:
        index = self._rows_r, latest_r % self._layout.note_off
        change_r = (kind_r == _ON).astype(np.int64) - (kind_r == _OFF)
        self._sounding_rk[index] = np.maximum(self._sounding_rk[index] + change_r, 0)
        self._after_velocity_r = kind_r == _VELOCITY
        self._room_r[kind_r <= _OFF] = np.inf
        self._room_r[self._after_velocity_r] = 0.0
        rows = np.flatnonzero(kind_r == _SHIFT)
        shift = latest_r[rows] - self._layout.time_shift
        self._room_r[rows] = self._remainder(self._room_r[rows], shift)

    def _remainder(self, room: Array, shift: IntArray) -> Array:
        """Return the largest remainder of an interval below ``room`` after the largest time shift that fits."""
        length = self._lengths_s[shift]
        room = np.where(length < room, room, np.inf)
        return np.asarray(np.minimum(room, self._longer_s[shift]) - length)

    def _possible(self) -> BoolArray:
        layout, no_velocity_r1 = self._layout, ~self._after_velocity_r[:, None]
        possible_rv = np.empty((len(self._rows_r), len(self._kind_v)), bool)
        possible_rv[:, : layout.note_off] = ~no_velocity_r1
        possible_rv[:, layout.note_off : layout.velocity] = (self._sounding_rk > 0) & no_velocity_r1
        possible_rv[:, layout.velocity : layout.time_shift] = no_velocity_r1
        possible_rv[:, layout.time_shift :] = self._lengths_s < self._room_r[:, None]
        return possible_rv


class OrderedGrammar(Grammar):
    """A grammar that also requires the order in which ``midilike`` writes the events of one step.

    The order is: note-offs of notes from earlier steps, note-ons, note-offs of notes that started in this step, each
    of the three from the lowest pitch to the highest. Steps are separated by time shifts. The arguments are those of
    :class:`Grammar`.
    """

    def __init__(self, layout: Layout, lengths: Array, *, start_token: int, rows: int, silence_first: bool) -> None:
        super().__init__(layout, lengths, start_token=start_token, rows=rows, silence_first=silence_first)
        #: number of sounding notes that started in this step
        self._fresh_rk = np.zeros_like(self._sounding_rk)
        #: the latest event's rank in the order of its step: its key, plus the number of keys for each earlier family
        self._rank_r = np.zeros(rows, np.int64)

    def _read(self, latest_r: IntArray, kind_r: IntArray) -> None:
        super()._read(latest_r, kind_r)
        keys = self._layout.note_off
        key_r = latest_r % keys
        index = self._rows_r, key_r
        at_once_r = (kind_r == _OFF) & (self._fresh_rk[index] > 0)
        self._fresh_rk[index] += (kind_r == _ON).astype(np.int64) - at_once_r
        self._fresh_rk[kind_r == _SHIFT] = 0
        # a velocity has no rank; after a note of no length, there should have been a time shift
        waits_r = np.where(self._rank_r < 2 * keys, self._rank_r, 0)
        rank_by_kind = [key_r + keys, np.where(at_once_r, key_r + 2 * keys, key_r), waits_r, 0 * key_r, self._rank_r]
        self._rank_r = np.choose(kind_r, rank_by_kind)

    def _possible(self) -> BoolArray:
        possible_rv, layout, keys = super()._possible(), self._layout, self._layout.note_off
        key_k, rank_r1 = np.arange(keys), self._rank_r[:, None]
        at_once_rk = (self._fresh_rk > 0) & (key_k + 2 * keys >= rank_r1)
        possible_rv[:, :keys] &= key_k + keys >= rank_r1
        possible_rv[:, keys : layout.velocity] &= (key_k >= rank_r1) | at_once_rk
        possible_rv[:, layout.velocity : layout.time_shift] &= rank_r1 < 2 * keys
        return possible_rv
