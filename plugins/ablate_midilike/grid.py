"""The same four families of events on an exact grid of time.

``decode(encode(performance))`` has these properties, for notes within the range of pitches:

- no note is lost, and every start and end is within half a step of the original, also in a long piece: absolute times
  are rounded to the grid, so errors do not accumulate;
- a velocity is within half a bin, rounded up to an integer;
- a note has its own end unless another note of the same pitch is nested inside it. A stream of note-ons and note-offs
  does not show which of several open notes of a pitch ends, so the first to start is taken as the first to end, as in
  MIDI players: the ends of two nested notes are exchanged.
  The set of starts and the set of ends of each pitch are correct in any case.

Encoding the decoded notes gives the same tokens again if no note is nested, and otherwise from the second time on.

With the option ``instruments = "all"``, all of this is true of each instrument by itself, drums included. With "merge",
it is true of the pitched instruments, written as one; drums are left out.

A note whose start and end round to the same step is written as note-on and note-off without a time shift between
them, and decoded with length zero: any other length could be wrong by more than half a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.music.performance import DRUMS, make_notes
from ablate_midilike.grammar import OrderedGrammar
from ablate_midilike.instruments import InstrumentGrammar, in_turn
from ablate_midilike.layout import KeyEvents, Layout
from ablate_midilike.options import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import Array, BoolArray, FloatArray, IntArray
    from ablate_midilike.options import GridOptions

_OFF, _ON, _OFF_AT_ONCE = 0, 1, 2


class GridTokenizer(ablate.Tokenizer):
    """``midilike``: note-ons, note-offs, velocities and time shifts of 1, 2, ... steps.

    Every note-on is preceded by its velocity. Events of one step are in the order note-offs, notes that start, ends of
    notes that started in this step, and by pitch within each, for any order of the performance's notes. The start token
    is the velocity in force before any velocity token, the bin of 64: it takes no time and leaves no note open.

    Instruments are written by the rules of :mod:`ablate_midilike.instruments`, with ids after all others: the tokens of
    a piece for the piano are the same with any value of the option ``instruments``.
    """

    def __init__(self, options: GridOptions) -> None:
        self._options = options
        self._longest = round(options.longest_shift / options.step)
        self._steps = np.arange(1, self._longest + 1)
        self.instruments, self.merges = options.instruments == "all", options.instruments == "merge"
        instruments = INSTRUMENTS if self.instruments else 0
        self._layout = Layout(options.low, options.high, options.velocity_bins, self._longest, instruments)
        self._velocities = _bin_centres(options.velocity_bins)
        self._first_velocity = 64 * options.velocity_bins // 128
        seconds = [f"{shift * options.step:.6g}" for shift in range(1, self._longest + 1)]
        self.vocabulary = self._layout.words(map(str, self._velocities), seconds)
        self.start_token = self._layout.velocity + self._first_velocity

    def encode(self, performance: ablate.Performance) -> IntArray:
        """Return token ids, int64 [time]; the same for any order of the notes."""
        notes, layout = self._written(performance.notes), self._layout
        start = np.rint(notes["start"] / self._options.step).astype(np.int64)
        end = np.rint(notes["end"] / self._options.step).astype(np.int64)
        key = np.tile(notes["pitch"].astype(np.int64) - layout.low, 2)
        velocity = np.tile(notes["velocity"].astype(np.int64) * self._options.velocity_bins // 128, 2)
        kind = np.concatenate([np.full(len(notes), _ON), np.where(end > start, _OFF, _OFF_AT_ONCE)])
        step = np.concatenate([start, end])
        # Of notes of one pitch that start together the first to end comes first, so that decoding pairs them correctly.
        order = np.lexsort([velocity, np.tile(end, 2), key + layout.note_off * (kind + 3 * step)])
        if self.instruments:
            instrument = np.tile(notes["instrument"].astype(np.int64), 2)
            order = order[in_turn(step[order], instrument[order])]
        is_on = kind[order] == _ON
        note = np.where(is_on, key[order], layout.note_off + key[order])
        tokens, first = self._interleave(
            np.diff(step[order], prepend=0), note, is_on, layout.velocity + velocity[order]
        )
        return self._with_instruments(tokens, first, instrument[order]) if self.instruments else tokens

    def _written(self, notes: Array) -> Array:
        """Return the notes that have tokens."""
        notes = notes[(notes["pitch"] >= self._layout.low) & (notes["pitch"] <= self._layout.high)]
        return notes[notes["instrument"] != DRUMS] if self.merges else notes

    def _interleave(
        self, gap: IntArray, note: IntArray, is_on: BoolArray, velocity: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Insert before each note event the time shifts that lead to it and, before a note-on, its velocity.

        Args:
            gap: steps since the event before, [events].
            note: id of the note-on or note-off, [events].
            is_on: which of them are note-ons, [events].
            velocity: id of the velocity token of each, read for note-ons only, [events].

        Returns:
            The tokens, [time], and the position after the time shifts of each event, [events].
        """
        longest, remainder = np.divmod(gap, self._longest)
        count = 1 + is_on
        last = np.cumsum(longest + (remainder > 0) + count) - 1
        tokens = np.full(last[-1] + 1 if len(last) else 0, self._layout.instrument - 1)
        tokens[last] = note
        tokens[last[is_on] - 1] = velocity[is_on]
        tokens[(last - count)[remainder > 0]] = self._layout.time_shift + remainder[remainder > 0] - 1
        return tokens, last - is_on

    def _with_instruments(self, tokens: IntArray, first: IntArray, instrument: IntArray) -> IntArray:
        """Insert an instrument before each event, at ``first``, whose instrument is not that of the event before."""
        is_new = np.diff(instrument, prepend=0) != 0
        return np.insert(tokens, first[is_new], self._layout.instrument + instrument[is_new])

    def decode(self, tokens: IntArray) -> ablate.Performance:
        """Return notes in the order of their note-ons; a note-off without an open note is ignored.

        A note without a note-off lasts until its pitch is struck again, the sequence ends, or the option
        ``longest_open`` is reached, whichever comes first.
        """
        layout = self._layout
        clock = self.times(tokens)
        on = layout.note_ons(tokens)
        ends = self._ends(layout.key_events(tokens), clock)
        velocity = self._velocities[layout.running_velocity(tokens, self._first_velocity)[on]]
        notes = make_notes(pitch=tokens[on] + layout.low, velocity=velocity, start=clock[on], end=ends[on])
        if self.instruments:
            notes["instrument"] = layout.running_instrument(tokens)[on]
        return ablate.Performance(notes)

    def _ends(self, events: KeyEvents, clock: FloatArray) -> FloatArray:
        """Return the end in seconds of the note that starts at each token, [time]; other tokens' values are unused."""
        ends: FloatArray = np.minimum(clock + self._options.longest_open, clock[-1:])
        strikes, key = events.position[events.is_on], events.key[events.is_on]
        again = key[:-1] == key[1:]
        ends[strikes[:-1][again]] = np.minimum(ends[strikes[:-1][again]], clock[strikes[1:][again]])
        note_ons, note_offs = _pairs(events)
        ends[note_ons] = clock[note_offs]
        return ends

    def times(self, tokens: IntArray) -> FloatArray:
        """Return the clock in seconds after each token, float64 [time]."""
        # Whole steps are summed and multiplied once, so that rounding does not accumulate.
        return self._layout.clock(tokens, self._steps) * self._options.step

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        """Return a running clock: whole steps again, multiplied once."""
        advance, step = self._layout.running_clock(rows, self._steps), self._options.step
        return lambda tokens: advance(tokens) * step

    @property
    def moves(self) -> IntArray:
        """The number of steps by which each token moves the clock, [vocabulary]."""
        return self._layout.moves(self._steps)

    def grammar(self, rows: int) -> OrderedGrammar:
        """Return the rules of :mod:`ablate_midilike.grammar`, including those on the order of a step's events."""
        rules = InstrumentGrammar if self.instruments else OrderedGrammar
        return rules(self._layout, self._steps, start_token=self.start_token, rows=rows, silence_first=True)


def _pairs(events: KeyEvents) -> tuple[IntArray, IntArray]:
    """Return the positions of note-ons that are ended and of the note-offs that end them, both [pairs].

    Note-ons and note-offs are matched like brackets to find those without a partner, so that a note that a model left
    open, or closed twice, does not shift the pairing of all later notes. Among the others, the first open note of a
    pitch is the first to end.
    """
    depth = np.cumsum(np.where(events.is_on, 1, -1)) + ~events.is_on
    # A note-on and the note-off that matches it are neighbours among their key's events of equal depth, where
    # note-ons and note-offs take turns.
    order = np.lexsort([depth, events.key])
    same = (np.diff(depth[order]) == 0) & (np.diff(events.key[order]) == 0)
    opens = np.flatnonzero(same & events.is_on[order][:-1])
    ons, offs = np.sort(order[opens]), np.sort(order[opens + 1])
    return events.position[ons], events.position[offs]


def _bin_centres(bins: int) -> IntArray:
    """Return the middle velocity of each bin; bin ``i`` contains ``v`` if ``v * bins // 128 == i``."""
    edges = -(-128 * np.arange(bins + 1) // bins)
    lowest, highest = np.maximum(edges[:-1], 1), edges[1:] - 1
    return np.asarray((lowest + highest + 1) // 2)
