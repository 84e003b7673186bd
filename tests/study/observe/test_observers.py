"""The events of a study: which runs get which, in which order."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ablate
from ablate.registry import Plugin, get_registry
from ablate.study.observe import observers as module
from ablate.study.observe.choice import Observer, hooks_of
from ablate.study.observe.observers import Observers
from ablate.study.path.runner import PathRunner
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor.inline import InlineExecutor
from ablate.study.run.executor.protocol import Working
from ablate.study.run.runner import SharedContext, StudyRunner
from ablate.study.search.search import SearchRunner
from ablate.study.work import train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


class Recorder:
    """Keeps every event."""

    def __init__(self, fails: str = "") -> None:
        self.events: list[Any] = []
        self.fails = fails

    def keep(self, event: Any) -> None:
        self.events.append(event)
        if type(event).__name__ == self.fails:
            raise RuntimeError("full")

    @ablate.hookimpl
    def ablate_run_started(self, event: Any) -> None:
        self.keep(event)

    @ablate.hookimpl
    def ablate_step_logged(self, event: Any) -> None:
        self.keep(event)

    @ablate.hookimpl
    def ablate_run_finished(self, event: Any) -> None:
        self.keep(event)

    @ablate.hookimpl
    def ablate_study_finished(self, event: Any) -> None:
        self.keep(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def observer(recorder: Recorder) -> Observer:
    return Observer("mine", Plugin("test", "test", "test", "1"), *hooks_of(recorder))


@pytest.fixture
def observe(bench: Bench) -> Callable[..., Any]:
    """Return a function that runs a study and returns its events, the lines that are said, and the result."""

    def observed(spec: StudySpec, *, recorder: Recorder | None = None, stop_after: int = 0, **options: Any) -> Any:
        recorder, said = recorder or Recorder(), []
        with bench.store() as store:
            observers = Observers(spec.name, [observer(recorder)], store, said.append)
            runner = make(spec, store, bench.home, listener=observers, **options)
            if stop_after:
                stop(observers, runner, stop_after)
            result = runner.run()
            observers.finish(stopped=result.stopped, verdicts=["better"], report="page")
        return recorder, said, result

    return observed


def make(spec: StudySpec, store: Any, home: Any, **options: Any) -> Any:
    adaptive: dict[str, Any] = {"search": SearchRunner, "path": PathRunner}
    if spec.design in adaptive:
        return adaptive[spec.design](spec, get_registry(), store, home, **options)
    return StudyRunner(lay_out(spec, get_registry(), "cpu"), store, home, **options)


def stop(observers: Observers, runner: Any, news: int) -> None:
    """Stop the study after so many pieces of news of its trainings."""
    heard = observers.news
    left = [news]

    def count(each: Any) -> None:
        heard(each)
        left[0] -= each.kind == "train"
        if left[0] <= 0:
            runner.stop()

    observers.news = count  # type: ignore[method-assign]


def key(event: Any) -> tuple[str, int]:
    return event.variant, event.replicate


RUNS = [("tau=0.8", 0), ("tau=1.0", 0), ("tau=0.8", 1), ("tau=1.0", 1)]


def test_every_run_that_waits_for_a_training_gets_its_steps(
    observe: Callable[..., Any], load: Callable[..., StudySpec], bench: Bench
) -> None:
    recorder, said, _ = observe(load({"training.steps": 60}))
    assert said == []
    started, steps, finished = (recorder.of(k) for k in (ablate.RunStarted, ablate.StepLogged, ablate.RunFinished))
    assert sorted(map(key, started)) == sorted(map(key, finished)) == sorted(RUNS)
    assert {event.baseline for event in started if event.variant == "tau=1.0"} == {True}
    assert started[0].levels == {"sampler.temperature.tau": 0.8}
    assert started[0].config["training"]["steps"] == 60
    assert len({event.fingerprint for event in started}) == 4
    of_run = collections.defaultdict(list)
    for event in steps:
        of_run[key(event)].append(event)
    assert of_run.keys() == set(RUNS)
    # steps 25 and 50 come within a second of each other, so that one of them is left out on most machines
    assert all(each[0].step == 25 and each[-1].step == 60 for each in of_run.values())
    first, other = of_run["tau=0.8", 0], of_run["tau=1.0", 0]
    assert [(e.step, e.loss) for e in first] == [(e.step, e.loss) for e in other]
    assert (first[-1].steps, first[-1].tokens_seen) == (60, 60 * 2 * 16)
    done = next(event for event in finished if key(event) == ("tau=0.8", 0))
    assert (done.state, done.error, done.reused) == ("done", "", False)
    assert (done.training["steps"], done.training["tokens_seen"]) == (60, 1920)
    assert done.seconds > 0
    numbers = [row for row in bench.numbers(load({"training.steps": 60}).name) if "tau=0.8" in str(row)]
    assert numbers
    assert {(m.metric, m.samples) for m in done.measurements} == {("distance.pitch", 2), ("distance.velocity", 2)}
    with bench.store() as store:
        means = store.means(load({"training.steps": 60}).name, "distance.pitch", "average")
    (pitch,) = (m for m in done.measurements if m.name == "distance.pitch.average")
    assert pitch.value == pytest.approx(means["tau=0.8", 0])
    end = recorder.events[-1]
    assert (end.stopped, end.runs, end.verdicts, end.report) == (False, {"done": 4}, ("better",), "page")


def test_fused_models_send_steps_of_their_own(
    load: Callable[..., StudySpec], bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "LOG_SECONDS", 3600.0)
    validated = {"training.steps": 60, "training.validate_every": 20, "split.validation": 0.25}
    spec, recorder = load(validated, corpus=str(folder)), Recorder()
    with bench.store() as store, InlineExecutor(bench.home, "cpu", get_registry()) as executor:
        observers = Observers(spec.name, [observer(recorder)], store, lambda line: None)
        runner = StudyRunner(
            lay_out(spec, get_registry(), "cpu"),
            store,
            bench.home,
            listener=observers,
            shared=SharedContext(executor),
            working=Working(fused=True),
        )
        assert runner.run().failures == ()
        stages = {(run.variant, run.replicate): run.stages["train"] for run in store.runs(spec.name)}
        results = {fingerprint: record.result for fingerprint, record in store.stages(stages.values()).items()}
        observers.finish(stopped=False)
    assert {result["together"] for result in results.values()} == {2}
    steps = {run: [event for event in recorder.of(ablate.StepLogged) if key(event) == run] for run in RUNS}
    for run, (first, last) in steps.items():
        assert (first.step, first.validation) == (20, (20, first.validation[1]))
        assert (last.step, last.validation) == (60, (60, results[stages[run]]["validation_loss"]))
        losses = np.load(bench.home / f"artifacts/train/{stages[run][:2]}/{stages[run]}/losses.npy")
        assert (np.float32(first.loss), np.float32(last.loss)) == (losses[19], losses[59])
    assert steps["tau=0.8", 0][0].loss != steps["tau=0.8", 1][0].loss


def test_a_run_that_is_reused_is_announced_as_such(observe: Callable[..., Any], load: Callable[..., StudySpec]) -> None:
    before, _, _ = observe(load())
    wider = load({"axes.sampler.temperature.tau": [0.8, 1.0, 1.3]})
    recorder, _, _ = observe(wider)
    started, finished = recorder.of(ablate.RunStarted), recorder.of(ablate.RunFinished)
    assert {key(event) for event in started if event.reused} == {key(e) for e in finished if e.reused} == set(RUNS)
    assert {key(event) for event in started if not event.reused} == {("tau=1.3", 0), ("tau=1.3", 1)}
    assert recorder.of(ablate.StepLogged) == []  # its training is reused
    by_run = {key(event): event for event in before.of(ablate.RunFinished)}
    assert all(e.measurements == by_run[key(e)].measurements for e in finished if e.reused)
    assert {e.fingerprint for e in started} > {e.fingerprint for e in before.of(ablate.RunStarted)}


def test_a_study_that_is_stopped_and_resumed(observe: Callable[..., Any], load: Callable[..., StudySpec]) -> None:
    long = load({"training.steps": 100}, replicates=1)
    recorder, _, _ = observe(long, stop_after=1)
    assert [(key(e), e.state, e.measurements) for e in recorder.of(ablate.RunFinished)] == [
        (run, "interrupted", ()) for run in RUNS[:2]
    ]
    assert (recorder.events[-1].stopped, recorder.events[-1].runs) == (True, {"interrupted": 2})
    resumed, _, _ = observe(long)
    assert {(key(e), e.reused) for e in resumed.of(ablate.RunStarted)} == {(run, False) for run in RUNS[:2]}
    assert all(event.step > 25 for event in resumed.of(ablate.StepLogged))
    assert {e.fingerprint for e in resumed.of(ablate.RunStarted)} == {
        e.fingerprint for e in recorder.of(ablate.RunStarted)
    }


def test_a_failed_run_has_its_error(observe: Callable[..., Any], load: Callable[..., StudySpec]) -> None:
    recorder, _, result = observe(load({"training.learning_rate": 1e38}, replicates=1))
    assert [key(event) for event in recorder.of(ablate.RunStarted)] == RUNS[:2]
    errors = {(f.variant, f.replicate): f"{f.error_class}: {f.error}" for f in result.failures}
    assert {key(event): event.error for event in recorder.of(ablate.RunFinished)} == errors
    assert {(event.state, event.measurements) for event in recorder.of(ablate.RunFinished)} == {("failed", ())}
    assert recorder.events[-1].runs == {"failed": 2}


def test_a_failing_observer_touches_no_run(
    observe: Callable[..., Any], load: Callable[..., StudySpec], bench: Bench
) -> None:
    recorder, said, result = observe(load(), recorder=Recorder(fails="RunStarted"))
    assert len(recorder.events) == 1
    assert result.failures == ()
    assert set(bench.states("tiny").values()) == {"done"}
    (line,) = said
    assert line == (
        "observer 'mine' of plugin 'test' (test, of test 1) failed in ablate_run_started: RuntimeError: full; "
        "it is switched off, and the study continues"
    )


def test_a_hanging_observer_ends_with_the_command(
    observe: Callable[..., Any], load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    class Hangs(Recorder):
        gate = threading.Event()

        def keep(self, event: Any) -> None:
            self.gate.wait(60)

    monkeypatch.setattr(module, "PATIENCE", 0.2)
    recorder = Hangs()
    _, said, result = observe(load(replicates=1), recorder=recorder)
    assert result.failures == ()
    assert said == [
        "observer 'mine' of plugin 'test' (test, of test 1) did not finish within 0 s; it did not get 7 events"
    ]
    recorder.gate.set()


@pytest.mark.parametrize(
    ("design", "rest"),
    [
        ("search", '[search]\nn_variants = 2\n[objective]\nmetric = "distance.pitch"\n'),
        ("path", '[objective]\nmetric = "distance.pitch"\n'),
    ],
)
def test_designs_that_choose_while_they_run(
    observe: Callable[..., Any], load: Callable[..., StudySpec], bench: Bench, tiny: Any, design: str, rest: str
) -> None:
    axes = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\ntraining.learning_rate = [1e-3, 1e-2]\n"
    text = tiny.read_text().replace("[axes]\nsampler.temperature.tau = [0.8, 1.0]\n", axes)
    text = text.replace("tau = 1.0\n", "tau = 1.0\ntraining.learning_rate = 1e-3\n")
    tiny.write_text(f'design = "{design}"\n' + text + rest)
    recorder, _, _ = observe(load(replicates=1))
    started, finished = recorder.of(ablate.RunStarted), recorder.of(ablate.RunFinished)
    assert sorted(map(key, started)) == sorted(bench.states("tiny"))
    assert sorted(map(key, started)) == sorted(map(key, finished))
    assert recorder.events[-1].runs == {"done": len(started)}
