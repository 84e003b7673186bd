"""Tests of the index: rhythms whose value can be worked out by hand, and what it must not depend on."""

import ablate
import numpy as np
import pytest

from ablate_npvi import ablate_metrics, npvi

SPEC = next(iter(ablate_metrics()))


def piece(starts) -> ablate.Performance:
    """Return a performance with a short note at each start."""
    return ablate.Performance.from_notes((60, 64, float(start), start + 0.1) for start in starts)


def measure(sample: ablate.Performance, *reference: ablate.Performance) -> tuple[float, float]:
    index, distance = SPEC.build(SPEC.parse({})).measure(sample, reference).values
    return index.value, distance.value


@pytest.mark.parametrize(
    ("durations", "expected"),
    [([1, 1, 1], 0.0), ([2, 1, 2, 1], 200 / 3), ([3, 1, 3], 100.0), ([1, 1, 3], 50.0)],
)
def test_rhythms_worked_out_by_hand(durations, expected: float) -> None:
    assert npvi(np.array(durations, float)) == pytest.approx(expected)
    # a slower performance of the same rhythm has the same value
    assert npvi(np.array(durations, float) * 1.7) == pytest.approx(expected)


def test_the_order_of_durations_matters() -> None:
    assert npvi(np.array([1.0, 1, 1, 3, 3, 3])) < npvi(np.array([1.0, 3, 1, 3, 1, 3]))


def test_the_distance_is_that_from_the_mean_of_the_reference() -> None:
    even, swung = piece([0, 1, 2, 3, 4]), piece([0, 2, 3, 5, 6])
    assert measure(even, even, swung) == pytest.approx((0.0, 100 / 3))


def test_a_chord_is_one_onset() -> None:
    assert measure(piece([0, 0.01, 0.02, 1, 2, 2.01, 3]), piece([0, 1, 2])) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_what_is_too_short_is_refused_or_left_out() -> None:
    with pytest.raises(ValueError, match="the sample has 2 onsets"):
        measure(piece([0, 1]), piece([0, 1, 2]))
    with pytest.raises(ValueError, match="no piece of the reference"):
        measure(piece([0, 1, 2]), piece([0]))
    assert measure(piece([0, 1, 2]), piece([0]), piece([0, 2, 3])) == pytest.approx((0.0, 200 / 3))
