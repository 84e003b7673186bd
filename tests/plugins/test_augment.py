from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ablate import Performance
from ablate.errors import CorpusError, InvalidOptions
from ablate.music.performance import DRUMS, PEDAL_DTYPE, make_pedals
from ablate.testing import AugmenterContract
from ablate_augment import ablate_augmenters

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECS = {spec.name: spec for spec in ablate_augmenters()}
PEDALS = np.array([(0.1, 64, 127, 0), (0.9, 67, 0, 0)], PEDAL_DTYPE)
VELOCITIES = st.lists(st.integers(1, 127), min_size=1, max_size=8)


class TestTranspose(AugmenterContract):
    spec = SPECS["transpose"]
    options = ({}, {"semitones": [0, 60, -60]}, {"semitones": [0], "out_of_range": "error"})


class TestVelocity(AugmenterContract):
    spec = SPECS["velocity"]
    options = ({}, {"amounts": [200, -200]}, {"mode": "scale", "amounts": [0.001, 1, 1000]})


class TestTimeJitter(AugmenterContract):
    spec = SPECS["time_jitter"]
    options = ({}, {"seconds": [10.0]}, {"seconds": [0.02, 0.02], "min_length": 0})


def augmented(name: str, performance: Performance, seed: int = 0, **options: Any) -> Sequence[Performance]:
    augmenter = SPECS[name].build(SPECS[name].parse(options))
    made: Sequence[Performance] = augmenter.augment(performance, np.random.default_rng(seed))
    return made


def pitched(*pitches: int) -> Performance:
    notes = [(pitch, 64, float(place), place + 0.5) for place, pitch in enumerate(pitches)]
    return Performance.from_notes(notes, pedals=PEDALS, name="piece").labelled(mood=3.0)


def struck(*velocities: int) -> Performance:
    return Performance.from_notes((60, velocity, float(i), i + 0.5) for i, velocity in enumerate(velocities))


def unchanged(copy: Performance, original: Performance, *but: str) -> bool:
    names = [name for name in original.notes.dtype.names or () if name not in but]
    return (
        all(np.array_equal(copy.notes[name], original.notes[name]) for name in names)
        and np.array_equal(copy.pedals, original.pedals)
        and copy.name == original.name
        and all(copy.labels[label] == value for label, value in original.labels.items())
    )


# transpose


def test_pitches_move_and_the_rest_stays() -> None:
    piece = pitched(60, 64, 67)
    copies = augmented("transpose", piece, semitones=[5, 0, -12])
    assert [copy.notes["pitch"].tolist() for copy in copies] == [[65, 69, 72], [60, 64, 67], [48, 52, 55]]
    assert [dict(copy.labels) for copy in copies] == [{"mood": 3.0, "transpose": by} for by in (5.0, 0.0, -12.0)]
    assert all(unchanged(copy, piece, "pitch") for copy in copies)


def test_the_defaults_keep_to_the_neighbouring_keys() -> None:
    copies = augmented("transpose", pitched(60))
    assert [copy.labels["transpose"] for copy in copies] == [-3, -2, -1, 0, 1, 2, 3]


def test_copies_that_leave_the_range_are_dropped() -> None:
    copies = augmented("transpose", pitched(22, 107), semitones=[-2, -1, 0, 1, 2], low=21, high=108)
    assert [copy.labels["transpose"] for copy in copies] == [-1, 0, 1]
    assert [copy.labels["transpose"] for copy in augmented("transpose", pitched(1, 126))] == [-1, 0, 1]


def test_copies_that_leave_the_range_are_an_error_where_that_is_asked_for() -> None:
    with pytest.raises(CorpusError) as caught:
        augmented("transpose", pitched(22, 107), semitones=[0, 1, 5, -3], high=108, out_of_range="error")
    assert str(caught.value) == (
        "piece: transposed by 5 semitones, it leaves MIDI pitches 0 to 108 (the first of these copies spans 27 to 112);"
        " choose other semitones, or a wider low and high"
    )


@pytest.mark.parametrize("out_of_range", ["drop_copy", "error"])
def test_a_performance_of_which_no_copy_is_left_is_named(out_of_range: str) -> None:
    with pytest.raises(CorpusError, match="piece: transposed by 0, 12 semitones, it leaves MIDI pitches 70 to 80"):
        augmented("transpose", pitched(60, 90), semitones=[0, 12], low=70, high=80, out_of_range=out_of_range)


def band() -> Performance:
    notes = [(60, 64, 0.1, 1.0, 73), (36, 90, 0.2, 0.3, DRUMS), (126, 90, 0.5, 0.6, DRUMS), (43, 64, 1.0, 2.0, 32)]
    pedals = make_pedals(time=0.5, controller=64, value=[127, 0], instrument=[73, 32])
    return Performance.from_notes(notes, pedals=pedals)


def test_drums_keep_their_pitches_whatever_the_range() -> None:
    copies = augmented("transpose", band(), semitones=[-2, 5], low=40, high=70, out_of_range="error")
    assert [copy.notes["pitch"].tolist() for copy in copies] == [[58, 36, 126, 41], [65, 36, 126, 48]]
    assert all(unchanged(copy, band(), "pitch") for copy in copies)


@pytest.mark.parametrize(
    ("name", "options", "changed"),
    [("velocity", {"amounts": [5.0]}, {"velocity"}), ("time_jitter", {"seconds": [1e-4]}, {"start", "end"})],
)
def test_loudness_and_timing_change_for_every_instrument(name: str, options: dict[str, Any], changed: set[str]) -> None:
    (copy,) = augmented(name, band(), **options)
    order = np.argsort(copy.notes["pitch"])
    for field in ("pitch", "velocity", "start", "end", "instrument"):
        same = copy.notes[field][order] == band().notes[field][np.argsort(band().notes["pitch"])]
        assert not same.any() if field in changed else same.all(), field
    assert np.array_equal(copy.pedals, band().pedals)


# velocity


def test_shifts_by_hand() -> None:
    copies = augmented("velocity", struck(1, 50, 51, 120), amounts=[-10, 0, 0.5, 10])
    assert [copy.notes["velocity"].tolist() for copy in copies] == [
        [1, 40, 41, 110],
        [1, 50, 51, 120],
        [2, 50, 52, 120],  # halves go to the even number
        [11, 60, 61, 127],
    ]
    assert [dict(copy.labels) for copy in copies] == [{"velocity_shift": by} for by in (-10.0, 0.0, 0.5, 10.0)]


def test_scales_by_hand() -> None:
    copies = augmented("velocity", struck(1, 50, 51, 120), mode="scale", amounts=[0.5, 1, 1.5])
    assert [copy.notes["velocity"].tolist() for copy in copies] == [
        [1, 25, 26, 60],  # 0.5 goes to 0, which would be silence, and is kept at 1
        [1, 50, 51, 120],
        [2, 75, 76, 127],
    ]
    assert [dict(copy.labels) for copy in copies] == [{"velocity_scale": by} for by in (0.5, 1.0, 1.5)]


@settings(max_examples=30)
@given(VELOCITIES, st.sampled_from(["shift", "scale"]), st.floats(0.01, 100))
def test_velocities_stay_near_and_in_range_and_the_rest_stays(velocities: list[int], mode: str, amount: float) -> None:
    original = struck(*velocities)
    (copy,) = augmented("velocity", original, mode=mode, amounts=[amount])
    exact = [velocity * amount if mode == "scale" else velocity + amount for velocity in velocities]
    kept = [min(max(velocity, 1), 127) for velocity in exact]
    assert copy.notes["velocity"].tolist() == pytest.approx(kept, abs=0.5)
    assert unchanged(copy, original, "velocity")


# time_jitter


def many(notes: int) -> Performance:
    starts = 10 + 0.5 * np.arange(notes)
    return Performance.from_notes(((60, 64, start, start + 5) for start in starts), pedals=PEDALS)


def test_starts_and_ends_get_normal_noise_of_their_own() -> None:
    original = many(4000)
    unmoved, copy = augmented("time_jitter", original, seconds=[0, 0.05])
    assert unchanged(unmoved, original)
    assert (unmoved.labels["time_jitter"], copy.labels["time_jitter"]) == (0.0, 0.05)
    late = np.stack([copy.notes[field] - original.notes[field] for field in ("start", "end")]) / 0.05
    assert np.abs(late.mean(axis=1)).max() < 4 / 4000**0.5
    assert late.std(axis=1) == pytest.approx([1, 1], abs=4 / 8000**0.5)
    assert abs(np.corrcoef(late)[0, 1]) < 4 / 4000**0.5
    assert (np.abs(late) < 1).mean() == pytest.approx(0.6827, abs=0.03)  # as the normal law has it
    assert unchanged(copy, original, "start", "end")


def test_noise_comes_from_the_generator_anew_for_each_copy() -> None:
    first, second = augmented("time_jitter", many(3), seconds=[0.01, 0.01])
    (other,) = augmented("time_jitter", many(3), seed=1, seconds=[0.01])
    assert len({copy.notes.tobytes() for copy in (first, second, other)}) == 3


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2)), min_size=1, max_size=9), st.integers(0, 99))
def test_times_stay_possible_and_in_order(notes: list[tuple[float, float]], seed: int) -> None:
    original = Performance.from_notes((60, 64, start, start + length) for start, length in notes)
    ordered = original.canonical()
    scattered, sorted_copy = (
        augmented("time_jitter", given, seed, seconds=[1.0], min_length=0.2)[0] for given in (original, ordered)
    )
    for copy in (scattered, sorted_copy):
        copy.check()
        assert (copy.notes["end"] - copy.notes["start"] >= 0.2 - 1e-12).all()
    assert (np.diff(sorted_copy.notes["start"]) >= 0).all()


def test_notes_that_were_in_no_order_keep_their_places() -> None:
    original = Performance.from_notes([(72, 90, 9.0, 9.5), (60, 30, 1.0, 1.5), (64, 40, 5.0, 5.5)])
    (copy,) = augmented("time_jitter", original, seconds=[0.1])
    assert copy.notes["pitch"].tolist() == [72, 60, 64]
    assert not np.array_equal(copy.notes["start"], original.notes["start"])


def test_notes_that_change_places_go_on_in_order() -> None:
    original = Performance.from_notes([(pitch, pitch, 5.0 + pitch / 1e4, 9.0) for pitch in range(40, 80)])
    (copy,) = augmented("time_jitter", original, seconds=[0.5])
    pitches = copy.notes["pitch"].tolist()
    assert pitches != sorted(pitches) == original.notes["pitch"].tolist()
    assert copy.notes["velocity"].tolist() == pitches
    assert np.array_equal(copy.notes, copy.canonical().notes)


def test_without_noise_a_note_may_be_shorter_than_min_length() -> None:
    short = Performance.from_notes([(60, 64, 1.0, 1.0)])
    unmoved, copy = augmented("time_jitter", short, seconds=[0.0, 0.01], min_length=0.5)
    assert unmoved.notes["end"][0] == 1.0
    assert copy.notes["end"][0] - copy.notes["start"][0] == pytest.approx(0.5)


# Options


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("transpose", {"semitones": []}, "semitones: must be a list of 1 or more whole numbers"),
        ("transpose", {"semitones": [0.5]}, "semitones: must be a list of 1 or more whole numbers"),
        ("transpose", {"semitones": [128]}, "semitones: must be a list of 1 or more whole numbers"),
        ("transpose", {"semitones": [1, 0, 1]}, "semitones: 1 is listed more than once; list each value once"),
        ("transpose", {"low": 61, "high": 60}, "low must not be above high, as 61 is above 60"),
        ("transpose", {"high": 128}, "high: must be a whole number"),
        ("transpose", {"out_of_range": "clip"}, 'out_of_range: must be "drop_copy" or "error"'),
        ("velocity", {"mode": "scale"}, 'with mode = "scale", amounts must be greater than 0, not -10'),
        ("velocity", {"mode": "scale", "amounts": [0, 1]}, "amounts must be greater than 0, not 0"),
        ("velocity", {"amounts": []}, "amounts: must be a list of 1 or more numbers"),
        ("velocity", {"amounts": [5, 5.0]}, "amounts: 5 is listed more than once; list each value once"),
        ("velocity", {"mode": "power"}, 'mode: must be "shift" or "scale"'),
        ("time_jitter", {"seconds": []}, "seconds: must be a list of 1 or more numbers"),
        ("time_jitter", {"seconds": [-0.01]}, "seconds: must be a list of 1 or more numbers"),
        ("time_jitter", {"min_length": -1}, "min_length: must be a number"),
    ],
)
def test_options_that_cannot_be_are_refused(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        SPECS[name].parse(options)
    assert says in str(caught.value)
