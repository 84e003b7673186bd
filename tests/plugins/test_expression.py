from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from ablate import Performance
from ablate.errors import InvalidOptions
from ablate.music.midi import read_midi
from ablate.testing import ConditionerContract
from ablate.testing.material import performances
from ablate_expression import ablate_conditioners

if TYPE_CHECKING:
    from pathlib import Path

SPECS = {spec.name: spec for spec in ablate_conditioners()}
SCALES = {"dynamics": 64, "articulation": 1, "density": 8}
NAMES = list(SPECS)
#: Two notes struck together, a short one, a long one and, after a pause, a last one: pitch, velocity, start, end.
NOTES = [(60, 40, 0.0, 1.0), (64, 80, 0.02, 0.5), (62, 100, 1.0, 1.5), (65, 20, 2.0, 10.0), (67, 50, 8.0, 10.0)]
PIECE = Performance.from_notes(NOTES)
# on a grid whose sums are exact, so that no onset is at once inside a window and, rounded, outside
GRID = st.integers(0, 80).map(lambda step: step / 8)
MUSIC = st.lists(
    st.tuples(st.integers(0, 127), st.integers(1, 127), GRID, GRID).map(lambda n: (n[0], n[1], n[2], n[2] + n[3])),
    min_size=1,
    max_size=12,
).map(Performance.from_notes)


class TestDynamics(ConditionerContract):
    spec = SPECS["dynamics"]
    options = ({}, {"scope": "local"}, {"scope": "local", "window": 0.5, "default": 90.0})


class TestArticulation(ConditionerContract):
    spec = SPECS["articulation"]
    options = ({}, {"scope": "local"}, {"scope": "local", "chord": 0.0, "cap": 2.0, "default": 0.5})


class TestDensity(ConditionerContract):
    spec = SPECS["density"]
    options = ({}, {"scope": "local"}, {"scope": "local", "window": 0.1, "default": 20.0})


def built(name: str, **options: Any) -> Any:
    return SPECS[name].build(SPECS[name].parse(options))


def observed(name: str, performance: Performance, *times: float, **options: Any) -> list[float]:
    """What is observed, in the quantity's own unit."""
    told = built(name, **options).from_performance(performance, np.array(times, np.float64))
    return [float(value) * SCALES[name] for value in told[:, 0]]


def asked(name: str, labels: dict[str, float], *times: float, **options: Any) -> list[float]:
    conditioner = built(name, **options)
    told = conditioner.from_labels({**conditioner.labels, **labels}, np.array(times, np.float64))
    return [float(value) * SCALES[name] for value in told[:, 0]]


def of_notes(name: str, piece: Performance, chord: float, cap: float) -> list[tuple[float, float]]:
    """Onset and number of each note, one at a time."""
    if name == "dynamics":
        return [(float(note["start"]), float(note["velocity"])) for note in piece.notes]
    found = []
    for note in piece.notes:
        later = [float(other["start"]) for other in piece.notes if other["start"] > note["start"] + chord]
        if later:
            ratio = float(note["end"] - note["start"]) / (min(later) - float(note["start"]))
            found.append((float(note["start"]), min(ratio, cap)))
    return found


def test_the_whole_performance_by_hand() -> None:
    assert observed("dynamics", PIECE, 0.0, 5.0) == pytest.approx([(40 + 80 + 100 + 20 + 50) / 5] * 2)
    ratios = [1.0 / 1.0, 0.48 / 0.98, 0.5 / 1.0, 8.0 / 6.0]
    assert observed("articulation", PIECE, 0.0, 5.0) == pytest.approx([sum(ratios) / 4] * 2)
    assert observed("density", PIECE, 0.0, 5.0) == pytest.approx([5 / 10] * 2)


def test_around_tokens_by_hand() -> None:
    # windows -1 to 1, 0 to 2, 4 to 6 (empty, halfway from 2 to 8), 8 to 10, and 11 to 13, after the end
    times, options = (0.0, 1.0, 5.0, 9.0, 12.0), {"scope": "local", "window": 2.0}
    dynamics = [220 / 3, 240 / 4, (20 + 50) / 2, 50, 50]
    assert observed("dynamics", PIECE, *times, **options) == pytest.approx(dynamics)
    first, last = (1.0 + 0.48 / 0.98 + 0.5) / 3, 8.0 / 6.0
    articulation = [first, (3 * first + last) / 4, last, last, last]
    assert observed("articulation", PIECE, *times, **options) == pytest.approx(articulation)
    # at 0 half the window is before the music
    assert observed("density", PIECE, *times, **options) == pytest.approx([3 / 1, 4 / 2, 0, 1 / 2, 0])


def test_after_the_end_density_stays_as_it_was_there() -> None:
    assert observed("density", PIECE, 10.0, 12.0, 13.0, scope="local", window=6.0) == pytest.approx([1 / 3] * 3)


def test_an_empty_window_goes_from_chord_to_chord() -> None:
    piece = Performance.from_notes([(60, 40, 0.0, 1.0), (64, 60, 0.0, 1.0), (67, 110, 8.0, 9.0)])
    assert observed("dynamics", piece, 2.0, 4.0, scope="local", window=1.0) == pytest.approx([65, 80])


def test_notes_struck_nearly_together_are_one_onset() -> None:
    assert observed("articulation", PIECE, 0.0, chord=0.02) == observed("articulation", PIECE, 0.0)
    ratios = [4.0, 0.48 / 0.98, 0.5, 8 / 6]  # the first note's next onset is 0.02 s away, and 50 is capped
    assert observed("articulation", PIECE, 0.0, chord=0.0) == pytest.approx([sum(ratios) / 4])


def test_articulation_is_one_for_legato_and_capped_one_note_at_a_time() -> None:
    def scale(length: float) -> Performance:
        return Performance.from_notes((60 + i, 64, 0.25 * i, 0.25 * i + length) for i in range(8))

    found = [observed("articulation", scale(length), 0.0)[0] for length in (0.0, 0.125, 0.25, 0.5, 2.0)]
    assert found == pytest.approx([0, 0.5, 1, 2, 4])
    assert observed("articulation", scale(2.0), 0.0, cap=3.0) == pytest.approx([3])


@pytest.mark.parametrize("scope", ["performance", "local"])
def test_music_without_an_interval_is_taken_for_legato(scope: str) -> None:
    chord = Performance.from_notes([(60, 64, 1.0, 5.0), (64, 64, 1.01, 1.02)])
    assert observed("articulation", chord, 0.0, 1.0, scope=scope) == [1.0, 1.0]


@pytest.mark.parametrize("scope", ["performance", "local"])
def test_a_lone_short_note_is_no_burst(scope: str) -> None:
    for end in (0.0, 0.001):
        note = Performance.from_notes([(60, 64, 0.0, end)])
        assert observed("density", note, 0.0, 0.5, scope=scope) == pytest.approx([1.0, 1.0])


@settings(max_examples=30)
@given(MUSIC, st.lists(GRID, max_size=5), st.sampled_from([0.5, 4.0, 1000.0]))
def test_windows_agree_with_counting(piece: Performance, times: list[float], window: float) -> None:
    """Against one token and note at a time."""
    for name in ("dynamics", "articulation"):
        notes = of_notes(name, piece, chord=0.05, cap=4.0)
        found = observed(name, piece, *times, scope="local", window=window)
        for time, value in zip(times, found, strict=True):
            inside = [number for onset, number in notes if abs(onset - time) <= window / 2]
            if inside:
                assert value == pytest.approx(sum(inside) / len(inside), rel=1e-5, abs=1e-6)
            elif notes:
                numbers = [number for _, number in notes]
                assert min(numbers) - 1e-5 <= value <= max(numbers) + 1e-5
    end = max(piece.seconds, 1.0)
    for time, value in zip(times, observed("density", piece, *times, scope="local", window=window), strict=True):
        low, high = min(time, end) - window / 2, min(time, end) + window / 2
        count = sum(low <= start <= high for start in piece.notes["start"])
        assert value == pytest.approx(count / (min(high, end) - max(low, 0)), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_notes_is_nothing(name: str) -> None:
    rng = np.random.default_rng(0)
    chords = [(60, int(rng.integers(1, 128)), float(i // 10), i // 10 + rng.random()) for i in range(200)]
    one, times = Performance.from_notes(chords), np.arange(0, 20, 0.5)
    other = one.replace(notes=rng.permutation(one.notes))
    for scope in ("performance", "local"):
        conditioner = built(name, scope=scope, window=1.0)
        assert np.array_equal(conditioner.from_performance(one, times), conditioner.from_performance(other, times))
    # not even in the digits that rounding to float32 hides
    assert conditioner.overall(one) == conditioner.overall(other)
    assert np.array_equal(conditioner.around(one, times), conditioner.around(other, times))


@pytest.mark.parametrize("name", NAMES)
def test_a_window_over_everything_is_the_whole_performance(name: str) -> None:
    for piece in performances():
        whole = observed(name, piece, 0.0, 0.3, 7.0)
        assert observed(name, piece, 0.0, 0.3, 7.0, scope="local", window=1e4) == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_tokens_number_does_not_depend_on_the_other_tokens(name: str) -> None:
    times = np.array([0.0, 0.5, 5.0, 12.0])
    conditioner = built(name, scope="local", window=1.0)
    alone = [conditioner.from_performance(PIECE, times[i : i + 1])[0] for i in range(4)]
    assert np.array_equal(conditioner.from_performance(PIECE, times), np.array(alone))


def test_what_the_notes_say_goes_before_labels() -> None:
    assert observed("dynamics", PIECE.labelled(dynamics=100.0), 0.0) == observed("dynamics", PIECE, 0.0)


@pytest.mark.parametrize(("name", "default"), [("dynamics", 64.0), ("articulation", 1.0), ("density", 8.0)])
def test_the_default_is_told_as_one(name: str, default: float) -> None:
    conditioner = built(name)
    assert conditioner.labels == {name: default, f"{name}_per_minute": 0.0}
    told = conditioner.from_labels(conditioner.labels, np.array([0.0, 100.0]))
    assert told.tolist() == [[1.0], [1.0]]
    assert built(name, default=default / 2).labels[name] == default / 2


@pytest.mark.parametrize(
    ("name", "start", "change", "expected"),
    [
        ("dynamics", 40.0, 30.0, [40, 55, 70, 127]),  # a crescendo ends at the loudest there is
        ("dynamics", 40.0, -30.0, [40, 25, 10, 1]),
        ("articulation", 1.0, 0.5, [1, 1.25, 1.5, 4]),
        ("density", 6.0, -2.0, [6, 5, 4, 0]),
    ],
)
def test_what_is_asked_changes_by_so_much_a_minute(
    name: str, start: float, change: float, expected: list[float]
) -> None:
    labels = {name: start, f"{name}_per_minute": change}
    assert asked(name, labels, 0.0, 30.0, 60.0, 600.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"dynamics": 0.5}, r"dynamics must be from 1 to 127 \(MIDI velocity\), not 0\.5"),
        ({"dynamics": 128}, "not 128"),
        ({"dynamics": float("nan")}, "not nan"),
        ({"dynamics_per_minute": float("inf")}, "dynamics_per_minute must be a finite number, not inf"),
        ({"articulation": 0.0}, r"articulation must be above 0 and at most 4 \(the cap\), not 0"),
        ({"articulation": 4.5}, "not 4.5"),
        ({"articulation_per_minute": float("nan")}, "not nan"),
        ({"density": -1}, r"density must be above 0 and at most 1000 \(notes per second\), not -1"),
        ({"density": 0}, "not 0"),
        ({"density": float("inf")}, "not inf"),
    ],
)
def test_what_cannot_be_is_refused(labels: dict[str, float], message: str) -> None:
    conditioner = built(next(iter(labels)).removesuffix("_per_minute"))
    with pytest.raises(ValueError, match=message):
        conditioner.check_labels({**conditioner.labels, **labels})


@pytest.mark.parametrize(
    ("name", "values"), [("dynamics", (1, 127)), ("articulation", (0.1, 4)), ("density", (0.1, 1000))]
)
def test_what_can_be_is_not_refused(name: str, values: tuple[float, ...]) -> None:
    for value in values:
        built(name).check_labels({name: value, f"{name}_per_minute": -5.0})


@pytest.mark.parametrize(
    ("name", "options", "key"),
    [
        ("dynamics", {"scope": "bar"}, "scope"),
        ("dynamics", {"window": 0.0}, "window"),
        ("dynamics", {"default": 0}, "default"),
        ("dynamics", {"cap": 2.0}, "cap"),
        ("articulation", {"default": 0.0}, "default"),
        ("articulation", {"cap": 0.0}, "cap"),
        ("articulation", {"chord": -0.01}, "chord"),
        ("articulation", {"default": 3.0, "cap": 2.0}, ""),
        ("density", {"default": 0.0}, "default"),
        ("density", {"default": 1001}, "default"),
    ],
)
def test_options_out_of_bounds_are_refused(name: str, options: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        SPECS[name].parse(options)
    assert [key for key, _ in caught.value.problems] == [key]


@pytest.mark.parametrize("name", NAMES)
def test_the_network_side_is_linear(name: str) -> None:
    module = built(name).module(3)
    values_rtf = torch.tensor([[[0.0], [1.0]], [[2.0], [3.0]]])
    result_rtw = module(values_rtf)
    torch.testing.assert_close(result_rtw, values_rtf * module.weight[:, 0] + module.bias)


def test_real_performances_are_told_near_one(smd_dir: Path) -> None:
    piece = read_midi(smd_dir / "Bach_BWV888-01_008_20110315-SMD.mid")
    times = np.linspace(0, piece.seconds, 500)
    for name in NAMES:
        whole, local = (
            built(name).from_performance(piece, times),
            built(name, scope="local").from_performance(piece, times),
        )
        assert 0.25 < whole[0, 0] < 4
        assert 0.25 < local.mean() < 4
        assert local.std() > 0.01
