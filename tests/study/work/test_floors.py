"""Floors: every one is worked out here a second time, by other means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats
from support.bench import Bench
from support.store_material import measurements

import ablate
from ablate.engine.seeding import derive, numpy_stream
from ablate.music.performance import Performance
from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.text.sentences import answer
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.work.floors import drawn_notes, pooled, spread_pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.store.records import MeasurementRecord
    from ablate.study.file.study_file import StudySpec


def records(bench: Bench, name: str) -> list[MeasurementRecord]:
    """The floors of the first run, in order."""
    with bench.store() as store:
        return [record for found in store.floors(store.runs(name)[0].stages.values()).values() for record in found]


def floors(bench: Bench, name: str) -> dict[tuple[str, str, str], list[float]]:
    """Their values by floor, metric and feature."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for m in records(bench, name):
        found.setdefault((m.floor, m.metric, m.feature), []).append(m.value)
    return found


def built(kind: str, name: str) -> Any:
    spec = get_registry().spec(kind, name)
    return spec.build(spec.parse({}))


def l1(p: np.ndarray[Any, Any], q: np.ndarray[Any, Any]) -> float:
    return float(np.abs(p / p.sum() - q / q.sum()).sum())


def pitches(performance: Performance) -> np.ndarray[Any, Any]:
    return np.bincount(performance.notes["pitch"], minlength=128)


def velocities(performance: Performance) -> np.ndarray[Any, Any]:
    return np.histogram(performance.notes["velocity"], np.linspace(0, 128, 33))[0]


@pytest.fixture
def prelude() -> Performance:
    (performance,) = built("corpus", "bach-prelude").load()
    return performance  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> tuple[Bench, StudySpec]:
    """A home in which a study with three shuffles and another metric ran, for tests that only read; and the study."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "tiny.toml").write_text(tiny_text + '\n[metric."memorization.covered"]\n', encoding="utf-8")
    bench = Bench(folder / "home")
    spec = read_study(str(folder / "tiny.toml"), Overrides(settings=(("floors.shuffles", 3),)))
    bench.run(spec)
    return bench, spec


class TestOfTheReference:
    def test_a_copy_is_no_distance_away_and_all_copied(self, ran: tuple[Bench, StudySpec]) -> None:
        bench, spec = ran
        found = floors(bench, spec.name)
        assert found["copy", "distance.pitch", "l1"] == [0.0]
        assert found["copy", "memorization.covered", "share"] == [1.0]

    def test_a_round_trip_costs_what_the_tokenizer_loses(
        self, ran: tuple[Bench, StudySpec], prelude: Performance
    ) -> None:
        bench, spec = ran
        tokenizer = built("tokenizer", "midilike-classic")
        there_and_back = tokenizer.decode(tokenizer.encode(prelude))
        found = floors(bench, spec.name)
        velocity = l1(velocities(prelude), velocities(there_and_back))
        assert velocity > 0.1, "these tokens lose velocities"
        assert found["round_trip", "distance.velocity", "l1"] == pytest.approx([velocity])
        assert found["round_trip", "distance.pitch", "l1"] == pytest.approx([0.0])

    def test_shuffled_tokens_keep_pitches_and_lose_the_rest(
        self, ran: tuple[Bench, StudySpec], prelude: Performance
    ) -> None:
        bench, spec = ran
        tokenizer = built("tokenizer", "midilike-classic")
        rng = numpy_stream(derive(spec.seed, 0, "floor"))
        tokens, reference = tokenizer.encode(prelude), velocities(prelude)
        expected = [l1(reference, velocities(tokenizer.decode(tokens[rng.permutation(len(tokens))]))) for _ in range(3)]
        found = floors(bench, spec.name)
        assert found["shuffled", "distance.velocity", "l1"] == pytest.approx(expected)
        assert max(found["shuffled", "distance.pitch", "l1"]) < 1e-9

    def test_a_metric_that_shuffling_does_not_move_is_named(self, ran: tuple[Bench, StudySpec]) -> None:
        bench, spec = ran
        with bench.store() as store:
            told = answer(Analysis(Study.read(store, spec.name), get_registry()))
        (sentence,) = [line for line in told.warnings if "the order of notes" in line]
        assert "distance.pitch: a copy scores 0, shuffled tokens " in sentence, "a histogram of pitches has no order"

    def test_another_piece_is_one_that_is_held_out(
        self, bench: Bench, load: Callable[..., StudySpec], tmp_path: Path
    ) -> None:
        music = tmp_path / "music"
        music.mkdir()
        pieces = {
            name: Performance.from_notes([(low + i % 5, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(40)])
            for name, low in {"here": 60, "there": 62, "away": 70}.items()
        }
        for name, piece in pieces.items():
            (music / f"{name}.mid").write_bytes(piece.midi_bytes())
        spec = load({"split.test": ["away", "there"]}, corpus=str(music))
        bench.run(spec)
        expected = [l1(pitches(pieces["here"]), pitches(pieces[name])) for name in ("away", "there")]
        assert expected[0] == 2.0, "no pitch in common"
        found = floors(bench, spec.name)
        assert found["another_piece", "distance.pitch", "l1"] == pytest.approx(expected)
        assert found["copy", "distance.pitch", "l1"] == pytest.approx([0.0])

    def test_without_held_out_pieces_there_is_no_other_piece(
        self, bench: Bench, load: Callable[..., StudySpec]
    ) -> None:
        bench.run(load())
        assert {floor for floor, _, _ in floors(bench, "tiny")} == {"copy", "round_trip", "shuffled", "resampling"}


def expected_l1(counts: np.ndarray[Any, Any], n: int) -> float:
    """The mean L1 of n notes drawn from a histogram: in each bin the mean deviation of a binomial variable."""
    p = counts[counts > 0] / counts.sum()
    k = np.arange(n + 1)
    return float(sum((stats.binom.pmf(k, n, each) * np.abs(k / n - each)).sum() for each in p))


class TestResampling:
    def test_it_is_what_the_binomial_distribution_says(
        self, bench: Bench, load: Callable[..., StudySpec], prelude: Performance
    ) -> None:
        spec = load({"floors.draws": 200, "generation.tokens": 400, "axes": {}, "baseline": {}})
        bench.run(spec)
        with bench.store() as store:
            sizes = [
                m.measurement.n
                for m in measurements(store, spec.name)
                if m.replicate == 0 and (m.measurement.metric, m.measurement.feature) == ("distance.pitch", "l1")
            ]
        wanted = ("resampling", "distance.pitch", "l1")
        drawn = [m.n for m in records(bench, spec.name) if (m.floor, m.metric, m.feature) == wanted]
        assert drawn == [sum(sizes)] * 200, "each draw is as large as the samples of the run"
        found = floors(bench, spec.name)
        for metric, counts in (("distance.pitch", pitches(prelude)), ("distance.velocity", velocities(prelude))):
            values = np.array(found["resampling", metric, "l1"])
            exact = np.mean([expected_l1(counts, size) for size in sizes])
            assert abs(values.mean() - exact) < 5 * values.std(ddof=1) / math.sqrt(200)

    def test_the_measured_value_of_the_original_piece(self, smd_dir: Path) -> None:
        """L1 0.168 in pitch, 0.11 in velocity for 689 of its own notes, as was worked out before there was a tool."""
        from ablate.music.midi import read_midi

        piece = read_midi(smd_dir / "Bach_BWV888-01_008_20110315-SMD.mid")
        assert len(piece) == 689
        assert expected_l1(pitches(piece), 689) == pytest.approx(0.168, abs=0.001)
        pool, rng = pooled([piece]), np.random.default_rng(0)
        for counted, exact in ((pitches, 0.168), (velocities, 0.1105)):
            drawn = [l1(counted(piece), counted(drawn_notes(pool, 689, rng))) for _ in range(300)]
            assert np.mean(drawn) == pytest.approx(exact, abs=0.004)

    def test_notes_keep_their_distance_from_the_note_before(self) -> None:
        first = Performance.from_notes([(60, 1, 1.0, 1.5), (62, 2, 1.25, 4.25), (64, 3, 3.25, 3.5)])
        second = Performance.from_notes([(70, 4, 9.0, 10.0)])
        pool = pooled([first, Performance.from_notes([]), second])
        assert [tuple(note)[:4] for note in pool] == [
            (60, 1, 0.0, 0.5),
            (62, 2, 0.25, 3.0),
            (64, 3, 2.0, 0.25),
            (70, 4, 0.0, 1.0),
        ]
        drawn = drawn_notes(pool, 500, np.random.default_rng(1))
        drawn.check()
        notes = drawn.notes
        assert notes["start"][0] == 0.0
        distance = {60: 0.0, 62: 0.25, 64: 2.0, 70: 0.0}
        assert np.diff(notes["start"]) == pytest.approx([distance[int(p)] for p in notes["pitch"][1:]])
        length = {60: 0.5, 62: 3.0, 64: 0.25, 70: 1.0}
        assert notes["end"] - notes["start"] == pytest.approx([length[int(p)] for p in notes["pitch"]])

    def test_variants_of_a_replicate_draw_the_same_numbers_and_replicates_do_not(
        self, bench: Bench, load: Callable[..., StudySpec]
    ) -> None:
        bench.run(load())
        with bench.store() as store:
            runs = store.runs("tiny")
            stages = store.stages(run.stages["resample distance.pitch"] for run in runs)
            seeds = {c.replicate: {} for c in runs}  # type: ignore[var-annotated]
            for run in runs:
                seeds[run.replicate][run.variant] = stages[run.stages["resample distance.pitch"]].config["seed"]
        assert all(len(set(of.values())) == 1 for of in seeds.values())
        assert len({seed for of in seeds.values() for seed in of.values()}) == len(seeds)

    def test_none_are_drawn_where_none_are_asked_for(self, bench: Bench, load: Callable[..., StudySpec]) -> None:
        spec = load({"floors.draws": 0})
        assert "resample" not in bench.run(spec).ran
        assert not [floor for floor, _, _ in floors(bench, spec.name) if floor == "resampling"]


def test_pieces_are_spread_evenly() -> None:
    pieces = [Performance.from_notes([(60, 1, 0.0, 1.0)], name=str(i)) for i in range(11)]
    assert [piece.name for piece in spread_pieces(pieces, 3)] == ["0", "5", "10"]
    assert spread_pieces(pieces[:2], 3) == pieces[:2]
    assert spread_pieces([Performance.from_notes([])], 3) == []


class TestWhatCannotBeMeasured:
    @pytest.fixture
    def fussy(self, offer: Callable[[Any], None], tiny: Path) -> Callable[[type[Exception]], None]:
        """A metric that takes samples, and nothing that stands in for one."""

        def offered(error: type[Exception]) -> None:
            class Fussy(ablate.Metric):
                def measure(self, generated: Performance, reference: Any) -> ablate.Measurements:
                    if not generated.name.startswith("sample"):
                        raise error("only what a model made")
                    return ablate.Measurements((ablate.Value(1.0, direction="lower", n=1),))

            offer(ablate.MetricSpec(name="fussy", summary="Takes samples.", build=lambda options: Fussy()))
            tiny.write_text(tiny.read_text() + "\n[metric.fussy]\n", encoding="utf-8")

        return offered

    def test_it_is_skipped_with_its_reason(
        self, bench: Bench, load: Callable[..., StudySpec], fussy: Callable[[type[Exception]], None]
    ) -> None:
        fussy(ValueError)
        result = bench.run(load())
        assert not result.failures
        assert set(bench.states("tiny").values()) == {"done"}
        assert bench.run(load()).ran == {}
        with bench.store() as store:
            (run, *_) = store.runs("tiny")
            stage = store.stages([run.stages["floor fussy"]])[run.stages["floor fussy"]]
        assert stage.result["skipped"] == dict.fromkeys(("copy", "round_trip", "shuffled"), "only what a model made")
        assert ("copy", "distance.pitch", "l1") in floors(bench, "tiny")

    def test_a_bug_in_it_costs_no_run(
        self, bench: Bench, load: Callable[..., StudySpec], fussy: Callable[[type[Exception]], None]
    ) -> None:
        fussy(ZeroDivisionError)
        result = bench.run(load())
        assert not result.failures
        assert set(bench.states("tiny").values()) == {"done"}
        assert any("only what a model made" in note for note in result.notes)
        assert bench.run(load()).notes, "it is tried again"


def test_a_model_metric_has_no_floors(bench: Bench, load: Callable[..., StudySpec], tiny: Path) -> None:
    tiny.write_text(tiny.read_text() + '\n[metric."likelihood.nll"]\n', encoding="utf-8")
    result = bench.run(load())
    assert not result.failures
    assert not [metric for _, metric, _ in floors(bench, "tiny") if metric == "likelihood.nll"]
