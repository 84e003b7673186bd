"""The observers for TensorBoard, MLflow and Weights & Biases: the real libraries read back what was written."""

from __future__ import annotations

import importlib
import json
import logging
import math
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import AblateError
from ablate.testing import ObserverContract
from ablate.testing.observer import study_events
from ablate_observers import ablate_observers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SPECS = {spec.name: spec for spec in ablate_observers()}
NAMES = ("tau=1.0", "tau=0.8, augmenter=none", "both / [odd] ünits")
RUNS = {(NAMES[0], 0): "done", (NAMES[0], 1): "done", (NAMES[1], 0): "done"}
RUNS |= {(NAMES[2], 0): "failed", (NAMES[2], 1): "interrupted"}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no connection leave this machine, and restore what the libraries set for the process."""
    connect = socket.socket.connect

    def local(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a connection to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local)
    for name in ("MLFLOW_DISABLE_TELEMETRY", "WANDB_ERROR_REPORTING", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    levels = {name: logging.getLogger(name).level for name in ("mlflow", "alembic")}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def deliver(name: str, home: Path, **options: str) -> list[Any]:
    """Deliver a study's events to an observer, then those of a second command that reuses its runs."""
    tests: Any = type("TestMine", (ObserverContract,), {"spec": SPECS[name]})()
    events = list(study_events())
    tests.deliver(events, options, home)
    reused = [(hook, event) for hook, event in events if getattr(event, "reused", False)]
    assert len(reused) == 2
    tests.deliver([*reused, events[-1]], options, home)
    return [event for _, event in events]


def test_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    deliver("tensorboard", tmp_path / "mine")
    runs: dict[tuple[str, str], Any] = {}
    for path in (tmp_path / "mine").rglob("events.out.*"):
        read = EventAccumulator(str(path))
        read.Reload()
        runs[path.parent.parent.name, path.parent.name.rpartition("-")[0]] = read
    assert len(runs) == 6  # five runs, each written once, and the verdicts
    assert {(NAMES[0], "replicate-1"), (NAMES[1], "replicate-0"), ("both _ _odd_ ünits", "replicate-1")} < runs.keys()
    read = runs[NAMES[0], "replicate-0"]
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(25, 3.0), (50, 3.0)]
    assert [(event.step, event.value) for event in read.Scalars("validation_loss")] == [(30, 2.5)]
    assert read.Scalars("distance.pitch/average")[0].value == 0.25
    assert math.isnan(read.Scalars("likelihood")[0].value)
    (text,) = read.Tensors("configuration/text_summary")
    assert "| sampler.temperature.tau | 1.0 |" in text.tensor_proto.string_val[0].decode()
    hyperparameters = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"sampler.temperature.tau" in hyperparameters
    (failed,) = (run for (variant, name), run in runs.items() if variant.startswith("both") and name == "replicate-0")
    assert b"TrainingDiverged" in failed.Tensors("error/text_summary")[0].tensor_proto.string_val[0]
    verdicts = next(read for read in runs.values() if "verdicts/text_summary" in read.Tags()["tensors"])
    assert b"Cannot tell tau=0.8" in verdicts.Tensors("verdicts/text_summary")[0].tensor_proto.string_val[0]


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:mlflow"
)  # its queries use a loader that SQLAlchemy 2.1 warns of
def test_mlflow(tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    deliver("mlflow", tmp_path / "unused", store=str(tmp_path / "mine.db"), experiment="ours")
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mine.db'}")
    experiment = client.get_experiment_by_name("ours")
    assert experiment is not None
    assert "Cannot tell tau=0.8 from tau=1.0." in experiment.tags["mlflow.note.content"]
    runs = {
        (run.data.tags["ablate.variant"], int(run.data.tags["ablate.replicate"])): run
        for run in client.search_runs([experiment.experiment_id])
    }
    status = {"done": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
    assert {key: run.info.status for key, run in runs.items()} == {key: status[state] for key, state in RUNS.items()}
    assert len(client.search_runs([experiment.experiment_id])) == 5
    run = runs[NAMES[0], 0]
    assert run.info.run_name == "tau=1.0, replicate 0"
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")] == [(25, 3.0), (50, 3.0)]
    assert [m.step for m in client.get_metric_history(run.info.run_id, "validation_loss")] == [30]
    assert run.data.metrics["distance.pitch/average"] == 0.25
    assert (run.data.params["model.lstm.hidden"], run.data.params["sampler.temperature.tau"]) == ("48", "1.0")
    assert json.loads(run.data.tags["ablate.levels"]) == {"sampler.temperature.tau": 0.8, "augmenter": []}
    assert runs[NAMES[2], 0].data.tags["ablate.error"].startswith("TrainingDiverged: ")
    # the command that continues a study continues its interrupted run
    tests: Any = type("TestMine", (ObserverContract,), {"spec": SPECS["mlflow"]})()
    events = [(hook, event) for hook, event in study_events() if getattr(event, "variant", "") == NAMES[2]]
    options = {"store": str(tmp_path / "mine.db"), "experiment": "ours"}
    tests.deliver([(hook, event) for hook, event in events if event.replicate == 1], options, tmp_path / "unused")
    assert len(client.search_runs([experiment.experiment_id])) == 5


def logged(data: bytes) -> Iterator[bytes]:
    """Yield the records of a file of W&B: a log of LevelDB after seven bytes, in blocks of 32 KiB."""
    place, record = 7, b""
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768  # no header fits there
        length, kind = struct.unpack_from("<HB", data, place + 4)
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # the whole record, or its last part
            yield record
            record = b""


def values(items: Iterable[Any]) -> dict[str, Any]:
    """Return the values of items in a file of W&B by name."""
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_wandb_offline(tmp_path: Path) -> None:
    from wandb.proto.wandb_internal_pb2 import Record

    deliver("wandb", tmp_path / "unused", folder=str(tmp_path / "mine"), project="ours")
    written: dict[str, list[Any]] = {}
    for path in (tmp_path / "mine/wandb").glob("offline-run-*/*.wandb"):
        records = [Record.FromString(data) for data in logged(path.read_bytes())]
        (run,) = (record.run for record in records if record.HasField("run"))
        assert run.project == "ours"
        assert run.display_name not in written, "a run that is reused was written twice"
        written[run.display_name] = records
    titles = {f"{variant}, replicate {replicate}" for variant, replicate in RUNS}
    assert written.keys() == {*titles, "verdicts"}
    records = written["tau=1.0, replicate 0"]
    history = [values(record.history.item) for record in records if record.HasField("history")]
    assert [(row["_step"], row["loss"]) for row in history] == [(25, 3.0), (50, 3.0)]
    assert (history[1]["validation_loss"], history[1]["validation_step"]) == (2.5, 30)
    summary = values(item for record in records if record.HasField("summary") for item in record.summary.update)
    assert (summary["distance.pitch/average"], summary["state"]) == (0.25, "done")
    (run,) = (record.run for record in records if record.HasField("run"))
    config = values(run.config.update)
    assert (config["model.lstm.hidden"], run.run_group) == (48, "tau=1.0")
    codes = {name: r.exit.exit_code for name, each in written.items() for r in each if r.HasField("exit")}
    assert codes == {f"{v}, replicate {r}": int(state != "done") for (v, r), state in RUNS.items()} | {"verdicts": 0}


@pytest.mark.parametrize("name", SPECS)
def test_a_library_that_is_missing_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(module: str, package: str | None = None) -> Any:
        if module.partition(".")[0] == name:
            raise ModuleNotFoundError(f"No module named '{name}'")
        return real(module, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(AblateError) as refused:
        SPECS[name].build(SPECS[name].parse({}), tmp_path)
    assert str(refused.value) == (
        f"--observe {name} needs {name}: pip install 'ablate-music[{name}]' (No module named '{name}')"
    )
