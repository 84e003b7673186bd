"""Metrics of sets: all samples of a run are measured together, and so are the sets of the floors."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.store_material import measurements

import ablate
from ablate.engine.seeding import derive, numpy_stream
from ablate.errors import StudyFileError
from ablate.music.performance import Performance
from ablate.music.storage import read_performances
from ablate.registry import get_registry
from ablate.report.results import load_results
from ablate.study.work.floors import divided

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec

#: Pieces with these lowest pitches, in the order of the corpus.
LOWEST = {"a": 50, "b": 55, "c": 60, "d": 65, "e": 70}


def mean_pitch(pieces: Sequence[Performance]) -> float:
    return float(np.mean([piece.notes["pitch"].mean() for piece in pieces]))


class Height(ablate.SetMetric):
    """The distance between the mean pitches of two sets, and the sizes of both."""

    def measure(self, generated: Sequence[Performance], reference: Sequence[Performance]) -> ablate.Measurements:
        distance = abs(mean_pitch(generated) - mean_pitch(reference))
        sizes = {"generated": len(generated), "reference": len(reference)}
        sized = (ablate.Value(size, feature=name, n=size) for name, size in sizes.items())
        near = ablate.Value(distance, feature="distance", unit="MIDI pitch", direction="lower", n=len(generated))
        edges, ones = (0.0, 64.0, 128.0), (1.0, 1.0)
        histogram = ablate.Histogram("height", "MIDI pitch", edges, ones, ones)
        return ablate.Measurements((near, *sized), (histogram,))


@pytest.fixture
def height(offer: Callable[[Any], None], tiny: Path, tmp_path: Path) -> str:
    """A study of five pieces that measures sets; return the path of the pieces."""
    offer(ablate.SetMetricSpec(name="height", summary="Distance of mean pitches.", build=lambda options: Height()))
    tiny.write_text(tiny.read_text() + '\n[metric.height]\n[objective]\nmetric = "height"\n', encoding="utf-8")
    music = tmp_path / "music"
    music.mkdir()
    for name, low in LOWEST.items():
        notes = [(low + i % 5, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(40)]
        (music / f"{name}.mid").write_bytes(Performance.from_notes(notes).midi_bytes())
    return str(music)


def floors(bench: Bench, name: str) -> dict[tuple[str, str], list[float]]:
    """The floors of the metric in the first run, by floor and feature."""
    values = collections.defaultdict(list)
    with bench.store() as store:
        stages = store.runs(name)[0].stages.values()
        for record in (record for found in store.floors(stages).values() for record in found):
            if record.metric == "height":
                values[record.floor, record.feature].append(record.value)
    return values


def test_all_samples_of_a_run_are_one_set(bench: Bench, load: Callable[..., StudySpec], height: str) -> None:
    spec = load(corpus=height)
    assert not bench.run(spec).failures
    with bench.store() as store:
        found = [m for m in measurements(store, spec.name) if m.measurement.metric == "height"]
        runs = {(run.variant, run.replicate): run for run in store.runs(spec.name)}
        generations = store.stages(run.stages["generate"] for run in runs.values())
        (load_stage,) = store.stages(run.stages["load"] for run in runs.values()).values()
    pieces = read_performances(bench.home / load_stage.artifact / "performances.npz")
    assert {m.measurement.sample for m in found} == {0}
    assert len(found) == 3 * 4, "three features of each run"
    sizes = {(m.measurement.feature, m.measurement.value) for m in found if m.measurement.feature != "distance"}
    assert sizes == {("generated", 2.0), ("reference", 5.0)}
    for m in found:
        if m.measurement.feature == "distance":
            folder = bench.home / generations[runs[m.variant, m.replicate].stages["generate"]].artifact
            samples = [sample.continuation() for sample in read_performances(folder / "performances.npz")]
            assert m.measurement.value == pytest.approx(abs(mean_pitch(samples) - mean_pitch(pieces)))
            assert m.measurement.n == 2


def test_floors_are_of_sets_as_large_as_a_run(bench: Bench, load: Callable[..., StudySpec], height: str) -> None:
    spec = load({"floors.shuffles": 3, "floors.draws": 4, "split.test": ["e"]}, corpus=height)
    bench.run(spec)
    found = floors(bench, spec.name)
    for floor in ("copy", "round_trip", "shuffled"):
        assert found[floor, "generated"] == [2.0] * 3, "two samples of a run, half of the four pieces"
        assert found[floor, "reference"] == [2.0] * 3
    means = {name: low + 2.0 for name, low in LOWEST.items()}
    rng = numpy_stream(derive(spec.seed, 0, "floor"))
    expected = []
    for _ in range(3):
        order = rng.permutation(4)
        some, rest = ([means["abcd"[i]] for i in half] for half in (order[:2], order[2:]))
        expected.append(abs(np.mean(some) - np.mean(rest)))
    assert found["copy", "distance"] == pytest.approx(expected)
    assert found["round_trip", "distance"] == pytest.approx(expected), "these tokens keep pitches"
    assert found["shuffled", "distance"] == pytest.approx(expected), "and so does their order"
    assert found["another_piece", "distance"] == pytest.approx([means["e"] - np.mean([means[name] for name in "abcd"])])
    assert found["resampling", "generated"] == [2.0] * 4, "a draw is one set"
    assert found["resampling", "reference"] == [4.0] * 4


def test_a_single_piece_is_measured_against_itself(bench: Bench, load: Callable[..., StudySpec], height: str) -> None:
    spec = load(corpus=f"{height}/a.mid")
    assert not bench.run(spec).failures
    found = floors(bench, spec.name)
    assert set(found["copy", "distance"]) == {0.0}
    assert set(found["copy", "reference"]) == {1.0}


@pytest.mark.parametrize(
    ("count", "size", "expected"), [(5, 2, (2, 3)), (5, 4, (2, 3)), (2, 9, (1, 1)), (9, 1, (1, 8))]
)
def test_a_division_leaves_at_least_half_as_the_reference(count: int, size: int, expected: tuple[int, int]) -> None:
    pieces = [Performance.from_notes([(60, 1, 0.0, 1.0)], name=str(i)) for i in range(count)]
    divisions = [divided(pieces, size, np.random.default_rng(seed)) for seed in range(20)]
    for some, rest in divisions:
        assert (len(some), len(rest)) == expected
        assert sorted(piece.name for piece in [*some, *rest]) == [piece.name for piece in pieces]
    assert len({tuple(piece.name for piece in some) for some, _ in divisions}) > 1


def test_the_number_of_samples_is_part_of_its_floors_only(
    bench: Bench, load: Callable[..., StudySpec], height: str
) -> None:
    bench.run(load(corpus=height))
    ran = bench.run(load({"generation.samples": 1}, corpus=height)).ran
    assert ran["floor"] == 1
    assert ran["measure"] == 4 * 3


def test_a_report_reads_it_as_any_other_metric(bench: Bench, load: Callable[..., StudySpec], height: str) -> None:
    spec = load({"floors.shuffles": 3}, corpus=height, replicates=3)
    bench.run(spec)
    results = load_results(spec.name, home=bench.home)
    effects = results.effects().query("metric == 'height' and feature == 'distance'")
    assert list(effects["comparison"]) == ["tau=0.8"]
    assert get_registry().spec("metric", "height").scope == "set"


def test_too_few_pieces_to_compare_with_are_refused_before_any_training(
    bench: Bench, load: Callable[..., StudySpec], height: str
) -> None:
    settings = {
        "metric": {"setdistance.frechet": {}},
        "objective": {"metric": "setdistance.frechet"},
        "split.test": ["a"],
        "generation.samples": 13,
    }
    with pytest.raises(StudyFileError, match="needs 13 training pieces or more to compare with, but there are 4"):
        bench.run(load(settings, corpus=height))
    with bench.store() as store:
        assert not store.finished("train")
