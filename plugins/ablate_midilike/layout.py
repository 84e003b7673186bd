"""The token ids of the families of events, for both tokenizers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ablate.arrays import Array, BoolArray, IntArray


class KeyEvents(NamedTuple):
    """The note-ons and note-offs of a token sequence, key by key, in the order of the sequence within each key.

    Attributes:
        position: of each event in the token sequence.
        key: of each event, counted from the lowest; every instrument has keys of its own.
        is_on: whether it is a note-on.
    """

    position: IntArray
    key: IntArray
    is_on: BoolArray


@dataclasses.dataclass(frozen=True)
class Layout:
    """Token ids in the order note-ons, note-offs, velocities, time shifts, instruments.

    Attributes:
        low: MIDI pitch of the first note-on and note-off.
        high: MIDI pitch of the last ones.
        velocities: number of velocity ids.
        shifts: number of time-shift ids.
        instruments: number of instrument ids: 129, or 0 where instruments are not written.
    """

    low: int
    high: int
    velocities: int
    shifts: int
    instruments: int = 0

    @property
    def note_off(self) -> int:
        """The first note-off id, which is also the number of keys; note-ons start at 0."""
        return self.high - self.low + 1

    @property
    def velocity(self) -> int:
        """The first velocity id."""
        return 2 * self.note_off

    @property
    def time_shift(self) -> int:
        """The first time-shift id."""
        return self.velocity + self.velocities

    @property
    def instrument(self) -> int:
        """The first instrument id, which is also the number of other ids."""
        return self.time_shift + self.shifts

    def words(self, velocities: Iterable[str], seconds: Iterable[str]) -> tuple[str, ...]:
        """Return a word for each id: pitches and instruments as MIDI numbers, velocities, time shifts in seconds."""
        pitches = range(self.low, self.high + 1)
        return (
            *(f"note_on {pitch}" for pitch in pitches),
            *(f"note_off {pitch}" for pitch in pitches),
            *(f"velocity {velocity}" for velocity in velocities),
            *(f"time_shift {shift} s" for shift in seconds),
            *(f"instrument {number}" for number in range(self.instruments)),
        )

    def clock(self, tokens: IntArray, lengths: Array) -> Array:
        """Return the clock after each token, [time]; time shift ``k`` lasts ``lengths[k]``, in its unit and type."""
        return np.asarray(np.cumsum(self.moves(lengths)[tokens]))

    def running_clock(self, rows: int, lengths: Array) -> Callable[[IntArray], Array]:
        """Return a function from the next token of every row, [rows], to :meth:`clock` at those tokens, [rows]."""
        moves_v = self.moves(lengths)
        clock_r: Array = np.zeros(rows, lengths.dtype)

        def advance(tokens_r: IntArray) -> Array:
            nonlocal clock_r
            clock_r = clock_r + moves_v[tokens_r]  # a new array: the caller may still use the one before
            return clock_r

        return advance

    def moves(self, lengths: Array) -> Array:
        """Return the time by which each token id moves the clock, [vocabulary]."""
        others = np.zeros(self.time_shift, lengths.dtype), np.zeros(self.instruments, lengths.dtype)
        return np.concatenate([others[0], lengths, others[1]])

    def note_ons(self, tokens: IntArray) -> IntArray:
        """Return the positions of the note-ons in ``tokens``."""
        return np.flatnonzero(tokens < self.note_off)

    def key_events(self, tokens: IntArray) -> KeyEvents:
        """Return the note-ons and note-offs of ``tokens``, key by key and instrument by instrument."""
        position = np.flatnonzero(tokens < self.velocity)
        key = tokens[position] % self.note_off
        if self.instruments:
            key += self.note_off * self.running_instrument(tokens)[position]
        order = np.argsort(key, kind="stable")
        position = position[order]
        return KeyEvents(position, key[order], tokens[position] < self.note_off)

    def running_velocity(self, tokens: IntArray, first: int) -> IntArray:
        """Return the velocity bin in force at each token, [time]; ``first`` before any velocity token."""
        return _running(tokens, self.velocity, self.time_shift, first)

    def running_instrument(self, tokens: IntArray) -> IntArray:
        """Return the instrument in force at each token, [time]; 0 before any instrument token."""
        return _running(tokens, self.instrument, self.instrument + self.instruments, 0)


def _running(tokens: IntArray, begin: int, end: int, first: int) -> IntArray:
    """Return at each token the latest id from ``begin`` to below ``end``, counted from ``begin``, or ``first``."""
    is_one = (tokens >= begin) & (tokens < end)
    latest = np.maximum.accumulate(np.where(is_one, np.arange(len(tokens)), -1))
    return np.where(latest < 0, first, tokens[latest] - begin)
