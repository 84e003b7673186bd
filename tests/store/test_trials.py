"""A study as Optuna sees it, in the file that holds our tables."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import threading
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import sqlalchemy as sa
from support.bench import empty_database
from support.databases import EVERY_DATABASE, Database, InFile
from support.store_material import put
from support.trials_material import frozen, layout, open_trials, read, summary, trials

from ablate.errors import StoreError
from ablate.kinds import KINDS
from ablate.store.database.address import shown
from ablate.store.store import Store
from ablate.study.trials.storage import delete_trials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """A store that has Optuna's tables already: making them takes longer than most of these tests."""
    if isinstance(database, InFile):
        database.path.write_bytes(empty_database())
    with Store(database.url) as opened_store:
        yield opened_store


RUNNING: tuple[str, None] = ("RUNNING", None)


def finish(url: str, laid_out: Any, values: dict[str, dict[int, float]]) -> None:
    measured = {variant: each(known) for variant, known in values.items()}
    with trials(url, laid_out, measured) as opened_trials:
        for variant, known in measured.items():
            opened_trials.report(variant, known, complete=True)


def each(known: dict[int, float]) -> dict[int, tuple[float, ...]]:
    """Values of one objective as the values of all of them."""
    return {replicate: (value,) for replicate, value in known.items()}


VALUES = {"tau=0.8": {0: 0.5, 1: 0.75}, "tau=1.0": {0: 1.0, 1: 3.0}}
COMPLETE = {0.8: ("COMPLETE", 0.625), 1.0: ("COMPLETE", 2.0)}


def test_every_variant_is_one_running_trial(store: Store, tmp_path: Path) -> None:
    laid_out = layout(tmp_path)
    with trials(store.url, laid_out):
        assert summary(store.url) == {0.8: RUNNING, 1.0: RUNNING}
    attributes = [trial.user_attrs for trial in frozen(store.url)]
    assert [a["ablate:variant"] for a in attributes] == ["tau=0.8", "tau=1.0"]
    assert [a["ablate:variant_fingerprint"] for a in attributes] == list(laid_out.fingerprints.values())


@EVERY_DATABASE
def test_replicates_are_steps_and_the_value_is_their_mean(store: Store, tmp_path: Path) -> None:
    with trials(store.url, layout(tmp_path)) as opened_trials:
        opened_trials.report("tau=0.8", each({1: 0.75}), complete=False)
        assert frozen(store.url)[0].intermediate_values == {1: 0.75}
        assert summary(store.url) == {0.8: RUNNING, 1.0: RUNNING}
        opened_trials.report("tau=0.8", each({0: 0.5, 1: 0.75}), complete=True)
        opened_trials.report("tau=1.0", each({0: 1.0}), complete=True)  # replicate 1 has failed
        assert summary(store.url) == {0.8: ("COMPLETE", 0.625), 1.0: ("COMPLETE", 1.0)}
    assert [trial.intermediate_values for trial in frozen(store.url)] == [{0: 0.5, 1: 0.75}, {0: 1.0}]


def test_a_variant_without_any_value_has_failed(store: Store, tmp_path: Path) -> None:
    with trials(store.url, layout(tmp_path)) as opened_trials:
        opened_trials.report("tau=0.8", {}, complete=True)
        opened_trials.report("tau=1.0", {}, complete=False)
        assert summary(store.url) == {0.8: ("FAIL", None), 1.0: RUNNING}


def test_what_has_been_said_can_be_said_again(store: Store, tmp_path: Path) -> None:
    with trials(store.url, layout(tmp_path)) as opened_trials:
        for _ in range(2):
            opened_trials.report("tau=0.8", each({0: 0.5}), complete=False)
        for _ in range(2):
            opened_trials.report("tau=0.8", each(VALUES["tau=0.8"]), complete=True)
    assert summary(store.url) == {0.8: COMPLETE[0.8], 1.0: RUNNING}


def test_nothing_is_read_of_trials_without_anything_new(store: Store, tmp_path: Path) -> None:
    """A search reports all its variants after each one."""
    statements: list[str] = []
    with trials(store.url, layout(tmp_path)) as opened_trials:
        opened_trials.report("tau=0.8", each(VALUES["tau=0.8"]), complete=True)
        opened_trials.report("tau=1.0", each({0: 1.0}), complete=False)
        sa.event.listen(
            opened_trials._storage.engine, "before_cursor_execute", lambda *more: statements.append(more[2])
        )
        opened_trials.report("tau=0.8", each(VALUES["tau=0.8"]), complete=True)
        opened_trials.report("tau=1.0", each({0: 1.0}), complete=False)
        assert statements == []
        opened_trials.report("tau=1.0", each(VALUES["tau=1.0"]), complete=False)
        assert statements


@EVERY_DATABASE
def test_a_killed_run_goes_on_in_the_trials_it_began(store: Store, tmp_path: Path) -> None:
    laid_out = layout(tmp_path)
    killed = open_trials(store.url, laid_out)
    killed.report("tau=0.8", each({0: 0.5}), complete=False)
    killed._storage.engine.dispose()  # as the system closes a killed process's files; nothing is told to Optuna
    del killed
    gc.collect()
    before = [(trial.number, trial.datetime_start) for trial in frozen(store.url)]
    finish(store.url, laid_out, VALUES)
    assert summary(store.url) == COMPLETE
    assert [(trial.number, trial.datetime_start) for trial in frozen(store.url)] == before


@EVERY_DATABASE
@pytest.mark.parametrize("reached", [0, 1])
def test_a_run_killed_while_it_made_the_trials_is_made_up_for(store: Store, tmp_path: Path, reached: int) -> None:
    laid_out = layout(tmp_path)
    with trials(store.url, laid_out):
        pass
    storage = optuna.storages.RDBStorage(store.url)
    before = optuna.load_study(study_name="sweep", storage=storage)
    kept, attributes = before.trials[:reached], before.user_attrs
    optuna.delete_study(study_name="sweep", storage=storage)
    study = optuna.create_study(study_name="sweep", storage=storage)
    for name, value in attributes.items():
        study.set_user_attr(name, value)
    for trial in kept:
        study.add_trial(trial)
    storage.remove_session()
    storage.engine.dispose()
    finish(store.url, laid_out, VALUES)
    assert summary(store.url) == COMPLETE


def test_a_finished_study_opened_again_is_left_alone(store: Store, tmp_path: Path) -> None:
    laid_out = layout(tmp_path)
    finish(store.url, laid_out, VALUES)
    before = frozen(store.url)
    finish(store.url, laid_out, VALUES)
    assert frozen(store.url) == before


def test_another_replicate_begins_the_trials_anew(store: Store, tmp_path: Path) -> None:
    finish(store.url, layout(tmp_path), VALUES)
    with trials(store.url, layout(tmp_path, replicates=3)) as opened_trials:
        assert summary(store.url) == {0.8: RUNNING, 1.0: RUNNING}
        opened_trials.report("tau=0.8", each({0: 0.5, 1: 0.75, 2: 1.0}), complete=True)
    assert summary(store.url) == {0.8: ("COMPLETE", 0.75), 1.0: RUNNING}


def test_another_level_joins_the_others(store: Store, tmp_path: Path) -> None:
    """Optuna does not let a parameter's choices grow, so this too is made anew."""
    finish(store.url, layout(tmp_path), VALUES)
    finish(store.url, layout(tmp_path, (0.8, 1.0, 1.2)), {**VALUES, "tau=1.2": {0: 5.0, 1: 6.0}})
    assert summary(store.url) == COMPLETE | {1.2: ("COMPLETE", 5.5)}
    finish(store.url, layout(tmp_path, (0.8, 1.2)), {"tau=0.8": VALUES["tau=0.8"], "tau=1.2": {0: 5.0, 1: 6.0}})
    assert summary(store.url) == {0.8: COMPLETE[0.8], 1.2: ("COMPLETE", 5.5)}


def test_another_axis_begins_the_trials_anew(store: Store, tmp_path: Path) -> None:
    finish(store.url, layout(tmp_path), VALUES)
    with trials(store.url, layout(tmp_path, more=("model.lstm.layers = [1, 2]", "model.lstm.layers = 1"))):
        assert len(frozen(store.url)) == 4
        assert {trial.params["model.lstm.layers"] for trial in frozen(store.url)} == {1, 2}


def test_another_seed_begins_the_trials_anew(store: Store, tmp_path: Path) -> None:
    finish(store.url, layout(tmp_path), VALUES)
    with trials(store.url, layout(tmp_path, seed=2)):
        assert summary(store.url) == {0.8: RUNNING, 1.0: RUNNING}


@pytest.mark.parametrize("objective", [("l1", "lower"), ("average", "higher")])
def test_another_objective_begins_the_trials_anew(store: Store, tmp_path: Path, objective: tuple[str, str]) -> None:
    """The variants are the same then, and their finished trials hold values of another kind."""
    finish(store.url, layout(tmp_path), VALUES)
    other = layout(tmp_path, objective=objective)
    assert other.fingerprints == layout(tmp_path).fingerprints
    with trials(store.url, other):
        assert summary(store.url) == {0.8: RUNNING, 1.0: RUNNING}


def test_results_of_other_code_begin_the_trials_anew(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(store.url, layout(tmp_path), VALUES)
    before = layout(tmp_path).fingerprints
    monkeypatch.setitem(KINDS, "generate", dataclasses.replace(KINDS["generate"], code=KINDS["generate"].code + 1))
    assert layout(tmp_path).fingerprints == before
    with trials(store.url, layout(tmp_path)):
        assert summary(store.url) == {0.8: RUNNING, 1.0: RUNNING}


def test_a_replicate_that_comes_late_is_counted(store: Store, tmp_path: Path) -> None:
    """A run failed, its variant was complete without it, and a later run got it done."""
    finish(store.url, layout(tmp_path), {**VALUES, "tau=0.8": {0: 0.5}})
    assert summary(store.url) == COMPLETE | {0.8: ("COMPLETE", 0.5)}
    finish(store.url, layout(tmp_path), VALUES)
    assert summary(store.url) == COMPLETE


def test_whole_components_are_levels_too(store: Store, tmp_path: Path) -> None:
    layout(tmp_path)
    path = tmp_path / "sweep.toml"
    text = path.read_text(encoding="utf-8").replace(
        "sampler.temperature.tau = [0.8, 1.0]", 'sampler = ["none", "temperature", { temperature = { tau = 0.5 } }]'
    )
    text = text.replace("sampler.temperature.tau = 0.8", 'sampler = "temperature"')
    path.write_text(text, encoding="utf-8")
    laid_out = read(path)
    finish(store.url, laid_out, {name: {0: 1.0, 1: 2.0} for name in laid_out.fingerprints})
    found = frozen(store.url)
    assert [trial.params["sampler"] for trial in found] == ["none", "temperature", "temperature(tau=0.5)"]
    assert [trial.value for trial in found] == [1.5] * 3
    finish(store.url, laid_out, {})
    assert frozen(store.url) == found


def test_importances_can_be_computed(store: Store, tmp_path: Path) -> None:
    laid_out = layout(tmp_path, more=("model.lstm.layers = [1, 2]", "model.lstm.layers = 1"))
    names = list(laid_out.fingerprints)
    finish(store.url, laid_out, {name: {0: float(i // 2), 1: float(i // 2)} for i, name in enumerate(names)})
    storage = optuna.storages.RDBStorage(store.url)
    study = optuna.load_study(study_name="sweep", storage=storage)
    importances = optuna.importance.get_param_importances(study)
    storage.remove_session()
    storage.engine.dispose()
    assert next(iter(importances)) == "sampler.temperature.tau"


@EVERY_DATABASE
def test_optuna_and_ablate_keep_their_tables_in_one_database(database: Database, tmp_path: Path) -> None:
    url = database.url
    with Store(url) as store:
        finish(url, layout(tmp_path), VALUES)
        put(store)
    with Store(url) as store:
        assert len(store.runs("one")) == 4
    assert summary(url) == COMPLETE
    (ours,) = database.ask("SELECT version_num FROM ablate_alembic_version")
    (optunas,) = database.ask("SELECT version_num FROM alembic_version")
    assert ours != optunas


@EVERY_DATABASE
def test_deleting_trials_leaves_other_studies_and_our_tables(store: Store, database: Database, tmp_path: Path) -> None:
    put(store)
    finish(store.url, layout(tmp_path), VALUES)
    delete_trials(store.url, "none of that name")
    assert len(frozen(store.url)) == 2
    delete_trials(store.url, "sweep")
    assert database.ask("SELECT count(*) FROM trials") == [(0,)]
    assert len(store.runs("one")) == 4


@EVERY_DATABASE
def test_a_study_made_by_somebody_else_is_not_touched(store: Store, tmp_path: Path) -> None:
    storage = optuna.storages.RDBStorage(store.url)
    optuna.create_study(study_name="sweep", storage=storage).optimize(lambda trial: 1.0, n_trials=1)
    storage.remove_session()
    storage.engine.dispose()
    with pytest.raises(StoreError) as caught:
        open_trials(store.url, layout(tmp_path))
    assert str(caught.value) == (
        f"{shown(store.url)} holds an Optuna study 'sweep' that ablate did not make; "
        "rename the study file, or choose another --store"
    )
    assert [trial.value for trial in frozen(store.url)] == [1.0]


@EVERY_DATABASE
@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        ("v3.0.0.a", "an older optuna; run: optuna storage upgrade --storage {url}"),
        ("v99.0.0", "a newer optuna; upgrade optuna"),
    ],
)
def test_optuna_tables_of_another_version_are_refused(
    store: Store, database: Database, tmp_path: Path, revision: str, expected: str
) -> None:
    finish(store.url, layout(tmp_path), VALUES)
    database.ask("UPDATE alembic_version SET version_num = :revision", revision=revision)
    url = shown(store.url)
    for attempt in (lambda: open_trials(store.url, layout(tmp_path)), lambda: delete_trials(store.url, "sweep")):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert str(caught.value) == f"the Optuna tables in {url} are of " + expected.format(url=url)


@EVERY_DATABASE
def test_trouble_with_the_database_is_one_line(store: Store, database: Database, tmp_path: Path) -> None:
    with trials(store.url, layout(tmp_path)) as opened_trials:
        database.ask("DROP TABLE trial_intermediate_values")
        with pytest.raises(StoreError) as caught:
            opened_trials.report("tau=0.8", each({0: 1.0}), complete=False)
    message = str(caught.value)
    lacking = {
        "sqlite": "no such table: trial_intermediate_values",
        "postgresql": 'relation "trial_intermediate_values" does not exist',
    }
    what = lacking["sqlite" if isinstance(database, InFile) else "postgresql"]
    assert message.startswith(f"{shown(store.url)}: {what}; its tables are not")


@EVERY_DATABASE
def test_somebody_may_look_while_trials_are_reported(store: Store, tmp_path: Path) -> None:
    stop, looks = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            looks.append(len(frozen(store.url)))

    with trials(store.url, layout(tmp_path)) as opened_trials:
        viewer = threading.Thread(target=look)
        viewer.start()
        with contextlib.ExitStack() as stack:
            stack.callback(viewer.join)
            stack.callback(stop.set)
            for replicate in range(15):
                opened_trials.report("tau=0.8", each({replicate: 1.0}), complete=False)
    assert set(looks) == {2}
    assert len(frozen(store.url)[0].intermediate_values) == 15
