"""Strategies that draw performances, for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ablate.music.performance import PEDAL_DTYPE, Performance

_MOMENTS = st.integers(0, 20)  # a coarse grid, so that events often coincide
_NOTES = st.lists(st.tuples(st.integers(60, 62), st.integers(1, 127), _MOMENTS, st.integers(0, 6)), max_size=12)
_PEDALS = st.lists(st.tuples(_MOMENTS, st.sampled_from([64, 67]), st.sampled_from([0, 63, 64, 127])), max_size=12)


@st.composite
def performances(draw: st.DrawFn, *, overlaps: bool = True) -> Performance:
    """Draw performances of up to 12 notes and 12 pedal events.

    Args:
        draw: hypothesis gives it.
        overlaps: whether notes of one pitch may sound together.
    """
    notes: list[tuple[int, int, float, float]] = []
    for pitch, velocity, start, length in draw(_NOTES):
        end = start + length
        clash = any(p == pitch and (start == s or (start < e and end > s)) for p, _, s, e in notes)
        if overlaps or not clash:
            notes.append((pitch, velocity, float(start), float(end)))
    pedals = np.array([(*event, 0) for event in sorted(draw(_PEDALS), key=lambda event: event[0])], PEDAL_DTYPE)
    return Performance.from_notes(notes, pedals=pedals)
