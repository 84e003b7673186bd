"""The runs of an MLflow experiment, read from its folder or its SQLite database without MLflow.

MLflow itself writes to what it opens (a folder for deleted runs, a default experiment, new tables). Both formats are
plain: a folder has a file for each parameter and metric, and a database has a table of each.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import TableError, UnknownName
from ablate.study.judge.columns import Wanted
from ablate.study.judge.judge import Source
from ablate.study.judge.reading import Table
from ablate.study.judge.sources.databases import database_file, opened
from ablate.study.judge.sources.parameters import NOT_SET, roles_of
from ablate.study.judge.text import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The states of runs: in a database by name, in a folder by number.
_STATES = {"1": "running", "2": "scheduled", "3": "finished", "4": "failed", "5": "killed"}
#: Metrics about the machine.
_SYSTEM = "system/"
_RUNS = "SELECT run_uuid, status, lifecycle_stage FROM runs WHERE experiment_id = ? ORDER BY start_time, run_uuid"
_PARAMETERS = "SELECT run_uuid, key, value FROM params JOIN runs USING (run_uuid) WHERE experiment_id = ?"
_METRICS = "SELECT run_uuid, key, value, is_nan FROM latest_metrics JOIN runs USING (run_uuid) WHERE experiment_id = ?"
_ELSEWHERE = "for a server, save mlflow.search_runs() with to_csv, and judge that table"


@dataclasses.dataclass(frozen=True)
class TrackedRun:
    """A run of an experiment.

    Attributes:
        state: in lower case; ``deleted`` for a run that was deleted.
        parameters: as text.
        metrics: the last value of each.
    """

    state: str
    parameters: dict[str, str]
    metrics: dict[str, float]


def mlflow_source(store: str, name: str) -> Source:
    """Return the finished runs of an experiment, one row each; parameters are axes, the last values are metrics.

    Args:
        store: a folder (``mlruns``, or one that contains it), ``sqlite:///mlflow.db``, or the path of that file.
        name: of the experiment.

    Raises:
        TableError: the store cannot be read, or the experiment has no finished run.
        UnknownName: there is no such experiment, with a suggestion.
    """
    path = Path(store.removeprefix("file://").removeprefix("file:"))
    if path.is_dir():
        path = path / "mlruns" if (path / "mlruns").is_dir() else path
        runs = list(_runs_of_folder(path, store, name))
    else:
        path = database_file(store, _ELSEWHERE)
        runs = _runs_of_database(path, store, name)
    finished = [run for run in runs if run.state == "finished"]
    if not finished:
        raise TableError(store, f"experiment '{name}' has no finished run ({len(runs)} in all)")
    table, parameters, metrics = _table(finished, f"MLflow experiment '{name}'")
    roles = roles_of(table, parameters)
    if not roles.axes:
        raise TableError(store, f"the runs of experiment '{name}' have no parameters, so there are no variants")
    if not metrics:
        raise TableError(store, f"the runs of experiment '{name}' have no metrics; there is nothing to judge")
    wanted = Wanted(variants=roles.axes, replicate=roles.replicate, metrics=metrics, ignored=roles.others)
    noted = table.noted([*_left_out(runs), *roles.notes])
    return Source("mlflow", noted, f"{path.resolve()} {name}", name, wanted)


def _table(runs: Sequence[TrackedRun], source: str) -> tuple[Table, list[str], tuple[str, ...]]:
    """Return the table of runs, the names of its parameters, and those of its metrics."""
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics if not name.startswith(_SYSTEM)))
    parameters = list(dict.fromkeys(name for run in runs for name in run.parameters))
    columns = {name: f"params.{name}" if name in metrics else name for name in parameters}
    rows = [
        Row(
            number,
            {
                **{column: run.parameters.get(name, NOT_SET) for name, column in columns.items()},
                **{name: run.metrics.get(name) for name in metrics},
            },
        )
        for number, run in enumerate(runs, 1)
    ]
    digest = hashlib.sha256(json.dumps([row.cells for row in rows]).encode()).hexdigest()
    table = Table(source, (*columns.values(), *metrics), tuple(rows), digest, row="run")
    return table, list(columns.values()), tuple(metrics)


def _left_out(runs: Sequence[TrackedRun]) -> Iterator[str]:
    for state, count in collections.Counter(run.state for run in runs).items():
        if state != "finished":
            yield f"left out, {state} runs: {count}"


# A database


def _runs_of_database(path: Path, store: str, name: str) -> list[TrackedRun]:
    with opened(path, store) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"experiments", "runs", "params", "latest_metrics"} <= tables:
            raise TableError(store, "is no MLflow database: it has no runs, parameters and metrics")
        experiments = dict(database.execute("SELECT name, experiment_id FROM experiments"))
        if name not in experiments:
            raise UnknownName("MLflow experiment", name, experiments, where=f"in {store}")
        known = (experiments[name],)
        parameters: dict[str, dict[str, str]] = collections.defaultdict(dict)
        for run, key, value in database.execute(_PARAMETERS, known):
            parameters[run][key] = value
        metrics: dict[str, dict[str, float]] = collections.defaultdict(dict)
        for run, key, value, is_nan in database.execute(_METRICS, known):
            infinite = abs(value) == sys.float_info.max  # MLflow stores infinity so
            metrics[run][key] = math.nan if is_nan else math.copysign(math.inf, value) if infinite else value
        return [
            TrackedRun(_state(status, stage), _sorted(parameters[run]), _sorted(metrics[run]))
            for run, status, stage in database.execute(_RUNS, known)
        ]


def _sorted(values: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(values.items()))


def _state(status: object, stage: object) -> str:
    return "deleted" if stage == "deleted" else _STATES.get(str(status), str(status)).lower()


# A folder


def _runs_of_folder(folder: Path, store: str, name: str) -> Iterator[TrackedRun]:
    experiments = {
        str(facts["name"]): file.parent for file in sorted(folder.glob("*/meta.yaml")) if (facts := _facts(file, store))
    }
    if not experiments:
        raise TableError(store, "is no MLflow folder: no folder in it has a meta.yaml")
    if name not in experiments:
        raise UnknownName("MLflow experiment", name, experiments, where=f"in {store}")
    runs = [(_facts(file, store), file.parent) for file in experiments[name].glob("*/meta.yaml")]
    for facts, run in sorted(runs, key=lambda each: (each[0].get("start_time") or 0, each[1].name)):
        parameters = {key: file.read_text(encoding="utf-8") for key, file in _files(run / "params")}
        metrics = {key: _last(file, store) for key, file in _files(run / "metrics")}
        yield TrackedRun(_state(facts.get("status"), facts.get("lifecycle_stage")), parameters, metrics)


def _facts(file: Path, store: str) -> dict[str, Any]:
    import yaml

    try:
        facts = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        facts = None
    if not isinstance(facts, dict):
        raise TableError(store, f"{file} is damaged or cannot be read")
    return facts


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return each parameter or metric with its file; a name with slashes is a path."""
    return sorted((file.relative_to(folder).as_posix(), file) for file in folder.rglob("*") if file.is_file())


def _last(file: Path, store: str) -> float:
    """Return the last value of a metric: each line has a time, a value and a step."""
    try:
        lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        values = [(int(rest[0]) if rest else 0, int(time), float(value)) for time, value, *rest in lines]
    except (OSError, ValueError):
        raise TableError(store, f"{file} is damaged or cannot be read") from None
    step = max((step for step, *_ in values), default=0)
    latest = [(time, value) for each, time, value in values if each == step]
    return max(latest, key=lambda pair: pair[0])[1] if latest else math.nan
