"""The grammar of both tokenizers: which tokens can follow which in the result of ``encode``.

For any performance, either tokenizer writes:

- a velocity directly before every note-on, and nowhere else;
- a note-off only while a note of its pitch sounds. Each note has its own note-on and note-off, so the number of
  sounding notes of one pitch is its number of note-ons without a note-off;
- between two events, the largest time shift that fits, then the largest that fits in the remainder, and so on. So
  after a time shift other than the longest, the remainder is less than the distance to the next longer shift.

``midilike`` also sorts the events of one step (:class:`OrderedGrammar`), with instruments by rules of their own
(:mod:`ablate_midilike.instruments`), and ``midilike-classic`` never begins with a time shift. These rules are complete:
every sequence that they allow is the result of ``encode`` for some performance, once the sounding notes are ended.
(One exception: of notes of one pitch that start together and end together, ``midilike`` writes the softer ones first. A
grammar would have to know their ends in advance.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, FloatArray, IntArray
    from ablate_midilike.layout import Layout

    #: Of some rows [n]: whether the latest token is a velocity, the room, the rank, and what a subclass adds.
    State = tuple[Array, ...]

ON, OFF, VELOCITY, SHIFT, INSTRUMENT = range(5)
_UNLIMITED, _NONE, _START, _NEVER = np.array(np.inf), np.array(0.0), np.array(0), np.array(False)


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

    Attributes:
        kind_v: of each id, one of :data:`ON`, :data:`OFF`, :data:`VELOCITY`, :data:`SHIFT` and :data:`INSTRUMENT`.
        key_v: of each id, its key, for note-ons and note-offs.
        after_velocity_r: whether the latest token of each row is a velocity.
        sounding_rk: number of sounding notes of each key, of each instrument where they are written.
        room_r: time shifts shorter than this may follow.
    """

    def __init__(self, layout: Layout, lengths: Array, *, start_token: int, rows: int, silence_first: bool) -> None:
        self._layout, self._start_token = layout, start_token
        families = (layout.note_off, layout.note_off, layout.velocities, layout.shifts, layout.instruments)
        self.kind_v = np.repeat([ON, OFF, VELOCITY, SHIFT, INSTRUMENT], families)
        self.key_v = np.arange(len(self.kind_v)) % layout.note_off
        self._lengths_s = lengths.astype(np.float64)
        self._length_v = layout.moves(self._lengths_s)
        self._longer_v = layout.moves(np.append(self._lengths_s[1:], np.inf))
        self._rows_r = np.arange(rows)
        self._has_begun = False
        self.after_velocity_r = np.zeros(rows, bool)
        self.sounding_rk = np.zeros((rows, layout.note_off), np.int64)
        self.room_r = np.full(rows, np.inf if silence_first else 0.0)

    def __call__(self, latest_r: IntArray) -> BoolArray:
        """Return the possible next tokens, bool [rows, vocabulary], after one more token of every row, int64 [rows]."""
        rows_n = self._rows_r if self._has_begun else np.flatnonzero(latest_r != self._start_token)
        self._has_begun = True
        self.read(rows_n, latest_r[rows_n])
        return self.possible()

    def read(self, rows_n: IntArray, token_n: IntArray) -> None:
        """Read one more token of some of the rows."""
        kind_n, index = self.kind_v[token_n], (rows_n, self._voice(rows_n, token_n))
        change_n = (kind_n == ON).astype(np.int64) - (kind_n == OFF)
        self.sounding_rk[index] = np.maximum(self.sounding_rk[index] + change_n, 0)
        self.after_velocity_r[rows_n] = kind_n == VELOCITY
        self.room_r[rows_n] = self.room_after(token_n, self.room_r[rows_n])

    def _voice(self, rows_n: IntArray, token_n: IntArray) -> IntArray:
        """Return the column of ``sounding_rk`` that a note-on or note-off changes in some of the rows."""
        del rows_n
        return np.asarray(self.key_v[token_n])

    def _audible_rk(self) -> IntArray:
        """Return the number of sounding notes that note-offs can end now, [rows, keys]."""
        return self.sounding_rk

    def room_after(self, token_n: IntArray, room_n: FloatArray) -> FloatArray:
        """Return the room after a token, where it was ``room_n`` before.

        It is unlimited after a note-on or note-off, and there is none after a velocity or an instrument. After the
        largest time shift that fits, it is the remainder.
        """
        length_n = self._length_v[token_n]
        rest_n = np.minimum(np.where(length_n < room_n, room_n, np.inf), self._longer_v[token_n]) - length_n
        return np.asarray(np.choose(self.kind_v[token_n], [_UNLIMITED, _UNLIMITED, _NONE, rest_n, _NONE]))

    def possible(self) -> BoolArray:
        """Return the possible next tokens, bool [rows, vocabulary]."""
        layout, no_velocity_r1 = self._layout, ~self.after_velocity_r[:, None]
        possible_rv = np.empty((len(self._rows_r), len(self.kind_v)), bool)
        possible_rv[:, : layout.note_off] = ~no_velocity_r1
        possible_rv[:, layout.note_off : layout.velocity] = (self._audible_rk() > 0) & no_velocity_r1
        possible_rv[:, layout.velocity : layout.time_shift] = no_velocity_r1
        possible_rv[:, layout.time_shift : layout.instrument] = self._lengths_s < self.room_r[:, None]
        return possible_rv


class OrderedGrammar(Grammar):
    """A grammar that also requires the order in which ``midilike`` writes the events of one step.

    The order is: note-offs of notes from earlier steps, note-ons, note-offs of notes that started in this step, each
    of the three from the lowest pitch to the highest. Steps are separated by time shifts. The arguments are those of
    :class:`Grammar`.

    Attributes:
        fresh_rk: number of sounding notes of each key that started in this step, of the instrument in force.
        rank_r: the latest event's rank in the order of its step: its key, plus the number of keys for each earlier
            family.
    """

    def __init__(self, layout: Layout, lengths: Array, *, start_token: int, rows: int, silence_first: bool) -> None:
        super().__init__(layout, lengths, start_token=start_token, rows=rows, silence_first=silence_first)
        self.fresh_rk = np.zeros((rows, layout.note_off), np.int64)
        self.rank_r = np.zeros(rows, np.int64)

    def read(self, rows_n: IntArray, token_n: IntArray) -> None:
        """Read one more token of some of the rows."""
        super().read(rows_n, token_n)
        kind_n, index = self.kind_v[token_n], (rows_n, self.key_v[token_n])
        fresh_n = self.fresh_rk[index]
        self.fresh_rk[index] += (kind_n == ON).astype(np.int64) - ((kind_n == OFF) & (fresh_n > 0))
        self.fresh_rk[rows_n[kind_n >= SHIFT]] = 0  # nothing has started in a new step, or of another instrument
        self.rank_r[rows_n] = self.rank_after(token_n, fresh_n, self.rank_r[rows_n])

    def rank_after(self, token_n: IntArray, fresh_n: IntArray, rank_n: IntArray) -> IntArray:
        """Return the rank after a token, where it was ``rank_n`` before.

        Args:
            token_n: the token.
            fresh_n: of its key, the number of notes before it that started in this step.
            rank_n: the rank before it.
        """
        keys, key_n = self._layout.note_off, self.key_v[token_n]
        # a velocity has no rank; after a note of no length, there should have been a time shift
        waits_n = np.where(rank_n < 2 * keys, rank_n, 0)
        by_kind = [key_n + keys, np.where(fresh_n > 0, key_n + 2 * keys, key_n), waits_n, _START, _START]
        return np.asarray(np.choose(self.kind_v[token_n], by_kind))

    def possible(self) -> BoolArray:
        """Return the possible next tokens, bool [rows, vocabulary]."""
        possible_rv, layout, keys = super().possible(), self._layout, self._layout.note_off
        key_k, rank_r1 = np.arange(keys), self.rank_r[:, None]
        at_once_rk = (self.fresh_rk > 0) & (key_k + 2 * keys >= rank_r1)
        possible_rv[:, :keys] &= key_k + keys >= rank_r1
        possible_rv[:, keys : layout.velocity] &= (key_k >= rank_r1) | at_once_rk
        possible_rv[:, layout.velocity : layout.time_shift] &= rank_r1 < 2 * keys
        return possible_rv

    def state(self, rows_n: IntArray) -> State:
        """Return the state of some of the rows, apart from the sounding notes."""
        return self.after_velocity_r[rows_n], self.room_r[rows_n], self.rank_r[rows_n]

    def state_after(self, token_n: IntArray, state: State, fresh_n: IntArray) -> State:
        """Return the state after a token, where it was ``state`` before; ``fresh_n`` as in :meth:`rank_after`."""
        _, room_n, rank_n = state
        after_velocity_n = self.kind_v[token_n] == VELOCITY
        return after_velocity_n, self.room_after(token_n, room_n), self.rank_after(token_n, fresh_n, rank_n)

    def is_possible(self, token_n: IntArray, state: State, sounding_n: IntArray, fresh_n: IntArray) -> BoolArray:
        """Return whether each token is possible, by the rules of :meth:`possible` and the state that is given.

        Of the keys, only the number of sounding notes and of those that started in this step of the token's key count.
        """
        after_velocity_n, room_n, rank_n = state
        keys, key_n = self._layout.note_off, self.key_v[token_n]
        ends_n = (sounding_n > 0) & ((key_n >= rank_n) | ((fresh_n > 0) & (key_n + 2 * keys >= rank_n)))
        by_kind = [
            after_velocity_n & (key_n + keys >= rank_n),
            ~after_velocity_n & ends_n,
            ~after_velocity_n & (rank_n < 2 * keys),
            self._length_v[token_n] < room_n,
            _NEVER,
        ]
        return np.asarray(np.choose(self.kind_v[token_n], by_kind))
