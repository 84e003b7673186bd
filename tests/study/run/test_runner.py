from __future__ import annotations

import collections
import dataclasses
import shutil
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from support.bench import Bench

import ablate
from ablate.kinds import KINDS, TRAIN
from ablate.registry import get_registry
from ablate.store.store import Store
from ablate.study.file.study_file import read_study
from ablate.study.run.listener import Listener
from ablate.study.sources.started import read_started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec
    from ablate.study.run.result import StudyResult
    from ablate.study.run.runner import StudyRunner
    from ablate.study.work.messages import Job, LoggedStep, News, StageFailure


ALL = {"load": 1, "prepare": 1, "train": 2, "generate": 4, "measure": 8, "floor": 2, "resample": 8}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> tuple[Bench, StudyResult]:
    """Return a home in which the study ran, for tests that only read; and its result."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.toml").write_text(tiny_text, encoding="utf-8")
    bench = Bench(folder / "home")
    return bench, bench.run(read_study(str(folder / "tiny.toml")))


@pytest.fixture
def ran(whole: tuple[Bench, StudyResult], tmp_path: Path) -> Bench:
    """Return a copy of the home in which the study ran."""
    shutil.copytree(whole[0].home, tmp_path / "ran")
    return Bench(tmp_path / "ran")


def test_levels_of_a_replicate_share_its_training(whole: tuple[Bench, StudyResult]) -> None:
    bench, result = whole
    assert result.ran == ALL
    assert result.reused == {}
    assert set(bench.states("tiny").values()) == {"done"}
    assert not list(bench.home.glob("checkpoints/*"))


def test_what_a_training_started_with_is_removed_before_its_result_is_stored(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the other order, a kill in between would leave a file that no command removes."""
    put, stored = Store.put_stages, []

    def watched(store: Store, stages: Any, **options: Any) -> None:
        finished = list(stages)
        stored.extend(read_started(bench.home, each.stage.fingerprint) for each in finished if each.stage.kind == TRAIN)
        put(store, finished, **options)

    monkeypatch.setattr(Store, "put_stages", watched)
    bench.run(load(replicates=1))
    assert stored == [None]


def test_a_second_run_runs_nothing(ran: Bench, load: Callable[..., StudySpec]) -> None:
    before = ran.numbers("tiny")
    result = ran.run(load())
    assert result.ran == {}
    assert result.reused == ALL
    assert ran.numbers("tiny") == before


def test_only_what_is_new_runs(ran: Bench, load: Callable[..., StudySpec]) -> None:
    assert ran.run(load(replicates=3)).ran == {"train": 1, "generate": 2, "measure": 4, "resample": 4}
    wider = load({"axes.sampler.temperature.tau": [0.8, 1.0, 1.2]})
    assert ran.run(wider).ran == {"generate": 2, "measure": 4, "resample": 4}
    finer = load({"metric.distance.velocity.velocity_bins": 8})
    assert ran.run(finer).ran == {"measure": 4, "floor": 1, "resample": 4}
    generated = {"generate": 4, "measure": 8, "resample": 8}
    assert ran.run(load({"generation.samples": 1})).ran == generated
    assert ran.run(load({"training.steps": 7})).ran == {"train": 2, **generated}
    assert ran.run(load(seed=6)).ran == {"train": 2, "floor": 2, **generated}
    assert ran.run(load({"floors.draws": 3})).ran == {"resample": 8}


def test_an_added_metric_measures_what_was_generated(ran: Bench, tiny: Any, load: Callable[..., StudySpec]) -> None:
    tiny.write_text(tiny.read_text() + '\n[metric."distance.duration"]\n', encoding="utf-8")
    assert ran.run(load()).ran == {"measure": 4, "floor": 1, "resample": 4}


def test_fewer_replicates_show_fewer_and_lose_nothing(ran: Bench, load: Callable[..., StudySpec]) -> None:
    ran.run(load(replicates=1))
    assert len(ran.states("tiny")) == 2
    assert ran.run(load()).ran == {}


def test_a_new_level_gets_the_same_numbers_as_from_the_start(
    ran: Bench, load: Callable[..., StudySpec], tmp_path: Any
) -> None:
    """The rows of a replicate are generated together; which of them were there before must not matter."""
    wide = {"axes.sampler.temperature.tau": [0.8, 1.0, 1.3]}
    ran.run(load(wide))
    other = Bench(tmp_path / "other")
    other.run(load(wide))
    name = load(wide).name
    assert ran.numbers(name) == other.numbers(name)


class Hears(Listener):
    """Keeps which jobs have started, and the steps of trainings."""

    def __init__(self) -> None:
        self.run: StudyRunner
        self.jobs: collections.Counter[str] = collections.Counter()
        self.logged: list[LoggedStep] = []

    def started(self, job: Job) -> None:
        self.jobs[job.kind] += 1

    def news(self, news: News) -> None:
        self.logged += news.logged


def test_processes_give_the_same_numbers_as_this_one(
    bench: Bench, whole: tuple[Bench, StudyResult], load: Callable[..., StudySpec]
) -> None:
    (other, _), listener = whole, Hears()
    bench.run(load(), workers=2, listener=listener)
    # workers send what observers receive
    assert (listener.jobs["train"], [logged.step for logged in listener.logged]) == (2, [6, 6])
    assert len({(logged.fingerprint, logged.loss) for logged in listener.logged}) == 2
    assert bench.numbers("tiny") == other.numbers("tiny")
    assert artifacts(bench) == artifacts(other)


def artifacts(bench: Bench) -> dict[str, bytes]:
    return {
        str(path.relative_to(bench.home)): path.read_bytes()
        for path in (bench.home / "artifacts").rglob("*")
        if path.is_file()
    }


class StopsAfter(Listener):
    """Asks a run to stop once its trainings have told so many pieces of news."""

    def __init__(self, news: int) -> None:
        self.run: StudyRunner
        self.left = news

    def news(self, news: News) -> None:
        self.left -= news.kind == "train"
        if self.left <= 0:
            self.run.stop()


def test_stopped_and_continued_equals_uninterrupted(
    bench: Bench, load: Callable[..., StudySpec], tmp_path: Any
) -> None:
    long = {"training.steps": 60, "model.lstm.dropout": 0.2}
    result = bench.run(load(long), listener=StopsAfter(1))
    assert result.stopped
    assert result.ran.get("train", 0) == 0
    assert list((bench.home / "checkpoints").glob("*.safetensors"))
    states = bench.states(load(long).name)
    assert {state for (_, replicate), state in states.items() if replicate == 0} == {"interrupted"}
    assert {state for (_, replicate), state in states.items() if replicate == 1} == {"pending"}
    assert result.checkpoints == 1

    assert not bench.run(load(long)).stopped
    other = type(bench)(tmp_path / "other")
    other.run(load(long))
    name = load(long).name
    assert bench.numbers(name) == other.numbers(name)
    assert artifacts(bench) == artifacts(other)


def test_lost_files_are_made_again(ran: Bench, load: Callable[..., StudySpec]) -> None:
    before = ran.numbers("tiny")
    shutil.rmtree(ran.home / "artifacts" / "generate")
    shutil.rmtree(ran.home / "artifacts" / "train")
    result = ran.run(load())
    assert (result.ran["train"], result.ran["generate"]) == (2, 4)
    assert ran.numbers("tiny") == before


def test_files_that_no_stage_needs_are_made_again_too(ran: Bench, load: Callable[..., StudySpec]) -> None:
    before = ran.numbers("tiny")
    shutil.rmtree(ran.home / "artifacts" / "train")
    assert ran.run(load()).ran == {"train": 2}
    assert ran.numbers("tiny") == before


def measurements(*values: float, **more: Any) -> ablate.Measurements:
    """Return measurements of the feature ``v``."""
    return ablate.Measurements(tuple(ablate.Value(value, feature="v", n=1, **more) for value in values))


class Failures(Listener):
    """Keeps the failed stages."""

    def __init__(self) -> None:
        self.run: StudyRunner
        self.failures: list[StageFailure] = []

    def failed(self, failure: StageFailure) -> None:
        self.failures.append(failure)


class TestFailures:
    def test_a_failing_run_is_recorded_and_the_others_go_on(
        self, bench: Bench, load: Callable[..., StudySpec], tiny: Any, offer: Callable[[Any], None]
    ) -> None:
        class Picky(ablate.Metric):
            def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
                raise ZeroDivisionError("on purpose")

        offer(ablate.MetricSpec(name="picky", summary="Fails.", build=lambda options: Picky()))
        tiny.write_text(tiny.read_text() + "\n[metric.picky]\n", encoding="utf-8")
        result = bench.run(load(replicates=1))
        assert result.ran["measure"] == 4
        assert {f.error_class for f in result.failures} == {"ZeroDivisionError"}
        assert all(f.error.startswith("on purpose (in metric 'picky'; see logs/") for f in result.failures)
        assert any(note.startswith("a floor is missing: ZeroDivisionError: on purpose") for note in result.notes)
        assert set(bench.states("tiny").values()) == {"failed"}
        assert len(bench.numbers("tiny")) > 0
        (log, *_) = (bench.home / "logs").iterdir()
        assert "on purpose" in log.read_text(encoding="utf-8")

    def test_further_metrics_of_a_run_that_fail_are_named(
        self, bench: Bench, load: Callable[..., StudySpec], tiny: Any, offer: Callable[[Any], None]
    ) -> None:
        class Picky(ablate.Metric):
            def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
                raise ZeroDivisionError("on purpose")

        for name in ("picky", "picky.too", "picky.third"):
            offer(ablate.MetricSpec(name=name, summary="Fails.", build=lambda options: Picky()))
            tiny.write_text(tiny.read_text() + f'\n[metric."{name}"]\n', encoding="utf-8")
        failures = bench.run(load(replicates=1)).failures
        with bench.store() as store:
            stored = {run.error for run in store.runs("tiny")}
        assert {failure.error for failure in failures} == stored
        assert all(error.startswith("on purpose (in metric 'picky") for error in stored)
        assert [error.rpartition("; ")[2] for error in stored] == ["failed too: picky.third, picky.too"] * 2

    #: What a metric gives, and what is said of it.
    ODD: ClassVar = [
        (3, "metric '{}' returned int, not ablate.Measurements"),
        (measurements(float("nan"), direction="lower"), "metric '{}' gave nan for 'v'"),
        (measurements(1.0, direction="upper"), "direction 'upper' is none of lower, higher"),
        (measurements(1.2, share=True), "metric '{}' gave 1.2 for 'v', which it declares to be a share (0 to 1)"),
        (ablate.Measurements(()), "must give each feature once, and at least one; it gave []"),
        (measurements(1.0, 1.0, direction="lower"), "it gave ['v', 'v']"),
    ]

    def test_metrics_that_give_something_else(
        self, bench: Bench, load: Callable[..., StudySpec], tiny: Any, offer: Any
    ) -> None:
        class Odd(ablate.Metric):
            def __init__(self, given: Any) -> None:
                self.given = given

            def measure(self, generated: Any, reference: Any) -> Any:
                return self.given

        said: dict[str, str] = {}
        for number, (given, error) in enumerate(self.ODD):
            name = f"odd{number}"
            offer(ablate.MetricSpec(name=name, summary="Odd.", build=lambda options, given=given: Odd(given)))
            tiny.write_text(tiny.read_text() + f"\n[metric.{name}]\n", encoding="utf-8")
            said[name] = error.format(name)
        listener = Failures()
        assert bench.run(load(replicates=1), listener=listener).failures
        for name, error in said.items():
            own = [failure.error for failure in listener.failures if f"'{name}'" in failure.error]
            assert own, name
            assert all(error in each for each in own), own

    def test_a_metric_that_wants_to_leave(
        self, bench: Bench, load: Callable[..., StudySpec], tiny: Any, offer: Any
    ) -> None:
        class Leaver(ablate.Metric):
            def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
                raise SystemExit(3)

        offer(ablate.MetricSpec(name="leaver", summary="Leaves.", build=lambda options: Leaver()))
        tiny.write_text(tiny.read_text() + "\n[metric.leaver]\n", encoding="utf-8")
        result = bench.run(load(replicates=1))
        assert {failure.error_class for failure in result.failures} == {"SystemExit"}
        assert result.ran["measure"] == 4

    def test_numbers_of_numpy_become_plain_ones(
        self, bench: Bench, load: Callable[..., StudySpec], tiny: Any, offer: Any
    ) -> None:
        class Numpy(ablate.Metric):
            def measure(self, generated: Any, reference: Any) -> ablate.Measurements:
                edges = tuple(np.arange(3, dtype=np.float32))
                counts = tuple(np.ones(2, np.int64))
                value = ablate.Value(np.float32(0.5), direction="higher", n=np.int64(7))
                return ablate.Measurements((value,), (ablate.Histogram("x", "1", edges, counts, counts),))

        offer(ablate.MetricSpec(name="numpy", summary="Numbers.", build=lambda options: Numpy()))
        tiny.write_text(tiny.read_text() + "\n[metric.numpy]\n", encoding="utf-8")
        assert not bench.run(load(replicates=1)).failures
        assert {m.measurement.n for m in bench.numbers("tiny") if m.measurement.metric == "numpy"} == {7}

        # its one feature and its direction are what Optuna sees, since the file names no objective
        import optuna

        (study,) = optuna.get_all_study_summaries(optuna.storages.RDBStorage(bench.url))
        assert study.direction == optuna.study.StudyDirection.MAXIMIZE
        assert study.best_trial.value == 0.5

    def test_one_bad_variant_does_not_spoil_its_batch(
        self, bench: Bench, load: Callable[..., StudySpec], tiny: Any, offer: Callable[[Any], None]
    ) -> None:
        from dataclasses import dataclass

        @dataclass(frozen=True)
        class Options:
            shut: bool = ablate.option(False, doc="Forbid everything.")

        class Gate(ablate.Sampler):
            def __init__(self, rows: Any) -> None:
                self.shut = [row.shut for row in rows]

            def __call__(self, logits: Any, history: Any) -> Any:
                return logits.masked_fill(logits.new_tensor(self.shut)[:, None].bool(), float("-inf"))

        offer(ablate.SamplerSpec(name="gate", summary="Shuts.", options=Options, build_rows=Gate))
        text = tiny.read_text().replace("[sampler.temperature]", "[sampler.temperature]\n[sampler.gate]")
        text = text.replace("sampler.temperature.tau = [0.8, 1.0]", "sampler.gate.shut = [false, true]")
        tiny.write_text(text.replace("sampler.temperature.tau = 1.0", "sampler.gate.shut = false"), encoding="utf-8")
        result = bench.run(load())
        assert bench.states("tiny") == {
            ("shut=false", 0): "done",
            ("shut=false", 1): "done",
            ("shut=true", 0): "failed",
            ("shut=true", 1): "failed",
        }
        assert {f.error_class for f in result.failures} == {"NoTokenPossible"}

    def test_diverged_training_fails_its_runs(self, bench: Bench, load: Callable[..., StudySpec]) -> None:
        result = bench.run(load({"training.learning_rate": 1e38, "training.clip": 0.0}, replicates=1))
        assert {f.error_class for f in result.failures} == {"TrainingDiverged"}
        assert all("learning_rate" in f.error for f in result.failures)

    def test_silence_is_a_failure(self, bench: Bench, load: Callable[..., StudySpec]) -> None:
        result = bench.run(load({"generation.tokens": 1}, replicates=1))
        silent = [f for f in result.failures if f.error_class == "NothingGenerated"]
        assert silent
        assert "has no notes after 1 tokens" in silent[0].error

    def test_a_failed_run_is_tried_again(self, bench: Bench, load: Callable[..., StudySpec]) -> None:
        (bench.home / "artifacts").mkdir()
        (bench.home / "artifacts" / "train").write_text("in the way")
        result = bench.run(load(replicates=1))
        assert {f.error_class for f in result.failures} == {"NotADirectoryError"}
        (bench.home / "artifacts" / "train").unlink()
        again = bench.run(load(replicates=1))
        assert not again.failures
        assert set(bench.states("tiny").values()) == {"done"}


def test_other_music_under_the_same_name_is_refused(
    bench: Bench, load: Callable[..., StudySpec], tmp_path: Any
) -> None:
    from ablate.errors import UsageError

    notes = [(60 + i, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(12)]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        data = ablate.Performance.from_notes(notes[folder == "b" :]).midi_bytes()
        (tmp_path / folder / "p.mid").write_bytes(data)
    bench.run(load(corpus=str(tmp_path / "a" / "p.mid"), replicates=1))
    refused = r"study 'tiny@p' in this home was run on a different corpus .*a/p.mid.* --name"
    with pytest.raises(UsageError, match=refused):
        bench.run(load(corpus=str(tmp_path / "b" / "p.mid"), replicates=1))
    assert bench.run(load(corpus=str(tmp_path / "b" / "p.mid"), replicates=1, name="other")).name == "other"
    (tmp_path / "c").mkdir()
    (tmp_path / "a" / "p.mid").rename(tmp_path / "c" / "p.mid")
    assert bench.run(load(corpus=str(tmp_path / "c" / "p.mid"), replicates=1)).ran == {}


class TestAnObjectiveWithoutItsFeature:
    """Nothing takes its place: the study stops as soon as the features are known."""

    WRONG = "metric 'distance.pitch' has no feature 'averge'; did you mean 'average'? (it has: l1, l2, "

    @pytest.fixture
    def misspelt(self, tiny: Any) -> None:
        text = tiny.read_text() + '\n[objective]\nmetric = "distance.pitch"\nfeature = "averge"\n'
        tiny.write_text(text, encoding="utf-8")

    @pytest.mark.usefixtures("misspelt")
    def test_the_floors_show_it_before_a_model_is_measured(self, bench: Bench, load: Callable[..., StudySpec]) -> None:
        from ablate.errors import StudyFileError

        with pytest.raises(StudyFileError) as error:
            bench.run(load(replicates=1))
        assert str(error.value).startswith(f"{load().source}: objective: {self.WRONG}")
        with bench.store() as store:
            assert store.finished("floor")
            assert not store.finished("measure")

    def test_also_if_nothing_is_left_to_run(
        self, bench: Bench, load: Callable[..., StudySpec], tiny: Any, request: pytest.FixtureRequest
    ) -> None:
        from ablate.errors import StudyFileError

        bench.run(load(replicates=1))
        request.getfixturevalue("misspelt")
        with pytest.raises(StudyFileError, match="did you mean 'average'"):
            bench.run(load(replicates=1))

    @pytest.mark.usefixtures("misspelt")
    def test_the_report_replaces_it_by_no_other(self, bench: Bench, load: Callable[..., StudySpec], tiny: Any) -> None:
        from ablate.errors import AblateError, StudyFileError
        from ablate.report.results import load_results

        spec = load(replicates=1)
        right = tiny.read_text().replace("averge", "average")
        tiny.write_text(right, encoding="utf-8")
        bench.run(load(replicates=1))
        tiny.write_text(right.replace("average", "averge"), encoding="utf-8")
        with pytest.raises(StudyFileError):
            bench.run(spec)
        with pytest.raises(AblateError, match=r"study 'tiny': objective: metric '.*' has no feature 'averge'"):
            load_results("tiny", home=bench.home).effects()


def test_replicates_are_paired(bench: Bench, load: Callable[..., StudySpec]) -> None:
    """With the identity of every difference, the variants of one replicate are the same music."""
    bench.run(load({"axes.sampler.temperature.tau": [1.0, 1.000000001]}))
    values: dict[tuple[int, int, str, str], set[float]] = {}
    for row in bench.numbers(load({"axes.sampler.temperature.tau": [1.0, 1.000000001]}).name):
        m = row.measurement
        values.setdefault((row.replicate, m.sample, m.metric, m.feature), set()).add(m.value)
    assert all(len(v) == 1 for v in values.values())
    assert len({next(iter(v)) for key, v in values.items() if key[2:] == ("distance.pitch", "l1")}) > 1


def test_every_measurement_carries_what_decides_it(whole: tuple[Bench, StudyResult]) -> None:
    bench, _ = whole
    with bench.store() as store:
        (run, *_) = store.runs("tiny")
        stages = store.stages(run.stages.values())
    assert run.config["training"]["precision"] == "fp32"
    assert run.config["tokenizer"][0] == {
        "name": "midilike-classic",
        "version": "1",
        "options": {"default_length": 1.0, "min_length": 0.05, "velocity_scale": 1.0},
    }
    train = stages[run.stages["train"]]
    assert train.result["tokens_seen"] == 6 * 2 * 16
    assert train.environment["packages"]["torch"].startswith("2.")
    assert np.load(bench.home / train.artifact / "losses.npy").shape == (6,)


def test_a_newer_load_stage_is_no_other_music(
    ran: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "load", dataclasses.replace(KINDS["load"], code=KINDS["load"].code + 1))
    assert ran.run(load()).ran["load"] == 1


def test_conditioners_see_the_music_on_its_tokens_own_clock() -> None:
    """The classic tokens lose seconds: what is told at a token must still be of the notes around it."""
    from ablate.study.work.components import build, observed

    registry = get_registry()
    (piece,) = build("corpus", {"name": "bach-prelude", "options": {}}, registry).load()
    rising = piece.canonical()
    notes = rising.notes.copy()
    notes["velocity"] = np.linspace(20, 110, len(notes)).round()
    tokenizer = build("tokenizer", {"name": "midilike-classic", "options": {}}, registry)
    conditioner = build("conditioner", {"name": "dynamics", "options": {"scope": "local", "window": 2.0}}, registry)
    tokens = tokenizer.encode(rising.replace(notes=notes))
    ((told,),) = (values.T for values in observed(rising.replace(notes=notes), tokens, tokenizer, [conditioner]))
    decoded = tokenizer.decode(tokens)
    note_ons = np.flatnonzero(tokens < 88)
    off = np.abs(told[note_ons] * 64 - decoded.notes["velocity"])
    assert off.max() < 5, "within a second of a slow crescendo"
