"""Which stages become one job, and studies whose networks are trained and generate as one (here on a CPU)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest
import torch

from ablate.engine.fusion.generation import GenerationGroup, generation_groups
from ablate.engine.fusion.random import FusedStreams
from ablate.engine.generation import plans
from ablate.errors import HomeError
from ablate.registry import get_registry
from ablate.store.store import Store
from ablate.study.plan import jobs
from ablate.study.plan.jobs import Packing, split_evenly
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor.inline import InlineExecutor
from ablate.study.run.executor.protocol import Working
from ablate.study.run.listener import Listener
from ablate.study.run.runner import SharedContext, StudyRunner
from ablate.study.stage import weights_of
from ablate.study.work import train
from ablate.study.work.components import ExampleCounts
from ablate_recurrent.network import Recurrent

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec
    from ablate.study.run.result import StudyResult
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Job, News

#: Variants that differ in data, labels, conditioner, learning rate and dropout, all of one shape.
ALIKE = {
    "axes": {"training.learning_rate": [3e-3, 1e-2], "model.lstm.dropout": [0.0, 0.3]},
    "baseline": {"training.learning_rate": 3e-3, "model.lstm.dropout": 0.0},
}


class Jobs(InlineExecutor):
    """Remembers what it was given."""

    def __init__(self, bench: Bench, *, fused: bool | None = True, slots: int = 1) -> None:
        self.working = Working(0.0, fused=fused)
        super().__init__(bench.home, "cpu", get_registry(), self.working)
        self.slots = slots
        self.seen: list[Job] = []

    def submit(self, job: Job) -> None:
        self.seen.append(job)
        super().submit(job)

    def sizes(self, kind: str) -> list[int]:
        return [len(job.stages) for job in self.seen if job.kind == kind]


def run(bench: Bench, spec: StudySpec, jobs: Jobs | None = None, **options: Any) -> StudyResult:
    """A run whose networks are fused."""
    with Store(bench.url) as store, jobs or Jobs(bench) as executor:
        how = {"shared": SharedContext(executor), "working": executor.working, **options}
        return StudyRunner(lay_out(spec, get_registry(), "cpu"), store, bench.home, **how).run()


def stages(spec: StudySpec) -> list[Stage]:
    return list(lay_out(spec, get_registry(), "cpu").stages().values())


def of_stages(kind: str, jobs: list[list[Stage]]) -> list[int]:
    assert all(stage.kind == kind for job in jobs for stage in job)
    return [len(job) for job in jobs]


def packing(slots: int = 1, examples: int = 1, **options: Any) -> Packing:
    return Packing("cpu", lambda: slots, lambda stage: ExampleCounts(examples), get_registry(), fused=True, **options)


@pytest.mark.parametrize(
    ("count", "most", "sizes"), [(20, 20, [20]), (20, 19, [10, 10]), (7, 3, [2, 3, 2]), (3, 1, [1, 1, 1]), (1, 9, [1])]
)
def test_stages_are_shared_out_evenly(count: int, most: int, sizes: list[int]) -> None:
    numbers: Any = range(count)
    lists = split_evenly(numbers, most)
    assert [number for some in lists for number in some] == list(numbers)
    assert sorted(map(len, lists)) == sorted(sizes)


def test_on_a_cpu_nothing_is_stacked(load: Callable[..., StudySpec]) -> None:
    plain = Packing("cpu", lambda: 4, lambda stage: ExampleCounts(), get_registry(), fused=False)
    spec = load(replicates=5)
    assert of_stages("train", plain.trainings(stages(spec))) == [1] * 5
    jobs = plain.generations(stages(spec))
    assert of_stages("generate", jobs) == [2] * 5
    assert all(len({weights_of(stage).fingerprint for stage in job}) == 1 for job in jobs)


def test_what_has_one_shape_is_one_job_and_several_gpus_share_it(load: Callable[..., StudySpec]) -> None:
    spec = load(ALIKE, replicates=5)
    assert of_stages("train", packing().trainings(stages(spec))) == [20]
    assert of_stages("train", packing(3).trainings(stages(spec))) == [7, 6, 7]
    assert of_stages("generate", packing().generations(stages(spec))) == [20]
    assert of_stages("generate", packing(4).generations(stages(spec))) == [5] * 4


@pytest.mark.parametrize(
    ("path", "first", "level"),
    [
        ("model.lstm.hidden", 16, 24),
        ("training.steps", 6, 7),
        ("training.window", 16, 8),
        ("training.batch", 2, 3),
        ("training.precision", "fp32", "bf16"),
    ],
)
def test_what_has_another_shape_is_another_job(
    path: str, first: Any, level: Any, load: Callable[..., StudySpec]
) -> None:
    spec = load({"axes": {path: [first, level]}, "baseline": {path: first}}, replicates=3)
    assert of_stages("train", packing().trainings(stages(spec))) == [3, 3]


def test_memory_limits_a_fused_group(load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def count_fitting(job: Any, device: str, *, whole: bool) -> int:
        asked.append(job)
        return 3

    monkeypatch.setattr(jobs, "count_fitting", count_fitting)
    assert of_stages("train", packing().trainings(stages(load(replicates=8)))) == [3, 2, 3]
    (job,) = asked  # once for all of a kind
    assert job.settings.steps == 6
    assert of_stages("train", packing(8).trainings(stages(load(replicates=8)))) == [1] * 8
    assert len(asked) == 1  # one each for so many places fits without asking


def test_a_trial_of_the_memory_that_fails_is_reported_and_each_training_runs_alone(
    load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(job: Any, device: str, *, whole: bool) -> int:
        raise ValueError("a bug in somebody's forward")

    monkeypatch.setattr(jobs, "count_fitting", broken)
    assert of_stages("train", packing().trainings(stages(load(replicates=3)))) == [1, 1, 1]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        "no trial could show how many trainings of model 'lstm' fit into the GPU's memory, so each is trained "
        "alone, which is slower: ValueError: a bug in somebody's forward"
    )


def test_rows_limit_a_generation(load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FUSED_ROWS", 9)
    assert of_stages("generate", packing().generations(stages(load(replicates=4)))) == [4, 4]


def test_models_that_cannot_be_fused_are_jobs_of_their_own(
    load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recurrent, "fuse", staticmethod(lambda models, precision: None))
    assert of_stages("train", packing().trainings(stages(load(replicates=3)))) == [1] * 3
    generations = packing().generations(stages(load(replicates=3)))
    assert [len({weights_of(stage).fingerprint for stage in job}) for job in generations] == [1] * 3


# Studies


def test_a_study_of_fused_models_finds_what_one_without_does(
    bench: Bench, load: Callable[..., StudySpec], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated: list[int] = []

    def noted(*given: Any) -> list[GenerationGroup]:
        groups = generation_groups(*given)
        generated.extend(len(group.models) for group in groups)
        return groups

    monkeypatch.setattr(plans, "generation_groups", noted)
    spec = load(ALIKE, replicates=2)
    jobs = Jobs(bench)
    assert run(bench, spec, jobs).failures == ()
    assert (jobs.sizes("train"), jobs.sizes("generate")) == ([8], [8])
    assert generated == [8]
    other = type(bench)(tmp_path / "other")
    other.run(spec)
    assert generated == [8]
    one, two = bench.numbers(spec.name), other.numbers(spec.name)
    assert len(one) == len(two)
    # fp32, six steps: hardly a token is another one
    assert sum(m == n for m, n in zip(one, two, strict=True)) > 0.8 * len(one)
    with bench.store() as store:
        trained = [each for each in store.stages(s.fingerprint for s in stages(spec)).values() if each.kind == "train"]
    assert [each.result["together"] for each in trained] == [8] * 8


def test_fused_models_share_their_joules(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = iter([100.0, 130.0])
    monkeypatch.setattr(train, "joules_so_far", lambda device: next(readings))
    spec = load()
    run(bench, spec)
    with bench.store() as store:
        found = store.stages(stage.fingerprint for stage in stages(spec)).values()
        assert [each.result["joules"] for each in found if each.kind == "train"] == [15.0, 15.0]


def test_a_training_that_diverges_fails_its_own_run(bench: Bench, load: Callable[..., StudySpec]) -> None:
    rates = {"axes": {"training.learning_rate": [3e-3, 1e38]}, "baseline": {"training.learning_rate": 3e-3}}
    result = run(bench, load({**rates, "training.clip": 0.0}))
    assert {(failure.variant, failure.error_class) for failure in result.failures} == {
        ("learning_rate=1e+38", "TrainingDiverged")
    }
    assert sorted(bench.states(result.name).values()) == ["done", "done", "failed", "failed"]


def test_a_fused_group_that_a_plugin_breaks_is_tried_one_by_one(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fuse = Recurrent.fuse

    def only_alone(models: Any, precision: str) -> Any:
        if len(models) > 1:
            raise RuntimeError("no fusion for you")
        return fuse(models, precision)

    monkeypatch.setattr(Recurrent, "fuse", staticmethod(only_alone))
    jobs = Jobs(bench)
    result = run(bench, load(), jobs)
    assert result.failures == ()
    assert jobs.sizes("train") == [2]
    assert "2 stages (train) cannot be done as one, trying one by one: RuntimeError: no fusion for you" in caplog.text


def test_a_variant_that_cannot_be_built_fails_its_own_runs(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    init = Recurrent.__init__

    def picky(self: Any, run: Any, options: Any, *more: Any) -> None:
        if options.dropout:
            raise ValueError("no dropout here")
        init(self, run, options, *more)

    monkeypatch.setattr(Recurrent, "__init__", picky)
    spec = load({"axes": {"model.lstm.dropout": [0.0, 0.3]}, "baseline": {"model.lstm.dropout": 0.0}})
    result = run(bench, spec)
    assert {(failure.variant, failure.error_class) for failure in result.failures} == {("dropout=0.3", "ValueError")}
    assert sorted(bench.states(spec.name).values()) == ["done", "done", "failed", "failed"]


def test_a_disk_that_is_full_meanwhile_keeps_what_was_written(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = train.write_artifact, []

    def full(home: Any, stage: Any, files: Any) -> None:
        if len(written) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(stage)
        write(home, stage, files)

    monkeypatch.setattr(train, "write_artifact", full)
    with pytest.raises(HomeError, match="everything finished is kept"):
        run(bench, load())
    monkeypatch.undo()
    assert bench.counts(load(), "train") == (1, 1)
    assert run(bench, load()).failures == ()


def test_what_was_done_one_by_one_before_a_stop_is_kept(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, jobs, fuse = train.write_artifact, Jobs(bench), Recurrent.fuse

    def only_alone(models: Any, precision: str) -> Any:
        if len(models) > 1:
            raise RuntimeError("no fusion for you")
        return fuse(models, precision)

    def write_and_stop(home: Any, stage: Any, files: Any) -> None:
        write(home, stage, files)
        jobs.stop()

    monkeypatch.setattr(Recurrent, "fuse", staticmethod(only_alone))
    monkeypatch.setattr(train, "write_artifact", write_and_stop)
    result = run(bench, load(), jobs)
    assert result.ran["train"] == 1
    assert bench.counts(load(), "train") == (1, 1)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_study_on_a_gpu_is_fused_and_near_the_one_on_a_cpu(
    bench: Bench, load: Callable[..., StudySpec], tmp_path: Any
) -> None:
    spec = load({**ALIKE, "training.steps": 40}, replicates=2)
    with Store(bench.url) as store:
        layout = lay_out(spec, get_registry(), "cuda")
        result = StudyRunner(layout, store, bench.home, device="cuda").run()
        assert result.failures == ()
        found = store.stages(layout.stages())
    on_gpu = [each for each in found.values() if each.kind == "train"]
    assert [each.result["together"] for each in on_gpu] == [8] * 8
    other = type(bench)(tmp_path / "other")
    other.run(spec)
    with other.store() as store:
        on_cpu = [s for s in store.stages(s.fingerprint for s in stages(spec)).values() if s.kind == "train"]
    losses = [sorted(each.result["loss"] for each in some) for some in (on_gpu, on_cpu)]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)  # dropout draws other numbers there


class StopsAt(Listener):
    def __init__(self, fraction: float) -> None:
        self.fraction, self.seen = fraction, []  # type: ignore[var-annotated]

    def news(self, news: News) -> None:
        self.seen.append(news)
        if news.kind == "train" and news.fraction >= self.fraction:
            self.stop()

    stop: Any = staticmethod(lambda: None)


def test_a_stopped_group_goes_on_where_it_was(bench: Bench, load: Callable[..., StudySpec], tmp_path: Any) -> None:
    spec = load({"training.steps": 60})
    listener, jobs = StopsAt(0.4), Jobs(bench)
    listener.stop = jobs.stop
    stopped = run(bench, spec, jobs, listener=listener)
    assert stopped.checkpoints == 2
    assert set(bench.states(spec.name).values()) == {"interrupted"}
    (news,) = [news for news in listener.seen if news.kind == "train"]  # one voice for both
    assert (news.together, round(news.fraction, 2)) == (2, 0.42)
    assert run(bench, spec).failures == ()
    other = type(bench)(tmp_path / "other")
    run(other, spec)
    assert bench.numbers(spec.name) == other.numbers(spec.name)


def test_what_a_stopped_job_has_finished_is_kept(
    bench: Bench, load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two fused groups in one job, because one did not fit: the first is done when the second is stopped."""
    jobs = Jobs(bench)
    seed = FusedStreams.seed
    count = 0

    def stop_later(streams: FusedStreams, seeds: Any) -> None:
        nonlocal count
        count += 1
        if count == 2:  # the first step of the second group
            jobs.stop()
        seed(streams, seeds)

    from ablate.engine.training import train as training

    class Tight(training.FusedTrainer):
        def __init__(self, starts: Any, device: Any) -> None:
            if len(starts) > 1:
                raise torch.OutOfMemoryError("too much")
            super().__init__(starts, device)

    monkeypatch.setattr(training, "FusedTrainer", Tight)
    monkeypatch.setattr(FusedStreams, "seed", stop_later)
    result = run(bench, load(), jobs)
    assert result.ran["train"] == 1
    assert bench.counts(load(), "train") == (1, 1)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_an_optimizer_that_cannot_be_fused_is_named(load: Callable[..., StudySpec]) -> None:
    axes = {"optimizer": ["adam", "adamw", "muon"], "schedule": ["constant", "warmup_cosine"]}
    packed = packing()
    assert sorted(of_stages("train", packed.trainings(stages(load({"axes": axes, "baseline": {}}))))) == [*[1] * 4, 8]
    assert set(packed.alone) == {"optimizer 'muon': it cannot be fused, so its models are trained one by one"}


@pytest.mark.parametrize(
    ("path", "levels", "sizes"),
    [
        ("training.accumulate", [1, 2], [2, 2]),
        ("training.ema", [0.0, 0.9], [4]),
        ("training.label_smoothing", [0.0, 0.1], [4]),
        ("training.weight_decay", [0.0, 0.1], [4]),
    ],
)
def test_settings_that_may_differ_within_a_group(
    path: str, levels: list[float], sizes: list[int], load: Callable[..., StudySpec]
) -> None:
    spec = load({"axes": {path: levels}, "baseline": {}})
    assert of_stages("train", packing().trainings(stages(spec))) == sizes
