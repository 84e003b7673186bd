"""Strategies that draw performances, for the tests of the tokenizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np

from ablate import Performance
from ablate.music.performance import DRUMS

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Instruments that meet in one performance.
BAND = (0, 1, 33, 127, DRUMS)
#: Few pitches and steps, so that everything meets everything.
FEW: dict[str, Any] = {"step": 0.125, "longest_shift": 0.5, "velocity_bins": 1, "low": 60, "high": 62}


@st.composite
def performances(
    draw: st.DrawFn, pitches: Sequence[int] = range(128), instruments: Sequence[int] = (0,)
) -> Performance:
    """Draw up to 30 notes; many times are equal and pitches are few, so notes of one pitch overlap."""
    used = draw(st.lists(st.sampled_from(pitches), min_size=1, max_size=4))
    start = st.floats(0, 20) | st.sampled_from([0.0, 0.125, 0.5, 0.51, 1.0, 4.0])
    length = st.floats(0, 5) | st.sampled_from([0.0, 0.001, 0.01, 0.375, 1.0])
    note = st.tuples(st.sampled_from(used), st.integers(1, 127), start, length, st.sampled_from(instruments))
    notes = draw(st.lists(note, max_size=30))
    return Performance.from_notes((pitch, velocity, s, s + d, which) for pitch, velocity, s, d, which in notes)


def token_sequences(vocabulary: int) -> st.SearchStrategy[np.ndarray]:
    """Draw token ids, half of the time of few kinds, so that note-ons and note-offs of one pitch occur."""
    ids = st.integers(0, vocabulary - 1)
    few = st.sampled_from([0, 1, 88, 89, vocabulary - 1, vocabulary - 9, 180])
    return (st.lists(ids, max_size=80) | st.lists(few, max_size=40)).map(lambda tokens: np.array(tokens, np.int64))
