"""A tokenizer of any instruments, for tests: five tokens a note, exact to a hundredth of a second."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

import numpy as np

import ablate
from ablate.music.instruments import merged
from ablate.music.performance import DRUMS, Performance, make_notes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import BoolArray, FloatArray, IntArray

STEP = 0.01
LONGEST = 400
#: The first id of each kind of token.
_FIRST = np.cumsum([0, LONGEST + 1, LONGEST + 1, 128, 128])
WAIT, LENGTH, PITCH, VELOCITY, INSTRUMENT = _FIRST.tolist()


@dataclasses.dataclass(frozen=True)
class BandOptions:
    """Options of ``band``."""

    instruments: Literal["one", "merge", "all"] = ablate.option("one", doc="How instruments are written.")


class Band(ablate.Tokenizer):
    """A wait, a length, a pitch, a velocity and an instrument for each note; notes need all five to be decoded."""

    def __init__(self, options: BandOptions) -> None:
        self.instruments, self.merges = options.instruments == "all", options.instruments == "merge"
        kinds = {"wait": LONGEST + 1, "length": LONGEST + 1, "pitch": 128, "velocity": 128, "instrument": DRUMS + 1}
        self.vocabulary = tuple(f"{kind} {number}" for kind, count in kinds.items() for number in range(count))
        self.start_token = INSTRUMENT

    def encode(self, performance: Performance) -> IntArray:
        notes = (merged(performance).performance if self.merges else performance).canonical().notes
        start = np.rint(notes["start"] / STEP).astype(np.int64)
        length = np.rint((notes["end"] - notes["start"]) / STEP).astype(np.int64).clip(0, LONGEST)
        wait = np.diff(start, prepend=0).clip(0, LONGEST)
        instrument = notes["instrument"] if self.instruments else np.zeros(len(notes), np.int64)
        columns = (wait + WAIT, length + LENGTH, notes["pitch"] + PITCH, notes["velocity"] + VELOCITY)
        return np.stack([*columns, instrument + INSTRUMENT], axis=1).astype(np.int64).ravel()

    def decode(self, tokens: IntArray) -> Performance:
        kinds = self._kinds(tokens)
        whole = np.array([i for i in range(len(tokens) - 4) if kinds[i : i + 5].tolist() == [0, 1, 2, 3, 4]], np.int64)
        columns = tokens[np.add.outer(whole, range(5)).astype(np.int64)] - _FIRST
        start = self.times(tokens)[whole]
        notes = make_notes(
            pitch=columns[:, 2],
            velocity=columns[:, 3].clip(1),
            start=start,
            end=start + columns[:, 1] * STEP,
            instrument=columns[:, 4],
        )
        return Performance(notes)

    def grammar(self, rows: int) -> Callable[[IntArray], BoolArray]:
        of_word = self._kinds(np.arange(len(self.vocabulary)))
        return lambda tokens: of_word == (self._kinds(tokens)[:, None] + 1) % 5

    def _kinds(self, tokens: IntArray) -> IntArray:
        return np.searchsorted(_FIRST, tokens, side="right") - 1

    def times(self, tokens: IntArray) -> FloatArray:
        return STEP * np.where(tokens < LENGTH, tokens, 0).cumsum()


SPEC = ablate.TokenizerSpec(name="band", summary="Five tokens a note.", options=BandOptions, build=Band)
