"""The trials of real Optuna studies, in databases that stay as they are."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from ablate.errors import AblateError
from ablate.study.judge.judge import Request, judged_study
from ablate.study.judge.sources import databases
from ablate.study.judge.sources.optuna_trials import optuna_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = {64: 1.0, 128: 0.8}
DISTRIBUTIONS = {
    "hidden": optuna.distributions.CategoricalDistribution(list(SIZES)),
    "seed": optuna.distributions.IntDistribution(0, 9),
    "batch": optuna.distributions.IntDistribution(32, 32),
}


def fill(storage: optuna.storages.BaseStorage, name: str = "sizes") -> None:
    study = optuna.create_study(storage=storage, study_name=name, direction="minimize")
    for hidden, loss in SIZES.items():
        for seed in range(3):
            study.add_trial(
                create_trial(
                    params={"hidden": hidden, "seed": seed, "batch": 32},
                    distributions=DISTRIBUTIONS,
                    value=loss + seed / 10,
                    user_attrs={"accuracy": 1 - loss / 2 + seed / 100, "host": "here"},
                )
            )
    for state in (TrialState.FAIL, TrialState.PRUNED, TrialState.PRUNED, TrialState.RUNNING):
        study.add_trial(create_trial(state=state))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "mine.db"
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    fill(storage)
    yield path
    storage.remove_session()
    storage.engine.dispose()


def content(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_parameters_are_axes_and_the_database_stays_as_it_is(database: Path) -> None:
    before = content(database.parent)
    study = judged_study(optuna_source(f"sqlite:///{database}", "sizes"), Request())
    assert content(database.parent) == before
    assert study.runs.paired
    assert {(run.variant, run.label): run.values["value"] for run in study.runs.runs} == {
        (f"hidden={hidden}", str(seed)): (loss + seed / 10,) for hidden, loss in SIZES.items() for seed in range(3)
    }
    assert study.metrics == {"value": "lower"}
    assert study.notes[:6] == (
        "left out, failed trials: 1",
        "left out, pruned trials: 2",
        "left out, running trials: 1",
        "no axes, because they have one value: batch",
        "1 column not used (not named by --metric): accuracy",
        "1 column not used (text): host",
    )


def test_an_attribute_can_be_judged(database: Path) -> None:
    from ablate.study.judge.columns import Wanted

    request = Request(wanted=Wanted(metrics=("accuracy",)), directions=[("accuracy", "higher")])
    assert judged_study(optuna_source(str(database), "sizes"), request).metrics == {"accuracy": "higher"}


def test_recent_changes_in_a_journal_are_read(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE trial_values SET value = 5 WHERE value = 1")
        connection.commit()
        assert database.with_name("mine.db-wal").stat().st_size
        before = database.read_bytes()
        study = judged_study(optuna_source(str(database), "sizes"), Request())
        assert database.read_bytes() == before
    values = [run.values["value"][0] for run in study.runs.runs]
    assert 5.0 in values
    assert 1.0 not in values


def test_a_database_that_somebody_is_writing_to_is_not_read(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a change would be read."""
    monkeypatch.setattr(databases, "_PATIENCE", 0.1)
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("DELETE FROM trials")
        with pytest.raises(AblateError, match="cannot be read as an SQLite database: database is locked"):
            optuna_source(str(database), "sizes")
        writer.execute("ROLLBACK")
    assert len(optuna_source(str(database), "sizes").table.rows) == 6


def test_a_journal_file_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    fill(optuna.storages.JournalStorage(JournalFileBackend(str(path))))
    before = content(tmp_path)
    assert len(judged_study(optuna_source(str(path), "sizes"), Request()).runs.runs) == 6
    assert content(tmp_path) == before


def test_several_objectives_keep_their_directions(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'two.db'}"
    study = optuna.create_study(storage=storage, study_name="two", directions=["minimize", "maximize"])
    for seed in range(4):
        for hidden in SIZES:
            params = {"hidden": hidden, "seed": seed, "batch": 32}
            study.add_trial(create_trial(params=params, distributions=DISTRIBUTIONS, values=[seed, hidden]))
    assert judged_study(optuna_source(storage, "two"), Request()).metrics == {"value 0": "lower", "value 1": "higher"}


def test_what_cannot_be_read_is_one_line(database: Path, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database")
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE other (id)").connection.close()
    for storage, name, message in (
        (f"sqlite:///{database}", "size", "unknown Optuna study 'size' in sqlite:"),
        (f"sqlite:///{database}", "size", "did you mean 'sizes'?"),
        (f"sqlite:///{tmp_path}/no.db", "sizes", "there is no file"),
        ("postgresql://host/db", "sizes", "only SQLite files can be read (sqlite:///FILE); save other studies with"),
        (str(tmp_path / "text.db"), "sizes", "is neither an SQLite database nor a journal of Optuna"),
        (str(tmp_path / "broken.db"), "sizes", "cannot be read as an SQLite database"),
        (str(tmp_path / "empty.db"), "sizes", "unknown Optuna study 'sizes'"),
    ):
        with pytest.raises(AblateError) as caught:
            optuna_source(storage, name)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
