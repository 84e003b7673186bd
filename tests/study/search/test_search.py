"""Searches: what is chosen, kept, pruned, and gone on with after a kill."""

from __future__ import annotations

import functools
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
from ablate.study.run.listener import Listener
from ablate.study.search.search import SearchRunner, chosen_so_far

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command

    from ablate.study.run.result import StudyResult
    from ablate.study.work.messages import StageResult

    Whole = Callable[[str], tuple[Bench, StudyResult]]

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
SPACE = """
[sampler.top_p]
[axes]
sampler.temperature.tau = { low = 0.5, high = 2.0 }
sampler.top_p.p = { low = 0.7, high = 1.0 }
[baseline]
sampler.temperature.tau = 1.0
sampler.top_p.p = 1.0
"""
TWO = """
[search]
n_variants = 5
objectives = [
  { metric = "distance.pitch", feature = "l1", direction = "lower" },
  { metric = "distance.velocity", feature = "l1", direction = "higher" },
]
"""
ONE = '[search]\nn_variants = 5\nobjectives = [{ metric = "distance.pitch" }]\n'


def write(file: Path, text: str, search: str = TWO, space: str = SPACE) -> str:
    file.write_text('design = "search"\n' + text.replace(TAU, "") + space + search, encoding="utf-8")
    return str(file)


@pytest.fixture
def of(tiny: Path, tiny_text: str) -> Callable[..., StudySpec]:
    def loaded(search: str = TWO, space: str = SPACE, **overrides: Any) -> StudySpec:
        return read_study(write(tiny, tiny_text, search, space), Overrides(**overrides))

    return loaded


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> Whole:
    """Return a function that runs a search once, in this process, for all tests that only read; and its result."""

    @functools.cache
    def searched(search: str) -> tuple[Bench, StudyResult]:
        folder = tmp_path_factory.mktemp("uninterrupted")
        bench = Bench(folder / "home")
        return bench, run(bench, read_study(write(folder / "tiny.toml", tiny_text, search)), workers=1)

    return searched


@pytest.fixture
def searched(uninterrupted: Whole, tmp_path: Path) -> Bench:
    """Return a copy of the home in which the search of two objectives ran."""
    shutil.copytree(uninterrupted(TWO)[0].home, tmp_path / "searched")
    return Bench(tmp_path / "searched")


def run(bench: Bench, spec: StudySpec, **options: Any) -> StudyResult:
    with Store(bench.url) as store:
        search = SearchRunner(spec, get_registry(), store, bench.home, **options)
        if "listener" in options:
            options["listener"].run = search
        return search.run()


def chosen(bench: Bench, name: str = "tiny") -> list[str]:
    with bench.store() as store:
        return [variant.name for variant in store.variants(name)]


def trials(bench: Bench, name: str = "tiny") -> list[Any]:
    storage = optuna.storages.RDBStorage(bench.url)
    try:
        return optuna.load_study(study_name=name, storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def means(bench: Bench, metric: str, feature: str) -> dict[str, float]:
    with bench.store() as store:
        found = store.means("tiny", metric, feature)
    names = {variant for variant, _ in found}
    return {name: sum(v for (n, _), v in found.items() if n == name) / 2 for name in names}


def test_a_search_tries_as_many_variants_as_it_is_given(
    uninterrupted: Whole,
) -> None:
    bench, result = uninterrupted(TWO)
    assert not result.failures
    names = chosen(bench)
    assert (names[0], len(names)) == ("tau=1.0, p=1.0", 5)
    assert set(bench.states("tiny").values()) == {"done"}
    # the samplers alone differ, so two trainings serve all
    assert result.ran["train"] == 2
    assert result.ran["generate"] == 2 * 5


def test_trials_hold_the_variants_with_the_values_of_all_objectives(
    uninterrupted: Whole,
) -> None:
    bench, _ = uninterrupted(TWO)
    pitch, velocity = means(bench, "distance.pitch", "l1"), means(bench, "distance.velocity", "l1")
    found = trials(bench)
    assert [trial.user_attrs["ablate:variant"] for trial in found] == chosen(bench)
    for trial in found:
        name = trial.user_attrs["ablate:variant"]
        assert trial.state == optuna.trial.TrialState.COMPLETE
        assert trial.values == pytest.approx([pitch[name], velocity[name]])
        assert 0.5 <= trial.params["sampler.temperature.tau"] <= 2.0
    storage = optuna.storages.RDBStorage(bench.url)
    study = optuna.load_study(study_name="tiny", storage=storage)
    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert study.best_trials
    storage.remove_session()
    storage.engine.dispose()


def test_again_nothing_runs_and_more_variants_are_added(
    searched: Bench, uninterrupted: Whole, of: Callable[..., StudySpec]
) -> None:
    bench = searched
    before, numbers = chosen(bench), bench.numbers("tiny")
    again = run(bench, read_study(str(uninterrupted(TWO)[0].home.parent / "tiny.toml")))
    assert (again.ran, again.changed, chosen(bench)) == ({}, False, before)
    ran = run(bench, of(n_variants=7)).ran
    assert chosen(bench)[:5] == before
    assert len(trials(bench)) == 7
    new = len(chosen(bench)) - 5  # levels may come again, and are not run again
    assert new > 0
    assert ran == {"generate": 2 * new, "measure": 4 * new, "resample": 4 * new}
    assert [n for n in bench.numbers("tiny") if n.variant in before] == numbers


def test_processes_choose_the_same(bench: Bench, of: Callable[..., StudySpec], uninterrupted: Whole) -> None:
    other, _ = uninterrupted(ONE)
    run(bench, of(ONE), workers=2)
    assert chosen(bench) == chosen(other)
    assert bench.numbers("tiny") == other.numbers("tiny")


def test_another_seed_chooses_others(searched: Bench, of: Callable[..., StudySpec]) -> None:
    run(searched, of(seed=9, n_variants=3, replicates=1))
    ours, theirs = chosen(searched), chosen(searched, "tiny@seed9")
    assert ours[0] == theirs[0]
    assert not set(ours[1:]) & set(theirs[1:])


class StopsAfter(Listener):
    """Asks a search to stop after so many generations."""

    def __init__(self, generations: int) -> None:
        self.run: SearchRunner
        self.left = generations

    def done(self, done: StageResult) -> None:
        self.left -= done.stage.kind == "generate"
        if self.left == 0:
            self.run.stop()


@pytest.mark.parametrize(("search", "generations"), [(ONE, 6), (TWO, 5)], ids=["tpe", "nsga2"])
def test_stopped_and_continued_equals_uninterrupted(
    bench: Bench,
    of: Callable[..., StudySpec],
    uninterrupted: Whole,
    search: str,
    generations: int,
) -> None:
    result = run(bench, of(search), listener=StopsAfter(generations))
    assert result.stopped
    assert not run(bench, of(search)).stopped
    other, _ = uninterrupted(search)
    assert chosen(bench) == chosen(other)
    assert bench.numbers("tiny") == other.numbers("tiny")


@pytest.mark.slow
def test_a_killed_search_goes_on_as_if_it_had_not_been(
    bench: Bench,
    of: Callable[..., StudySpec],
    tiny: Path,
    ablate: Command,
    uninterrupted: Whole,
) -> None:
    """A real process and its workers, killed while a variant is tried; then the command again, in this process."""
    of(TWO)
    words = ["study", "run", str(tiny), "--home", str(bench.home), "--no-report", "--yes", "--workers"]
    run_and_kill([*words, "2"], lambda: _count(bench) >= 2, seconds=120, pause=0.1)
    assert 2 <= _count(bench) < 5
    done = ablate(*words, "1")
    assert done.code == 0, done.err
    other, _ = uninterrupted(TWO)
    assert chosen(bench) == chosen(other)
    assert bench.numbers("tiny") == other.numbers("tiny")
    assert {trial.state.name for trial in trials(bench)} == {"COMPLETE"}


def _count(bench: Bench) -> int:
    """How many variants there are so far."""
    return number(bench.home, "SELECT count(*) FROM ablate_variants")


SIZES = "[axes]\ngeneration.tokens = [300, 20]\nmodel.lstm.layers = [1, 2]\n[baseline]\ngeneration.tokens = 300\n"
PRUNING = """
[search]
n_variants = 6
algorithm = "random"
prune_after = 3
prune_p = 0.2
objectives = [{ metric = "distance.pitch" }]
"""


def test_a_variant_worse_than_the_best_gets_no_more_replicates(bench: Bench, of: Callable[..., StudySpec]) -> None:
    """Samples of a few notes are far from the piece in every replicate, whatever the model."""
    spec = of(PRUNING, SIZES, replicates=4)
    assert not run(bench, spec).failures
    states, names = bench.states("tiny"), chosen(bench)
    given_up = [name for name in names if states[name, 3] == "pruned"]
    assert any("tokens=20" in name for name in given_up)
    assert names[0] not in given_up
    for name in names:
        last = "pruned" if name in given_up else "done"
        assert [states[name, replicate] for replicate in range(4)] == ["done", "done", "done", last]
    with bench.store() as store:
        (reason,) = {c.error.partition(":")[0] for c in store.runs("tiny") if c.state == "pruned"}
    assert reason == "given up after 3 replicates"
    by_name = {trial.user_attrs.get("ablate:variant"): trial for trial in trials(bench)}
    assert {by_name[name].state.name for name in given_up} == {"PRUNED"}
    assert len(by_name[given_up[0]].intermediate_values) == 3
    assert run(bench, spec).ran == {}, "again nothing runs"
    run(bench, of(PRUNING.replace("prune_after = 3", "prune_after = 0"), SIZES, replicates=4))
    assert set(bench.states("tiny").values()) == {"done"}, "a search that prunes no more makes up for it"
    assert {trial.state.name for trial in trials(bench)} == {"COMPLETE"}


def test_levels_that_come_again_are_counted_and_not_run(bench: Bench, of: Callable[..., StudySpec]) -> None:
    space = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n"
    run(bench, of(ONE, space, replicates=1))
    assert sorted(chosen(bench)) == ["tau=0.8", "tau=1.0"]
    found = trials(bench)
    assert len(found) == 5
    values = {trial.params["sampler.temperature.tau"]: trial.value for trial in found}
    assert all(trial.value == values[trial.params["sampler.temperature.tau"]] for trial in found)


def test_an_axis_that_does_not_exist_is_not_chosen(bench: Bench, of: Callable[..., StudySpec]) -> None:
    space = """
[axes]
sampler = ["temperature", ["temperature", "top_p"]]
"sampler.top_p.p" = { low = 0.7, high = 1.0, when = { sampler = [["temperature", "top_p"]] } }
training.steps = { low = 2, high = 6 }
training.learning_rate = { low = 1e-4, high = 1e-2, log = true }
"""
    assert not run(bench, of(ONE.replace("5", "8"), space, replicates=1)).failures
    found = trials(bench)
    nucleus = {"sampler.top_p.p" in trial.params for trial in found if "top_p" in trial.params["sampler"]}
    assert nucleus == {True}
    assert not any("sampler.top_p.p" in trial.params for trial in found if "top_p" not in trial.params["sampler"])
    assert all(isinstance(trial.params["training.steps"], int) for trial in found)


def test_a_narrower_space_keeps_what_is_still_in_it(searched: Bench, of: Callable[..., StudySpec]) -> None:
    bench = searched
    before = chosen(bench)
    narrow = of(space=SPACE.replace("low = 0.5, high = 2.0", "low = 0.5, high = 1.3"))
    with bench.store() as store:
        variants, held = chosen_so_far(narrow, store)
    names = [variant.name for variant in variants]
    inside = [n for n in before if float(n.split("=")[1].split(",")[0]) <= 1.3]
    assert 1 < len(inside) < 5
    assert (names, held) == (inside, {})
    assert not run(bench, narrow).failures
    assert len(chosen(bench)) == 5


def test_a_variant_that_cannot_be_prepared_does_not_stop_the_others(bench: Bench, of: Callable[..., StudySpec]) -> None:
    """A primer longer than the samples is found before training; the search goes on without that variant."""
    space = "[axes]\nprimer.tokens = [0, 10, 79, 5000]\n"
    result = run(bench, of(ONE.replace("5", "12"), space, replicates=1))
    states = bench.states("tiny")
    assert {state for (name, _), state in states.items() if name == "tokens=5000"} == {"pruned"}
    assert {state for (name, _), state in states.items() if name != "tokens=5000"} == {"done"}
    assert {failure.variant for failure in result.failures} == {"tokens=5000"}


def test_a_search_over_tokenizers_does_not_choose_by_nats_per_token(
    bench: Bench, of: Callable[..., StudySpec], tiny: Path
) -> None:
    space = '[metric."likelihood.nll"]\n[axes]\ntokenizer = ["midilike-classic", "midilike"]\n'
    objective = 'objectives = [{ metric = "likelihood.nll", feature = "train" }]\n'
    spec = of(f"[search]\nn_variants = 2\n{objective}", space)
    with pytest.raises(
        StudyFileError, match=r"'likelihood.nll train' of different tokenizers cannot be compared, so a se"
    ):
        run(bench, spec)
    per_note = of(f"[search]\nn_variants = 2\n{objective.replace('train', 'train_per_note')}", space, replicates=1)
    assert not run(bench, per_note).failures
