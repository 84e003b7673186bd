"""Features of a piece, computed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate import Performance
from ablate_setdistances import features
from ablate_setdistances.symbolic import symbolic_features

if TYPE_CHECKING:
    Note = tuple[int, int, float, float]


def piece(*notes: Note) -> Performance:
    return Performance.from_notes(notes).canonical()


STEPS = piece((60, 64, 0.0, 0.5), (64, 64, 0.5, 1.0), (67, 64, 1.02, 2.02), (64, 64, 2.0, 4.0))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("pitch_count", 3), ("pitch_range", 7), ("note_count", 4), ("pitch_interval", 10 / 3), ("onset_interval", 2 / 3)],
)
def test_numbers_computed_by_hand(name: str, expected: float) -> None:
    assert getattr(features, name)(STEPS.notes) == pytest.approx([expected])


def test_histograms_computed_by_hand() -> None:
    assert features.pitch_classes(STEPS.notes) == pytest.approx([0.125, *[0] * 3, 0.625, 0, 0, 0.25, *[0] * 4])
    # a quarter of a bar of two seconds twice, a half note, and a whole one
    lengths = features.note_lengths(STEPS.notes, 2.0)
    assert lengths.tolist() == [0.25, 0.25, 0.5, *[0] * 9]
    following = features.note_length_transitions(STEPS.notes, 2.0).reshape(12, 12)
    assert following[2, 2] == following[2, 1] == following[1, 0] == pytest.approx(1 / 3)
    assert features.note_lengths(STEPS.notes, 4.0).tolist() == [0, 0.25, 0.25, 0.5, *[0] * 8]


def test_transitions_lead_to_onsets_near_the_end_of_a_note() -> None:
    found = features.pitch_class_transitions(STEPS.notes, 0.05).reshape(12, 12)
    # C to E, E to G 20 ms late, G to E 20 ms early
    assert found[0, 4] == found[4, 7] == found[7, 4] == pytest.approx(1 / 3)
    assert features.pitch_class_transitions(STEPS.notes, 0.01).reshape(12, 12)[0, 4] == 1


def test_single_notes_have_no_intervals_and_no_transitions() -> None:
    note = piece((60, 64, 1.0, 2.0)).notes
    assert features.pitch_interval(note) == features.onset_interval(note) == 0
    assert not features.note_length_transitions(note, 2.0).any()
    assert not features.pitch_class_transitions(note, 0.05).any()
    assert not features.pitch_classes(piece((60, 64, 1.0, 1.0)).notes).any()
    assert np.isfinite(symbolic_features(note)).all()
