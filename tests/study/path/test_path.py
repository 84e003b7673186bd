"""Paths that really run: what is trained, recorded, spared, and gone on with after a kill."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from support.bench import Bench
from support.killed import number, run_and_kill

from ablate.errors import StudyFileError
from ablate.registry import get_registry
from ablate.store.store import Store
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study
from ablate.study.path.runner import PathRunner, path_layout
from ablate.study.plan.plan import make_plan
from ablate.study.run.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command

    from ablate.study.run.result import StudyResult
    from ablate.study.work.messages import StageResult

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
SPACE = """
[axes]
training.steps = [6, 4]
generation.tokens = [80, 30]
sampler.temperature.tau = [1.0, 0.6]
[baseline]
training.steps = 6
[objective]
metric = "distance.pitch"
[path]
first_replicates = 2
drop_p = 0.3
"""


def write(file: Path, text: str, space: str = SPACE) -> Path:
    text = text.replace("replicates = 2", "replicates = 3").replace(TAU, "")
    file.write_text('design = "path"\n' + text + space, encoding="utf-8")
    return file


@pytest.fixture
def of(tiny: Path, tiny_text: str) -> Callable[..., StudySpec]:
    def loaded(space: str = SPACE, **overrides: Any) -> StudySpec:
        return read_study(str(write(tiny, tiny_text, space)), Overrides(**overrides))

    return loaded


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> tuple[Bench, StudyResult]:
    """Return a home in which the path ran without interruption, for tests that only read; and its result."""
    folder = tmp_path_factory.mktemp("whole")
    bench = Bench(folder / "home")
    return bench, run(bench, read_study(str(write(folder / "tiny.toml", tiny_text))))


def run(bench: Bench, spec: StudySpec, **options: Any) -> StudyResult:
    with Store(bench.url) as store:
        path = PathRunner(spec, get_registry(), store, bench.home, **options)
        if "listener" in options:
            options["listener"].run = path
        return path.run()


def taken(bench: Bench, name: str = "tiny") -> list[str]:
    with bench.store() as store:
        return list(store.study(name).spec["path"]["taken"])


def trials(bench: Bench, name: str = "tiny") -> dict[str, Any]:
    storage = optuna.storages.RDBStorage(bench.url)
    try:
        found = optuna.load_study(study_name=name, storage=storage).trials
        return {trial.user_attrs["ablate:variant"]: trial for trial in found}
    finally:
        storage.remove_session()
        storage.engine.dispose()


def test_from_the_baseline_to_the_target(whole: tuple[Bench, StudyResult]) -> None:
    bench, result = whole
    assert not result.failures
    reached, states = taken(bench), bench.states("tiny")
    assert (reached[0], reached[-1], len(reached)) == ("base", "target", 4)
    for name in reached:
        assert [states[name, replicate] for replicate in range(3)] == ["done"] * 3
    assert set(states.values()) <= {"done", "pruned"}
    assert len({name for name, _ in states}) == 1 + 3 + 2 + 1
    assert result.ran["train"] <= 2 * 3, "a change after training needs no training"
    with bench.store() as store:
        means = store.means("tiny", "distance.pitch", "average")
    first = [name for name, _ in states if "," not in name and name not in ("base", "target")]
    complete = {name: sum(means[name, r] for r in range(3)) for name in first if states[name, 2] == "done"}
    assert reached[1] == min(complete, key=complete.__getitem__)


def test_trials_hold_every_variant(whole: tuple[Bench, StudyResult]) -> None:
    bench, _ = whole
    states = bench.states("tiny")
    for name, trial in trials(bench).items():
        pruned = "pruned" in {state for (variant, _), state in states.items() if variant == name}
        assert trial.state.name == ("PRUNED" if pruned else "COMPLETE")


def test_again_nothing_runs_and_without_racing_the_rest(
    whole: tuple[Bench, StudyResult], of: Callable[..., StudySpec], tmp_path: Path
) -> None:
    reached = taken(whole[0])
    shutil.copytree(whole[0].home, tmp_path / "copy")
    bench = Bench(tmp_path / "copy")
    again = run(bench, read_study(str(whole[0].home.parent / "tiny.toml")))
    assert (again.ran, again.changed, taken(bench)) == ({}, False, reached)
    assert {trial.state.name for trial in trials(bench).values()} <= {"COMPLETE", "PRUNED"}
    run(bench, of(SPACE.replace("drop_p = 0.3", "racing = false")))
    assert set(bench.states("tiny").values()) == {"done"}
    assert {trial.state.name for trial in trials(bench).values()} == {"COMPLETE"}


class StopsAfter(Listener):
    """Asks a path to stop after so many generations."""

    def __init__(self, generations: int) -> None:
        self.run: PathRunner
        self.left = generations

    def done(self, done: StageResult) -> None:
        self.left -= done.stage.kind == "generate"
        if self.left == 0:
            self.run.stop()


def test_stopped_and_continued_equals_uninterrupted(
    whole: tuple[Bench, StudyResult], bench: Bench, of: Callable[..., StudySpec]
) -> None:
    other, _ = whole
    assert run(bench, of(), listener=StopsAfter(11)).stopped
    with bench.store() as store:
        layout = path_layout(of(), get_registry(), store, "cpu")
        assert layout.unchosen + len(layout.variants) == 7
        assert make_plan(layout, store, bench.home).missing
    assert not run(bench, of()).stopped
    assert taken(bench) == taken(other)
    assert bench.states("tiny") == other.states("tiny")
    assert bench.numbers("tiny") == other.numbers("tiny")


@pytest.mark.slow
def test_a_killed_path_goes_on_as_if_it_had_not_been(
    whole: tuple[Bench, StudyResult], bench: Bench, of: Callable[..., StudySpec], tiny: Path, ablate: Command
) -> None:
    """A real process and its workers, killed in the second round; then the command again, in this process alone."""
    of()
    words = ["study", "run", str(tiny), "--home", str(bench.home), "--no-report", "--yes", "--workers"]
    run_and_kill([*words, "2"], lambda: _count(bench) >= 2, seconds=120, pause=0.1)
    assert 2 <= _count(bench) < 4
    done = ablate(*words, "1")
    assert done.code == 0, done.err
    assert taken(bench) == taken(whole[0])
    assert bench.numbers("tiny") == whole[0].numbers("tiny")
    assert {trial.state.name for trial in trials(bench).values()} <= {"COMPLETE", "PRUNED"}


def _count(bench: Bench) -> int:
    """How many variants the path has reached."""
    return number(bench.home, "SELECT json_array_length(spec, '$.path.taken') FROM ablate_studies")


def test_a_candidate_that_cannot_be_prepared_is_no_step(bench: Bench, of: Callable[..., StudySpec]) -> None:
    """A primer longer than the samples is found before training; with longer samples it is no problem."""
    space = '[axes]\nprimer.tokens = [0, 90]\ngeneration.tokens = [80, 100]\n[objective]\nmetric = "distance.pitch"\n'
    result = run(bench, of(space))
    assert taken(bench) == ["base", "generation.tokens=100", "target"]
    assert {failure.variant for failure in result.failures} == {"primer.tokens=90"}
    assert {state for (name, _), state in bench.states("tiny").items() if name == "primer.tokens=90"} == {"failed"}


def test_an_end_that_cannot_be_prepared_stops_the_study(bench: Bench, of: Callable[..., StudySpec]) -> None:
    space = "[axes]\nprimer.tokens = [0, 5000]\nsampler.temperature.tau = [1.0, 0.6]\n"
    result = run(bench, of(space))
    assert result.refused
    assert result.ran.get("train", 0) == 0
    assert {failure.variant for failure in result.failures} == {"target"}


def test_an_objective_needs_a_better_direction(bench: Bench, of: Callable[..., StudySpec]) -> None:
    space = SPACE.replace('metric = "distance.pitch"', 'metric = "musicality.pitch_range"')
    with pytest.raises(StudyFileError, match="direction"):
        run(bench, of(space + '[metric."musicality.pitch_range"]\n'))


def test_the_commands_show_the_path(
    ablate: Command, whole: tuple[Bench, StudyResult], of: Callable[..., StudySpec], tiny: Path
) -> None:
    of()
    planned = ablate("study", "plan", str(tiny), "--workers", "1")
    assert "tiny: path design, 2 variants" in planned.out
    assert "  and at most 5 more, chosen while the study follows its path" in planned.out
    assert "  the whole path needs 18 to 21 runs" in planned.out
    home = str(whole[0].home)
    shown = ablate("study", "show", "tiny", "--home", home).out.splitlines()
    place = shown.index("path: base")
    steps = [line.removeprefix("  then ") for line in shown[place + 1 : place + len(taken(whole[0]))]]
    assert steps[-1].endswith(" (target)")
    steps[-1] = steps[-1].removesuffix(" (target)")
    for count, name in enumerate(taken(whole[0])[1:-1], start=1):
        assert set(name.split(", ")) == set(steps[:count])
    planned = ablate("study", "plan", str(tiny), "--home", home)
    assert "  path so far: base > " in planned.out
    assert "nothing to run: all results exist" in planned.out
    assert json.loads(ablate("study", "plan", str(tiny), "--json").out)["variants_to_choose"] == 5
