"""Where the notes of several instruments begin in their tokens: MidiTok decodes them instrument by instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from ablate.arrays import Array, IntArray

_INSTRUMENTS, _PITCHES = DRUMS + 1, 128


class Programs:
    """The instruments and pitches of words.

    Args:
        vocabulary: the words.
    """

    def __init__(self, vocabulary: tuple[str, ...]) -> None:
        split = [word.split("_") for word in vocabulary]
        #: the instrument of each program; -1 for other words
        self._instrument_v = np.array([int(value) % _INSTRUMENTS if kind == "Program" else -1 for kind, value in split])
        #: the pitch of each word that begins a note; -1 for other words
        self._pitch_v = np.array([int(value) if kind in ("Pitch", "NoteOn") else -1 for kind, value in split])

    def in_order(self, notes: Array, start: IntArray, tokens: IntArray, clock: IntArray) -> Array:
        """Return notes in the order of the tokens that begin them.

        Args:
            notes: decoded from the tokens, of ``NOTE_DTYPE``, in any order.
            start: of each note in ticks.
            tokens: int64 [time].
            clock: in ticks after each token, [time].
        """
        latest = np.maximum.accumulate(np.where(self._instrument_v[tokens] >= 0, np.arange(len(tokens)), -1))
        instrument = np.where(latest < 0, 0, self._instrument_v[tokens[latest]])
        begins = np.flatnonzero(self._pitch_v[tokens] >= 0)
        known, first = np.unique(
            _key(clock[begins], instrument[begins], self._pitch_v[tokens[begins]]), return_index=True
        )
        place = np.searchsorted(known, _key(start, notes["instrument"], notes["pitch"]))
        return notes[np.argsort(first[place], kind="stable")]


def _key(tick: IntArray, instrument: IntArray, pitch: IntArray) -> IntArray:
    return (tick.astype(np.int64) * _INSTRUMENTS + instrument) * _PITCHES + pitch
