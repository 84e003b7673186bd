from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy.optimize import linprog
from scipy.spatial.distance import jensenshannon
from scipy.stats import binom, entropy, wasserstein_distance

from ablate import Measurements, Performance
from ablate.errors import CorpusError, InvalidOptions, NothingGenerated
from ablate.music.midi import read_midi
from ablate.options import describe
from ablate.testing import MetricContract
from ablate_distances import ablate_metrics
from ablate_distances.distances import UNITS, Observed, distances, on_a_line, on_the_circle
from ablate_distances.options import AverageOptions
from ablate_midilike.classic import ClassicTokenizer
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.options import ClassicOptions, GridOptions

if TYPE_CHECKING:
    from ablate import Histogram, Tokenizer

    Note = tuple[int, int, float, float]

SPECS = {spec.name: spec for spec in ablate_metrics()}
CASES = sorted((Path(__file__).parent.parent / "data/metrics").glob("*.json"))
COUNTS = st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any).map(lambda c: np.array(c, np.float64))
OBSERVED = st.lists(st.tuples(st.floats(-100, 100), st.integers(1, 9)), min_size=1, max_size=9).map(
    lambda pairs: Observed(*(np.array(column, np.float64) for column in zip(*sorted(pairs), strict=True)))
)
FIRST_FIVE = ("l1", "l2", "kl_pq", "kl_qp", "average")  # those of the original report
FOUR = FIRST_FIVE[:4]
NOTE = (60, 64, 0.0, 0.5)

MOVED = {
    "pitch": {"wasserstein": "semitones"},
    "pitch_class": {"wasserstein": "semitones"},
    "duration": {"wasserstein": "s"},
    "velocity": {"wasserstein": "MIDI velocity"},
    "inter_onset_interval": {"wasserstein": "s"},
    "polyphony": {"wasserstein": "notes"},
    "pitch_class_transition": {},  # pairs have no order
    "average": {},  # of different units there is no mean
}


class TestPitch(MetricContract):
    spec = SPECS["distance.pitch"]
    options = ({}, {"smoothing": 1e-3})


class TestDuration(MetricContract):
    spec = SPECS["distance.duration"]
    options = ({}, {"duration_bins": 1, "duration_longest": 0.1})


class TestVelocity(MetricContract):
    spec = SPECS["distance.velocity"]
    options = ({}, {"velocity_bins": 128})


class TestPitchClass(MetricContract):
    spec = SPECS["distance.pitch_class"]
    options = ({}, {"smoothing": 1e-3})


class TestInterOnsetInterval(MetricContract):
    spec = SPECS["distance.inter_onset_interval"]
    options = ({}, {"interval_bins": 1, "interval_longest": 0.1})


class TestPolyphony(MetricContract):
    spec = SPECS["distance.polyphony"]
    options = ({}, {"polyphony_most": 1})


class TestPitchClassTransition(MetricContract):
    spec = SPECS["distance.pitch_class_transition"]
    options = ({}, {"within": 1.0})


class TestAverage(MetricContract):
    spec = SPECS["distance.average"]
    options = ({}, {"velocity_bins": 30, "duration_bins": 5, "duration_longest": 1.0, "smoothing": 1e-3})


def measure(name: str, generated: Performance, *reference: Performance, **settings: Any) -> Measurements:
    spec = SPECS[f"distance.{name}"]
    measured: Measurements = spec.build(spec.parse(settings)).measure(generated, reference)
    return measured


def numbers(measured: Measurements) -> dict[str, float]:
    return {value.feature: value.value for value in measured.values}


def filled_bins(counts: tuple[float, ...]) -> dict[str, float]:
    return {str(place): count for place, count in enumerate(counts) if count}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_cases_computed_by_hand(path: Path) -> None:
    case = json.loads(path.read_text())
    spec = SPECS[case["metric"]]
    reference = [Performance.from_notes(map(tuple, notes)) for notes in case["reference"]]
    generated = Performance.from_notes(map(tuple, case["generated"]))
    measured = spec.build(spec.parse(case["options"])).measure(generated, reference)
    found = {feature: value for feature, value in numbers(measured).items() if feature in FIRST_FIVE}
    assert found == pytest.approx(case["expected"], rel=1e-8, abs=1e-12)
    assert {h.feature: [filled_bins(h.reference), filled_bins(h.generated)] for h in measured.histograms} == (
        case["counts"]
    )


def test_values_say_what_they_are() -> None:
    for name, moved in MOVED.items():
        values = measure(name, Performance.from_notes([NOTE] * 3), Performance.from_notes([NOTE])).values
        assert {value.feature: value.unit for value in values} == {**UNITS, **moved}
        assert {value.direction for value in values} == {"lower"}
        assert {value.n for value in values} == {3}


def test_the_average_takes_every_option_of_the_three_with_the_same_default() -> None:
    parts = {f for name in ("pitch", "duration", "velocity") for f in describe(SPECS[f"distance.{name}"].options)}
    assert set(describe(AverageOptions)) == parts


@given(COUNTS, COUNTS, st.floats(1e-9, 1))
def test_divergences_agree_with_scipy(p: np.ndarray, q: np.ndarray, smoothing: float) -> None:
    found = distances(p, q, smoothing)
    p_smooth, q_smooth = p / p.sum() + smoothing, q / q.sum() + smoothing
    assert found["kl_pq"] == pytest.approx(entropy(p_smooth, q_smooth), rel=1e-9, abs=1e-12)
    assert found["kl_qp"] == pytest.approx(entropy(q_smooth, p_smooth), rel=1e-9, abs=1e-12)
    assert found["js"] == pytest.approx(jensenshannon(p, q, base=2) ** 2, rel=1e-9, abs=1e-12)


@given(COUNTS, COUNTS)
def test_distances_have_their_bounds_and_symmetries(p: np.ndarray, q: np.ndarray) -> None:
    one, other = distances(p, q, 1e-6), distances(q, p, 1e-6)
    assert (one["l1"], one["l2"]) == (other["l1"], other["l2"])
    assert (one["kl_pq"], one["kl_qp"]) == (other["kl_qp"], other["kl_pq"])
    assert all(value >= 0 for value in one.values())
    assert one["l1"] <= 2 + 1e-12
    assert one["l2"] <= min(one["l1"], 2**0.5) + 1e-12
    assert one["kl_pq"] >= one["l1"] ** 2 / 2 - 1e-4  # Pinsker's inequality, but for the smoothing
    assert one["average"] == pytest.approx(np.mean([one[name] for name in FOUR]))
    assert one["js"] == other["js"] <= 1


def test_the_jensen_shannon_divergence_computed_by_hand() -> None:
    one, other, both = (np.array(counts, np.float64) for counts in ([2, 0], [0, 3], [1, 1]))
    assert distances(one, other, 1e-6)["js"] == 1  # a bit tells which of the two a note is from
    # their mean is (3/4, 1/4), and one of them has an entropy of a bit
    assert distances(one, both, 1e-6)["js"] == pytest.approx(2 - 3 / 4 * np.log2(3) - 1 / 2)


@given(COUNTS, st.integers(1, 9))
def test_histograms_of_one_shape_have_no_distance(p: np.ndarray, times: int) -> None:
    assert list(distances(p, p * times, 1e-6).values()) == pytest.approx([0] * len(UNITS), abs=1e-12)


@given(COUNTS, COUNTS)
def test_more_smoothing_means_less_divergence(p: np.ndarray, q: np.ndarray) -> None:
    assume(not np.allclose(p / p.sum(), q / q.sum()))
    found = [distances(p, q, smoothing)["kl_pq"] for smoothing in (1e-8, 1e-4, 1e-2, 1)]
    assert found == sorted(found, reverse=True)


@settings(max_examples=50)
@given(OBSERVED, OBSERVED)
def test_the_earth_movers_distance_agrees_with_scipy(one: Observed, other: Observed) -> None:
    expected = wasserstein_distance(one.values, other.values, one.weights, other.weights)
    assert on_a_line(one, other) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=10)
@given(COUNTS, COUNTS)
def test_the_earth_movers_distance_on_the_circle_is_the_least_work(p: np.ndarray, q: np.ndarray) -> None:
    """Against the transport problem itself, solved by linear programming, on a circle of five steps."""
    steps = np.arange(5)
    apart = np.abs(steps[:, None] - steps)
    sums = np.vstack([np.kron(np.eye(5), np.ones(5)), np.kron(np.ones(5), np.eye(5))])
    plan = linprog(np.minimum(apart, 5 - apart).ravel(), A_eq=sums, b_eq=np.concatenate([p / p.sum(), q / q.sum()]))
    one, other = Observed(steps.astype(float), p), Observed(steps.astype(float), q)
    assert on_the_circle(one, other, 5) == pytest.approx(plan.fun, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "reference", "generated", "expected"),
    [
        ("pitch", [(60, 64, 0, 1)], [(62, 64, 0, 1), (67, 64, 0, 1)], (2 + 7) / 2),
        ("pitch_class", [(60, 64, 0, 1)], [(71, 64, 0, 1), (85, 64, 0, 1)], 1),  # B and C sharp, octaves away
        ("pitch_class", [(60, 64, 0, 1)], [(66, 64, 0, 1)], 6),
        ("velocity", [(60, 1, 0, 1), (60, 127, 0, 1)], [(60, 64, 0, 1)], 63),  # in one bin or not
        ("duration", [(60, 64, 0, 1)], [(60, 64, 0, 5)], 4),  # beyond the last edge
        ("inter_onset_interval", [(60, 64, 0, 1), (60, 64, 3, 4)], [(60, 64, 7, 8), (60, 64, 7.5, 8)], 2.5),
        # two notes for a second, then one, against one all the time
        ("polyphony", [(60, 64, 0, 2), (64, 64, 0, 1)], [(60, 64, 5, 9)], 0.5),
    ],
)
def test_earth_movers_distances_computed_by_hand(
    name: str, reference: list[Note], generated: list[Note], expected: float
) -> None:
    measured = measure(name, Performance.from_notes(generated), Performance.from_notes(reference))
    assert numbers(measured)["wasserstein"] == pytest.approx(expected, rel=1e-12)


def counted(name: str, notes: list[Note], **settings: Any) -> dict[float, float]:
    """The filled bins by their lower edges."""
    (histogram,) = measure(name, Performance.from_notes(notes), Performance.from_notes(notes), **settings).histograms
    return {edge: count for edge, count in zip(histogram.edges, histogram.generated, strict=False) if count}


CHORD_THEN_NOTE = [(67, 64, 1.0, 1.5), (60, 64, 0.0, 0.5), (64, 64, 0.0, 0.5), (72, 64, 1.25, 3.0)]


def test_pitch_classes_are_octaves_apart() -> None:
    assert counted("pitch_class", [*CHORD_THEN_NOTE, NOTE, (59, 1, 0, 1)]) == {0: 3, 4: 1, 7: 1, 11: 1}


def test_transitions_are_pairs_of_pitch_classes() -> None:
    """C to G and, 40 ms early, G to C; a held note leads nowhere."""
    steps = [(60, 64, 0.0, 0.5), (67, 64, 0.5, 1.0), (72, 64, 0.96, 1.5), (50, 64, 0.0, 1.9)]
    assert counted("pitch_class_transition", steps) == {12 * 0 + 7: 1, 12 * 7 + 0: 1}
    assert counted("pitch_class_transition", steps, within=0.03) == {7: 1}
    assert counted("pitch_class_transition", [NOTE]) == {0: 1}


def test_notes_that_start_together_are_one_onset() -> None:
    assert counted("inter_onset_interval", CHORD_THEN_NOTE, interval_bins=4) == {0.25: 1, 0.75: 1}


def test_intervals_do_not_reach_from_one_piece_to_the_next() -> None:
    pieces = [Performance.from_notes([NOTE, (60, 64, 0.5, 1.0)]), Performance.from_notes([(60, 64, 0.25, 1.0)])]
    (histogram,) = measure("inter_onset_interval", pieces[0], *pieces, interval_bins=4).histograms
    assert histogram.reference == (0, 0, 1, 0)


def test_a_single_onset_has_no_next_one_within_the_longest_interval() -> None:
    single, quick = Performance.from_notes([NOTE, NOTE]), Performance.from_notes([NOTE, (60, 64, 0.25, 0.5)])
    assert counted("inter_onset_interval", [NOTE, NOTE], interval_bins=4, interval_longest=2.0) == {1.5: 1}
    assert numbers(measure("inter_onset_interval", single, quick))["wasserstein"] == 0.75
    assert numbers(measure("inter_onset_interval", single, single))["l1"] == 0


def test_polyphony_is_counted_in_seconds_from_the_first_onset_to_the_last_end() -> None:
    assert counted("polyphony", CHORD_THEN_NOTE) == {2: 0.75, 0: 0.5, 1: 1.75}
    assert counted("polyphony", CHORD_THEN_NOTE, polyphony_most=1) == {0: 0.5, 1: 2.5}
    assert counted("polyphony", [(60, 64, 9.0, 10.0), (60, 64, 9.5, 9.5)]) == {1: 1.0}
    assert counted("polyphony", [(60, 64, 9.0, 9.0), (60, 64, 9.0, 9.0)]) == {0: 1.0}  # nothing to hear


EIGHTHS = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda t: (60, 64, t[0] / 8, (t[0] + t[1]) / 8))


@settings(max_examples=50)
@given(st.lists(EIGHTHS, min_size=1, max_size=12).filter(lambda notes: any(n[3] > n[2] for n in notes)))
def test_polyphony_agrees_with_counting_on_a_grid(notes: list[Note]) -> None:
    first, last = (int(8 * edge) for edge in (min(n[2] for n in notes), max(n[3] for n in notes)))
    grid = Counter(min(12, sum(8 * n[2] <= t < 8 * n[3] for n in notes)) for t in range(first, last))
    assert counted("polyphony", notes) == {sounding: steps / 8 for sounding, steps in grid.items()}


def test_other_pieces_are_read_anew() -> None:
    """The metric remembers what it read of a reference, but not for others, not even in the same list."""
    spec = SPECS["distance.pitch"]
    metric, sample = spec.build(spec.parse({})), Performance.from_notes([NOTE])
    reference = [Performance.from_notes([NOTE])]
    assert numbers(metric.measure(sample, reference))["wasserstein"] == 0
    reference.append(Performance.from_notes([(64, 64, 0.0, 0.5)]))
    assert numbers(metric.measure(sample, reference))["wasserstein"] == 2


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("inter_onset_interval", {"interval_bins": 0}, "interval_bins: must be a whole number ≥ 1, not 0"),
        ("inter_onset_interval", {"interval_longest": 0.0}, "interval_longest: must be a number > 0, not 0.0"),
        ("polyphony", {"polyphony_most": 129}, "polyphony_most: must be a whole number ≥ 1 and ≤ 128, not 129"),
        ("pitch_class", {"smoothing": 0.0}, "smoothing: must be a number > 0 and ≤ 1, not 0.0"),
        ("average", {"interval_bins": 3}, "interval_bins: unknown key"),
    ],
)
def test_bad_options(name: str, options: dict[str, float], problem: str) -> None:
    with pytest.raises(InvalidOptions, match=problem):
        SPECS[f"distance.{name}"].parse(options)


def test_music_without_notes_is_refused() -> None:
    silence, note = Performance.from_notes([]), Performance.from_notes([NOTE])
    with pytest.raises(NothingGenerated, match="no note"):
        measure("pitch", silence, note)
    with pytest.raises(CorpusError, match="no note"):
        measure("pitch", note, silence)


@pytest.fixture(scope="module")
def prelude(smd_dir: Path) -> Performance:
    return read_midi(smd_dir / "Bach_BWV888-01_008_20110315-SMD.mid")


def expected_l1(histogram: Histogram) -> float:
    """The mean L1 between the reference and as many notes drawn from it, from the binomial law of each bin."""
    notes = int(sum(histogram.reference))
    drawn = np.arange(notes + 1)
    return sum(
        float((np.abs(drawn - count) / notes * binom.pmf(drawn, notes, count / notes)).sum())
        for count in histogram.reference
    )


@pytest.mark.parametrize(("name", "floor"), [("pitch", 0.168), ("velocity", 0.113), ("duration", 0.100)])
def test_resampling_the_piece_gives_the_known_floor(prelude: Performance, name: str, floor: float) -> None:
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        notes = prelude.notes[rng.integers(len(prelude), size=len(prelude))]
        measured = measure(name, prelude.replace(notes=notes), prelude)
        found.append(numbers(measured)["l1"])
    exact = expected_l1(measured.histograms[0])
    assert np.mean(found) == pytest.approx(exact, abs=4 * np.std(found) / len(found) ** 0.5)
    assert exact == pytest.approx(floor, abs=0.003)


@pytest.mark.parametrize(
    ("tokenizer", "pitch", "velocity", "duration"),
    [
        # Published for the classic scheme: 0, 0.33 and 0.29; the last with the 18 notes above 2 s left out.
        (ClassicTokenizer(ClassicOptions(min_length=0.25)), 0.0, 0.331, 0.279),
        (GridTokenizer(GridOptions()), 0.0, 0.0, 0.038),
    ],
    ids=["midilike-classic", "midilike"],
)
def test_the_round_trip_alone_has_the_known_floor(
    prelude: Performance, tokenizer: Tokenizer, pitch: float, velocity: float, duration: float
) -> None:
    decoded = tokenizer.decode(tokenizer.encode(prelude))
    found = [numbers(measure(name, decoded, prelude))["l1"] for name in ("pitch", "velocity", "duration")]
    assert found == pytest.approx([pitch, velocity, duration], abs=0.001)
