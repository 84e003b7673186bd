"""The rules of instruments, where ``midilike`` writes them.

The instrument in force is 0 at first, and an instrument token stands before each event of another one. Within a step,
the events of one instrument stand together. The instrument in force when the step begins comes first, then the others
from the lowest number to the highest: this takes few tokens, as the first instrument of a step often needs none. The
events of one instrument in one step are in the order of :class:`ablate_midilike.grammar.OrderedGrammar`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate_midilike.grammar import INSTRUMENT, SHIFT, OrderedGrammar
from ablate_midilike.options import INSTRUMENTS

if TYPE_CHECKING:
    from ablate.arrays import Array, BoolArray, IntArray
    from ablate_midilike.grammar import State
    from ablate_midilike.layout import Layout


def in_turn(step: IntArray, instrument: IntArray) -> IntArray:
    """Return the positions of events in the order in which instruments take turns, [events].

    Args:
        step: of each event, ascending; it is at least 0.
        instrument: of each event; those of one instrument in one step keep their order.
    """
    if not instrument.any():
        return np.arange(len(step))
    played_step, played = np.divmod(np.unique(step * INSTRUMENTS + instrument), INSTRUMENTS)
    last = np.flatnonzero(np.diff(played_step, append=-1))
    before = np.maximum(last - 1, 0)
    lower = np.where(played_step[before] == played_step[last], played[before], played[last])
    firsts, first = [], 0
    for highest, next_highest in zip(played[last].tolist(), lower.tolist(), strict=True):
        firsts.append(first)
        first = next_highest if first == highest else highest
    first_of_event = np.array(firsts)[np.searchsorted(played_step[last], step)]
    turn = np.where(instrument == first_of_event, 0, instrument + 1)
    return np.argsort(step * (INSTRUMENTS + 1) + turn, kind="stable")


class InstrumentGrammar(OrderedGrammar):
    """A grammar that also requires the order in which ``midilike`` writes instruments.

    A note-off needs a sounding note of the instrument in force. The arguments are those of
    :class:`ablate_midilike.grammar.Grammar`. An impossible instrument token begins a new order.

    Attributes:
        instrument_r: the instrument in force.
        first_r: the one in force when the step began.
    """

    def __init__(self, layout: Layout, lengths: Array, *, start_token: int, rows: int, silence_first: bool) -> None:
        super().__init__(layout, lengths, start_token=start_token, rows=rows, silence_first=silence_first)
        # most instruments never sound, and their memory is never touched, so the system does not provide it
        self.sounding_rk = np.zeros((rows, layout.instruments * layout.note_off), np.int64)
        self.instrument_r = np.zeros(rows, np.int64)
        self.first_r = np.zeros(rows, np.int64)

    def read(self, rows_n: IntArray, token_n: IntArray) -> None:
        """Read one more token of some of the rows."""
        super().read(rows_n, token_n)
        instruments = self._instruments_after(token_n, self.instrument_r[rows_n], self.first_r[rows_n])
        self.instrument_r[rows_n], self.first_r[rows_n] = instruments

    def _instruments_after(
        self, token_n: IntArray, instrument_n: IntArray, first_n: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Return the instrument in force and the first of the step after a token, where they were these before."""
        kind_n, number_n = self.kind_v[token_n], token_n - self._layout.instrument
        changes_n = kind_n == INSTRUMENT
        begins_n = changes_n & ~_is_later(number_n, instrument_n, first_n)
        first_n = np.where(kind_n == SHIFT, instrument_n, np.where(begins_n, number_n, first_n))
        return np.where(changes_n, number_n, instrument_n), first_n

    def _voice(self, rows_n: IntArray, token_n: IntArray) -> IntArray:
        return np.asarray(self._layout.note_off * self.instrument_r[rows_n] + self.key_v[token_n])

    def sounding(self, rows_n: IntArray, instrument_n: IntArray, key_n: IntArray) -> IntArray:
        """Return the number of sounding notes of a key of an instrument, in some of the rows."""
        return np.asarray(self.sounding_rk[rows_n, self._layout.note_off * instrument_n + key_n])

    def _audible_rk(self) -> IntArray:
        sounding_rik = self.sounding_rk.reshape(len(self._rows_r), -1, self._layout.note_off)
        return np.asarray(sounding_rik[self._rows_r, self.instrument_r])

    def possible(self) -> BoolArray:
        """Return the possible next tokens, bool [rows, vocabulary]."""
        possible_rv, number_i = super().possible(), np.arange(self._layout.instruments)
        instrument_r1, first_r1 = self.instrument_r[:, None], self.first_r[:, None]
        # there is no room after a velocity or an instrument
        later_ri = _is_later(number_i, instrument_r1, first_r1) & (self.room_r[:, None] > 0)
        possible_rv[:, self._layout.instrument :] = later_ri
        return possible_rv

    def state(self, rows_n: IntArray) -> State:
        """Return the state of some of the rows, with the instrument in force and the first of the step."""
        return *super().state(rows_n), self.instrument_r[rows_n], self.first_r[rows_n]

    def state_after(self, token_n: IntArray, state: State, fresh_n: IntArray) -> State:
        """Return the state after a token, where it was ``state`` before."""
        *rest, instrument_n, first_n = state
        after = super().state_after(token_n, tuple(rest), fresh_n)
        return *after, *self._instruments_after(token_n, instrument_n, first_n)

    def is_possible(self, token_n: IntArray, state: State, sounding_n: IntArray, fresh_n: IntArray) -> BoolArray:
        """Return whether each token is possible, by the rules of :meth:`possible` and the state that is given."""
        after_velocity_n, room_n, rank_n, instrument_n, first_n = state
        possible_n = super().is_possible(token_n, (after_velocity_n, room_n, rank_n), sounding_n, fresh_n)
        later_n = _is_later(token_n - self._layout.instrument, instrument_n, first_n) & (room_n > 0)
        return np.where(self.kind_v[token_n] == INSTRUMENT, later_n, possible_n)


def _is_later(number: IntArray, instrument: IntArray, first: IntArray) -> BoolArray:
    """Return whether an instrument comes later in a step than the one in force, given the first of the step."""
    return np.asarray((number != first) & ((instrument == first) | (number > instrument)))
