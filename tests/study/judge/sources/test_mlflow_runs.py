"""The runs of real MLflow experiments, in stores that stay as they are."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

from ablate.errors import AblateError
from ablate.study.judge.judge import Request, judged_study
from ablate.study.judge.sources.mlflow_runs import mlflow_source

if TYPE_CHECKING:
    from pathlib import Path

MODELS = {"lstm": 0.5, "gru": 0.7}


def fill(uri: str) -> None:
    """Log two models with three seeds each and their learning rates, a run that failed, and one that was deleted."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    client = MlflowClient(tracking_uri=uri)
    experiment = client.create_experiment("sizes")

    def run(parameters: dict[str, str], losses: list[float], status: str = "FINISHED") -> str:
        key: str = client.create_run(experiment).info.run_id
        metrics = [Metric("val/loss", loss, 1000 - step, step) for step, loss in enumerate(losses)]
        metrics.append(Metric("system/gpu", 1.0, 0, 0))
        client.log_batch(key, metrics, [Param(name, value) for name, value in parameters.items()])
        client.set_terminated(key, status)
        return key

    for model, loss in MODELS.items():
        for seed in range(3):
            parameters = {"model": model, "seed": str(seed), "net/rate": str(loss / 10), "epochs": "3"}
            run(parameters, [2.0, loss + seed / 10])
    run({"model": "lstm"}, [], "FAILED")
    client.delete_run(run({"model": "lstm", "seed": "9"}, [1.0]))


def content(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in folder.rglob("*")
    }


@pytest.mark.parametrize("kind", ["folder", pytest.param("database", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore")
def test_the_last_values_of_finished_runs_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    store = str(tmp_path / "mlruns") if kind == "folder" else f"sqlite:///{tmp_path}/mlflow.db"
    fill(store)
    before = content(tmp_path)
    study = judged_study(mlflow_source(store, "sizes"), Request())
    assert content(tmp_path) == before, "the store is only read"
    assert study.runs.paired
    assert {(run.variant, run.label): run.values["val/loss"] for run in study.runs.runs} == {
        (model, str(seed)): (loss + seed / 10,) for model, loss in MODELS.items() for seed in range(3)
    }
    assert sorted(study.notes[:2]) == ["left out, deleted runs: 1", "left out, failed runs: 1"]
    assert study.notes[2:4] == (
        "no axes, because they have one value: epochs",
        "no axes, because they follow from model: net/rate",
    )
    with pytest.raises(AblateError, match="did you mean 'sizes'"):
        mlflow_source(store, "size")
    if kind == "folder":
        assert len(mlflow_source(str(tmp_path), "sizes").table.rows) == 6, "the folder above mlruns"


def test_infinity_in_a_database_is_no_result(tmp_path: Path) -> None:
    """MLflow stores it as the largest number."""
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.executescript(
            "CREATE TABLE experiments (experiment_id INTEGER, name TEXT); INSERT INTO experiments VALUES (1, 'sizes');"
            "CREATE TABLE runs (run_uuid TEXT, status TEXT, lifecycle_stage TEXT, experiment_id INT, start_time INT);"
            "CREATE TABLE params (run_uuid TEXT, key TEXT, value TEXT);"
            "CREATE TABLE latest_metrics (run_uuid TEXT, key TEXT, value DOUBLE, is_nan BOOLEAN);"
        )
        for number, (model, value) in enumerate((("a", 0.5), ("a", sys.float_info.max), ("b", 0.6), ("b", 0.7))):
            database.execute("INSERT INTO runs VALUES (?, 'FINISHED', 'active', 1, ?)", (str(number), number))
            for key, text in (("model", model), ("seed", str(number % 2))):
                database.execute("INSERT INTO params VALUES (?, ?, ?)", (str(number), key, text))
            database.execute("INSERT INTO latest_metrics VALUES (?, 'loss', ?, 0)", (str(number), value))
    study = judged_study(mlflow_source(str(tmp_path / "mlflow.db"), "sizes"), Request())
    assert "left out, infinite values of loss: 1 (run 2)" in study.notes
    assert sorted(value for run in study.runs.runs for value in run.values.get("loss", ())) == [0.5, 0.6, 0.7]


def test_what_is_no_store_is_one_line(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    (damaged / "1").mkdir(parents=True)
    (damaged / "1" / "meta.yaml").write_text("[")
    (tmp_path / "empty").mkdir()
    for store, message in (
        (str(tmp_path / "no"), "there is no file"),
        (str(tmp_path / "empty"), "is no MLflow folder: no folder in it has a meta.yaml"),
        (str(damaged), "meta.yaml is damaged or cannot be read"),
        ("http://localhost:5000", "only SQLite files can be read (sqlite:///FILE); for a server, save"),
    ):
        with pytest.raises(AblateError) as caught:
            mlflow_source(store, "sizes")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
