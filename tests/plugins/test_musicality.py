from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ablate import Performance
from ablate.errors import CorpusError, InvalidOptions, NothingGenerated
from ablate.music.midi import read_midi
from ablate.testing import MetricContract
from ablate_musicality import ablate_metrics
from ablate_musicality.pieces import NUMBERS

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from ablate import Measurements

    Note = tuple[int, int, float, float]

SPECS = {spec.name.removeprefix("musicality."): spec for spec in ablate_metrics()}
MAJOR_SCALE = [(p, 64, 0.5 * i, 0.5 * i + 0.5) for i, p in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]

# Times are eighths of a second, so that they add up exactly, in steps as in seconds.
EIGHTHS = st.integers(0, 40)
NOTES = st.tuples(st.integers(0, 127), st.integers(1, 127), EIGHTHS, EIGHTHS).map(
    lambda n: (n[0], n[1], n[2] / 8, (n[2] + n[3]) / 8)
)
PIECES = st.lists(NOTES, min_size=1, max_size=12)


class TestPitchRange(MetricContract):
    spec = SPECS["pitch_range"]


class TestPitchClasses(MetricContract):
    spec = SPECS["pitch_classes"]


class TestPitchEntropy(MetricContract):
    spec = SPECS["pitch_entropy"]


class TestPitchClassEntropy(MetricContract):
    spec = SPECS["pitch_class_entropy"]


class TestScaleConsistency(MetricContract):
    spec = SPECS["scale_consistency"]


class TestPolyphony(MetricContract):
    spec = SPECS["polyphony"]


class TestNotesPerSecond(MetricContract):
    spec = SPECS["notes_per_second"]


class TestEmptyTime(MetricContract):
    spec = SPECS["empty_time"]


def measure(name: str, generated: list[Note], *reference: list[Note]) -> Measurements:
    measured: Measurements = (
        SPECS[name]
        .build(SPECS[name].parse({}))
        .measure(Performance.from_notes(generated), [Performance.from_notes(notes) for notes in reference])
    )
    return measured


def value(name: str, notes: list[Note]) -> float:
    return measure(name, notes, notes).values[0].value


def test_every_number_has_a_metric() -> None:
    assert list(SPECS) == list(NUMBERS)


@pytest.mark.parametrize(
    ("name", "notes", "expected"),
    [
        ("pitch_range", MAJOR_SCALE, 12),
        ("pitch_classes", MAJOR_SCALE, 7),
        ("pitch_entropy", MAJOR_SCALE, 3),  # eight pitches, one of them C again
        ("pitch_class_entropy", MAJOR_SCALE, 2 / 8 * 2 + 6 / 8 * 3),
        ("scale_consistency", MAJOR_SCALE, 1),
        ("scale_consistency", [*MAJOR_SCALE, (61, 64, 4, 5), (63, 64, 4, 5)], 0.8),
        ("scale_consistency", [(p, 64, 0, 1) for p in (57, 59, 60, 62, 64, 65, 67)], 1),  # A natural minor
        ("scale_consistency", [(p, 64, 0, 1) for p in (57, 59, 60, 62, 64, 65, 68)], 6 / 7),  # A harmonic minor
        ("scale_consistency", [(p, 64, 0, 1) for p in range(60, 72)], 7 / 12),
        ("polyphony", MAJOR_SCALE, 1),
        ("polyphony", [(60, 64, 0, 2), (64, 64, 1, 2), (67, 64, 5, 6)], 4 / 3),
        ("polyphony", [(60, 64, 0, 2), (60, 64, 1, 3)], 4 / 3),  # one pitch, two notes
        ("notes_per_second", MAJOR_SCALE, 2),
        ("notes_per_second", [(60, 64, 3, 4), (60, 64, 6, 7)], 0.5),  # what is before the first onset does not count
        ("empty_time", MAJOR_SCALE, 0),
        ("empty_time", [(60, 64, 3, 4), (60, 64, 6, 7)], 0.5),
        ("empty_time", [(60, 64, 3, 7), (60, 64, 4, 5), (60, 64, 6, 6.5)], 0),
        ("empty_time", [(60, 64, 6, 8), (60, 64, 0, 2), (60, 64, 1, 3)], 3 / 8),  # out of order
    ],
)
def test_numbers_computed_by_hand(name: str, notes: list[Note], expected: float) -> None:
    assert value(name, notes) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "one", "without_length"),
    [
        ("pitch_range", 0, 0),
        ("pitch_classes", 1, 1),
        ("pitch_entropy", 0, 0),
        ("pitch_class_entropy", 0, 0),
        ("scale_consistency", 1, 1),
        ("polyphony", 1, 0),
        ("notes_per_second", 4, 1000),
        ("empty_time", 0, 1),
    ],
)
def test_a_single_note(name: str, one: float, without_length: float) -> None:
    assert value(name, [(60, 64, 1.0, 1.25)]) == one
    assert value(name, [(60, 64, 1.0, 1.0)]) == without_length


def test_the_difference_is_from_the_mean_of_the_pieces() -> None:
    narrow, wide = [(60, 64, 0, 1), (62, 64, 0, 1)], [(40, 64, 0, 1), (60, 64, 0, 1), (60, 64, 0, 1)]
    for sample, expected in ((narrow, 9), (wide, 9), ([(60, 64, 0, 1)], 11)):
        own, difference = measure("pitch_range", sample, narrow, wide, []).values
        assert (difference.feature, difference.value) == ("difference", expected)
        assert (own.direction, difference.direction) == ("none", "lower")
        assert (own.unit, difference.unit) == ("semitones", "semitones")
        assert own.n == difference.n == len(sample)


def entropy(counts: Counter[int]) -> float:
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values())


def in_scale(pitches: list[int], root: int, intervals: tuple[int, ...]) -> float:
    return sum((pitch - root) % 12 in intervals for pitch in pitches) / len(pitches)


def from_the_papers(notes: list[Note]) -> dict[str, float]:
    """As the formulas are written: over pitches, over all 24 scales, and over the steps of a grid."""
    pitches = [pitch for pitch, *_ in notes]
    first, last = min(8 * start for _, _, start, _ in notes), max(8 * end for *_, end in notes)
    steps = [sum(8 * start <= t < 8 * end for _, _, start, end in notes) for t in range(int(first), int(last))]
    on = [count for count in steps if count]
    scales = [(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)]
    return {
        "pitch_range": max(pitches) - min(pitches),
        "pitch_classes": len({pitch % 12 for pitch in pitches}),
        "pitch_entropy": entropy(Counter(pitches)),
        "pitch_class_entropy": entropy(Counter(pitch % 12 for pitch in pitches)),
        "scale_consistency": max(in_scale(pitches, root, scale) for root in range(12) for scale in scales),
        "polyphony": sum(on) / len(on) if on else 0,
        "notes_per_second": len(notes) / (len(steps) / 8) if steps else len(notes) * 1000,
        "empty_time": steps.count(0) / len(steps) if on else 1,
        "instruments": 1,
    }


@settings(max_examples=50)
@given(PIECES)
def test_numbers_agree_with_the_formulas(notes: list[Note]) -> None:
    array = Performance.from_notes(notes).notes
    found = {name: number(array) for name, (number, _, _) in NUMBERS.items()}
    assert found == pytest.approx(from_the_papers(notes), rel=1e-9, abs=1e-9)


@settings(max_examples=25)
@given(PIECES, st.integers(0, 24), st.randoms(use_true_random=False))
def test_numbers_do_not_depend_on_order_or_on_when_the_recording_started(
    notes: list[Note], seconds: int, random: Random
) -> None:
    later = [(pitch, velocity, start + seconds, end + seconds) for pitch, velocity, start, end in notes]
    random.shuffle(later)
    for number, _, _ in NUMBERS.values():
        moved, here = (number(Performance.from_notes(each).notes) for each in (later, notes))
        assert moved == pytest.approx(here, rel=1e-12)


def test_music_without_notes_is_refused() -> None:
    with pytest.raises(NothingGenerated, match="no note"):
        measure("polyphony", [], MAJOR_SCALE)
    with pytest.raises(CorpusError, match="no note"):
        measure("polyphony", MAJOR_SCALE, [], [])


def test_there_is_nothing_to_set() -> None:
    with pytest.raises(InvalidOptions, match="scale: unknown key"):
        SPECS["scale_consistency"].parse({"scale": "major"})


def test_time_is_measured_as_on_a_fine_grid(smd_dir: Path) -> None:
    prelude = read_midi(smd_dir / "Bach_BWV888-01_008_20110315-SMD.mid")
    grid = np.arange(prelude.notes["start"].min(), prelude.seconds, 0.001)
    sounding = sum((n["start"] <= grid) & (grid < n["end"]) for n in prelude.notes)
    polyphony, empty_time = (NUMBERS[name][0](prelude.notes) for name in ("polyphony", "empty_time"))
    assert polyphony == pytest.approx(sounding[sounding > 0].mean(), abs=0.01)
    assert empty_time == pytest.approx((sounding == 0).mean(), abs=0.001)
