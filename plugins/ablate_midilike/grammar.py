"""Which tokens can follow which, for as much as ``encode`` of both tokenizers obeys.

What either tokenizer writes, whatever the performance:

- a velocity directly before every note-on, and nowhere else;
- a note-off only while a note of its pitch sounds. Each note writes a note-on and a note-off of its own, so as many
  notes of one pitch may sound as there were note-ons without a note-off;
- between two events, the largest time shift that fits, then the largest that fits in what is left, and so on. So a
  time shift other than the longest leaves less than its distance from the next longer one to the shifts after it.

``midilike`` also sorts the events of one step (:class:`OrderedGrammar`), and ``midilike-classic`` never begins with a
time shift. Nothing else is needed: whatever the rules of one of the tokenizers allow, it does write of some
performance, if the notes that sound are ended. (One exception: of notes of one pitch that start together and end
together, ``midilike`` writes the softer ones first. A grammar would have to foresee their ends to know.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ablate.interfaces import BoolArray, IntArray
    from ablate_midilike.layout import Layout

_ON, _OFF, _VELOCITY, _SHIFT, _NOTHING = range(5)


class Grammar:
    """What :meth:`ablate.Tokenizer.grammar` returns: from the latest token of each row to those that may be next.

    Tokens that it calls impossible may be fed all the same, as by a model that draws without it: a note-off of what
    does not sound is passed over, and a time shift that should not be there begins an interval of its own.

    Args:
        layout: of the token ids.
        lengths: how long each time shift is, increasing, in any unit.
        start_token: what stands for nothing where it is the first token of a row.
        rows: how many rows grow side by side.
        silence_first: whether the first token may be a time shift.
    """

    def __init__(
        self, layout: Layout, lengths: np.ndarray[Any, Any], *, start_token: int, rows: int, silence_first: bool
    ) -> None:
        self._layout, self._start_token = layout, start_token
        families = (layout.note_off, layout.note_off, layout.velocities, layout.shifts)
        self._kind_v = np.repeat([_ON, _OFF, _VELOCITY, _SHIFT], families)
        self._lengths_s = lengths.astype(np.float64)
        self._longer_s = np.append(self._lengths_s[1:], np.inf)
        self._rows_r = np.arange(rows)
        self._begun = False
        self._after_velocity_r = np.zeros(rows, bool)
        self._sounding_rk = np.zeros((rows, layout.note_off), np.int64)
        #: time shifts shorter than this may follow
        self._room_r = np.full(rows, np.inf if silence_first else 0.0)

    def __call__(self, latest_r: IntArray) -> BoolArray:
        """Which tokens may come next, bool [rows, vocabulary], after one more token of every row, int64 [rows]."""
        kind_r = self._kind_v[latest_r]
        if not self._begun:
            kind_r[latest_r == self._start_token] = _NOTHING
            self._begun = True
        self._read(latest_r, kind_r)
        return self._possible()

    def _read(self, latest_r: IntArray, kind_r: IntArray) -> None:
        place = self._rows_r, latest_r % self._layout.note_off
        change_r = (kind_r == _ON).astype(np.int64) - (kind_r == _OFF)
        self._sounding_rk[place] = np.maximum(self._sounding_rk[place] + change_r, 0)
        self._after_velocity_r = kind_r == _VELOCITY
        self._room_r[kind_r <= _OFF] = np.inf
        self._room_r[self._after_velocity_r] = 0.0
        shifted = np.flatnonzero(kind_r == _SHIFT)
        shift = latest_r[shifted] - self._layout.time_shift
        self._room_r[shifted] = self._left_over(self._room_r[shifted], shift)

    def _left_over(self, room: np.ndarray[Any, Any], shift: IntArray) -> np.ndarray[Any, Any]:
        """What an interval shorter than ``room`` can have left after the largest time shift that fits, at most."""
        length = self._lengths_s[shift]
        room = np.where(length < room, room, np.inf)
        return np.asarray(np.minimum(room, self._longer_s[shift]) - length)

    def _possible(self) -> BoolArray:
        layout, otherwise_r1 = self._layout, ~self._after_velocity_r[:, None]
        possible_rv = np.empty((len(self._rows_r), len(self._kind_v)), bool)
        possible_rv[:, : layout.note_off] = ~otherwise_r1
        possible_rv[:, layout.note_off : layout.velocity] = (self._sounding_rk > 0) & otherwise_r1
        possible_rv[:, layout.velocity : layout.time_shift] = otherwise_r1
        possible_rv[:, layout.time_shift :] = self._lengths_s < self._room_r[:, None]
        return possible_rv


class OrderedGrammar(Grammar):
    """The same, with the events of one step in the order that ``midilike`` writes them in.

    That is, with time shifts between the steps: note-offs of notes that were there before, note-ons, note-offs of
    notes that started in this very step, and each of the three from the lowest pitch to the highest. The arguments
    are those of :class:`Grammar`.
    """

    def __init__(
        self, layout: Layout, lengths: np.ndarray[Any, Any], *, start_token: int, rows: int, silence_first: bool
    ) -> None:
        super().__init__(layout, lengths, start_token=start_token, rows=rows, silence_first=silence_first)
        #: how many of the notes that sound started in this step
        self._fresh_rk = np.zeros_like(self._sounding_rk)
        #: the latest event's place in the order of its step: a key, plus the number of keys for each family before
        self._rank_r = np.zeros(rows, np.int64)

    def _read(self, latest_r: IntArray, kind_r: IntArray) -> None:
        super()._read(latest_r, kind_r)
        keys = self._layout.note_off
        key_r = latest_r % keys
        place = self._rows_r, key_r
        at_once_r = (kind_r == _OFF) & (self._fresh_rk[place] > 0)
        self._fresh_rk[place] += (kind_r == _ON).astype(np.int64) - at_once_r
        self._fresh_rk[kind_r == _SHIFT] = 0
        # a velocity has no place of its own; after a note that ended at once, there should have been a time shift
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
