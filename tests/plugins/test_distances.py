from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given
from scipy.stats import binom, entropy

from ablate import Measured, Performance
from ablate.errors import CorpusError, NothingGenerated
from ablate.music.midi import read_midi
from ablate.options import describe
from ablate.testing import MetricContract
from ablate_distances import AverageOptions, ablate_metrics
from ablate_distances.distances import UNITS, distances
from ablate_midilike import ClassicOptions, GridOptions
from ablate_midilike.classic import ClassicTokenizer
from ablate_midilike.grid import GridTokenizer

if TYPE_CHECKING:
    from ablate import Histogram, Tokenizer

SPECS = {spec.name: spec for spec in ablate_metrics()}
CASES = sorted((Path(__file__).parent.parent / "data/metrics").glob("*.json"))
COUNTS = st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any).map(lambda c: np.array(c, np.float64))
NOTE = (60, 64, 0.0, 0.5)


class TestPitch(MetricContract):
    spec = SPECS["distance.pitch"]
    options = ({}, {"smoothing": 1e-3})


class TestDuration(MetricContract):
    spec = SPECS["distance.duration"]
    options = ({}, {"duration_bins": 1, "duration_longest": 0.1})


class TestVelocity(MetricContract):
    spec = SPECS["distance.velocity"]
    options = ({}, {"velocity_bins": 128})


class TestAverage(MetricContract):
    spec = SPECS["distance.average"]
    options = ({}, {"velocity_bins": 30, "duration_bins": 5, "duration_longest": 1.0, "smoothing": 1e-3})


def measure(name: str, generated: Performance, *reference: Performance, **settings: Any) -> Measured:
    spec = SPECS[f"distance.{name}"]
    measured: Measured = spec.build(spec.parse(settings)).measure(generated, reference)
    return measured


def numbers(measured: Measured) -> dict[str, float]:
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
    assert numbers(measured) == pytest.approx(case["expected"], rel=1e-8, abs=1e-12)
    assert {h.feature: [filled_bins(h.reference), filled_bins(h.generated)] for h in measured.histograms} == (
        case["counts"]
    )


def test_values_say_what_they_are() -> None:
    values = measure("pitch", Performance.from_notes([NOTE] * 3), Performance.from_notes([NOTE])).values
    assert {value.feature: value.unit for value in values} == UNITS
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


@given(COUNTS, COUNTS)
def test_distances_have_their_bounds_and_symmetries(p: np.ndarray, q: np.ndarray) -> None:
    one, other = distances(p, q, 1e-6), distances(q, p, 1e-6)
    assert (one["l1"], one["l2"]) == (other["l1"], other["l2"])
    assert (one["kl_pq"], one["kl_qp"]) == (other["kl_qp"], other["kl_pq"])
    assert all(value >= 0 for value in one.values())
    assert one["l1"] <= 2 + 1e-12
    assert one["l2"] <= min(one["l1"], 2**0.5) + 1e-12
    assert one["kl_pq"] >= one["l1"] ** 2 / 2 - 1e-4  # Pinsker's inequality, but for the smoothing
    assert one["average"] == pytest.approx(np.mean([one[name] for name in UNITS if name != "average"]))


@given(COUNTS, st.integers(1, 9))
def test_histograms_of_one_shape_have_no_distance(p: np.ndarray, times: int) -> None:
    assert list(distances(p, p * times, 1e-6).values()) == pytest.approx([0] * 5, abs=1e-12)


@given(COUNTS, COUNTS)
def test_more_smoothing_means_less_divergence(p: np.ndarray, q: np.ndarray) -> None:
    assume(not np.allclose(p / p.sum(), q / q.sum()))
    found = [distances(p, q, smoothing)["kl_pq"] for smoothing in (1e-8, 1e-4, 1e-2, 1)]
    assert found == sorted(found, reverse=True)


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
