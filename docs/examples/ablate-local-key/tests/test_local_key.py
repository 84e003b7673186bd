"""Tests of the keys: music whose key everybody knows, and what a study may ask for."""

import ablate
import numpy as np
import pytest

from ablate_local_key import KEYS, ablate_conditioners, ablate_metrics, keys_around

CONDITIONER = next(iter(ablate_conditioners()))
METRIC = next(iter(ablate_metrics()))
#: A cadence (I, IV, V, I) in C major and in C minor, as pitch classes.
MAJOR = ((0, 4, 7), (5, 9, 0), (7, 11, 2), (0, 4, 7))
MINOR = ((0, 3, 7), (5, 8, 0), (7, 11, 2), (0, 3, 7))


def cadence(chords, tonic: int, start: float = 0.0) -> list[tuple[int, int, float, float]]:
    """Return notes of one second for each chord."""
    return [
        (48 + (tonic + pitch) % 12, 64, start + i, start + i + 1) for i, chord in enumerate(chords) for pitch in chord
    ]


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("chords", "mode"), [(MAJOR, "major"), (MINOR, "minor")])
def test_a_cadence_is_in_its_key(chords, mode: str, tonic: int) -> None:
    piece = ablate.Performance.from_notes(cadence(chords, tonic))
    (key,) = keys_around(piece, np.array([2.0]), 8.0)
    assert KEYS[key] == f"{KEYS[tonic].split()[0]} {mode}"


def test_a_modulation_is_followed_and_silence_has_no_key() -> None:
    piece = ablate.Performance.from_notes([*cadence(MAJOR, 0), *cadence(MAJOR, 7, 10.0)])
    values = CONDITIONER.build(CONDITIONER.parse({"window": 4.5})).from_performance(piece, np.array([2.0, 12.0, 60.0]))
    assert [[KEYS[i] for i in np.flatnonzero(row)] for row in values] == [["C major"], ["G major"], []]


def test_all_pitch_classes_alike_have_no_key() -> None:
    piece = ablate.Performance.from_notes((60 + i, 64, 0.0, 1.0) for i in range(12))
    assert keys_around(piece, np.array([0.0]), 4.0).tolist() == [-1]


def test_the_control_trains_on_the_keys_of_other_windows() -> None:
    own, others = np.zeros((2, 3, 24), np.float32), np.ones((2, 3, 24), np.float32)
    for source, expected in (("music", own), ("shuffled", others)):
        conditioner = CONDITIONER.build(CONDITIONER.parse({"source": source}))
        assert conditioner.perturb(own, others, np.random.default_rng(0)) is expected


@pytest.mark.parametrize("key", [-1.0, 24.0, 0.5])
def test_a_number_without_a_key_is_refused(key: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 23"):
        CONDITIONER.build(CONDITIONER.parse({})).check_labels({"key": key})


def test_the_share_counts_notes_in_the_key_that_was_asked_for() -> None:
    piece = ablate.Performance.from_notes([*cadence(MAJOR, 0), *cadence(MAJOR, 7, 20.0)])
    metric = METRIC.build(METRIC.parse({}))
    (value,) = metric.measure(piece.labelled(key=7.0), [piece]).values
    assert (value.value, value.n) == (0.5, 24)
    with pytest.raises(ValueError, match="no key was asked for"):
        metric.measure(piece, [piece])


def test_drums_are_in_no_key() -> None:
    drums = [(36 + i, 100, float(i), i + 0.1, 128) for i in range(8)]
    metric = METRIC.build(METRIC.parse({}))
    mixed = ablate.Performance.from_notes([*((*note, 0) for note in cadence(MAJOR, 2)), *drums])
    (value,) = metric.measure(mixed.labelled(key=2.0), [mixed]).values
    assert (value.value, value.n) == (1.0, 12)
    with pytest.raises(ValueError, match="drums only"):
        metric.measure(ablate.Performance.from_notes(drums).labelled(key=2.0), [mixed])
