"""Write runs to a tracking store of MLflow."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ablate
from ablate_observers.common import flat, key, library, results, shown, title

if TYPE_CHECKING:
    from ablate_observers.common import Key
    from ablate_observers.options import MlflowOptions

_STATUS = {"done": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
#: MLflow takes this many parameters in one call, and texts of at most this length.
_PARAMETERS, _LONGEST = 100, 500


class MlflowWriter:
    """Writes each run as a run of MLflow, in an experiment with the study's name.

    Tags identify a run. One that was interrupted is continued, and one that is complete is not written twice.

    Args:
        options: store and experiment.
        folder: that of the observer in the home.

    Raises:
        AblateError: mlflow is not installed.
    """

    def __init__(self, options: MlflowOptions, folder: Path) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read at the import
        tracking = library("mlflow.tracking", "mlflow")
        self._entities = library("mlflow.entities", "mlflow")
        for name in ("mlflow", "alembic"):  # "Creating initial MLflow database tables", between lines of progress
            logging.getLogger(name).setLevel(logging.WARNING)
        self._uri, self._files = _store(options.store, folder), folder / "artifacts"
        self._client = tracking.MlflowClient(tracking_uri=self._uri)
        self._experiment_name, self._experiment = options.experiment, ""
        self._runs: dict[Key, str] = {}
        self._validated: dict[Key, tuple[int, float]] = {}

    @ablate.hookimpl
    def ablate_run_started(self, event: ablate.RunStarted) -> None:
        """Create a run with its configuration, or continue the one that was interrupted."""
        self._experiment = self._experiment or self._find_experiment(event.study)
        known = self._known(event)
        if any(run.info.status == "FINISHED" for run in known) and event.reused:
            return
        unfinished = [run for run in known if run.info.status != "FINISHED"]
        if unfinished:
            self._runs[key(event)] = unfinished[0].info.run_id
            self._client.update_run(unfinished[0].info.run_id, status="RUNNING")
            return
        run = self._client.create_run(self._experiment, run_name=title(event), tags=_tags(event))
        self._runs[key(event)] = run.info.run_id
        parameters = [self._entities.Param(_name(n), str(v)[:_LONGEST]) for n, v in flat(event.config).items()]
        for first in range(0, len(parameters), _PARAMETERS):
            self._client.log_batch(run.info.run_id, params=parameters[first : first + _PARAMETERS])

    @ablate.hookimpl
    def ablate_step_logged(self, event: ablate.StepLogged) -> None:
        """Write the loss of a step, and a validation that is new."""
        metrics = [self._metric("loss", event.loss, event.step)]
        if event.validation and self._validated.get(key(event)) != event.validation:
            self._validated[key(event)] = event.validation
            step, loss = event.validation
            metrics.append(self._metric("validation_loss", loss, step))
        self._client.log_batch(self._runs[key(event)], metrics=metrics)

    @ablate.hookimpl
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        """Write the results of a run and its state."""
        run = self._runs.pop(key(event), None)
        if run is None:
            return
        step = int(event.training.get("steps", 0))
        metrics = [self._metric(name, value, step) for name, value in results(event).items()]
        if event.state == "done":
            self._client.log_batch(run, metrics=metrics)
        elif event.error:
            self._client.set_tag(run, "ablate.error", event.error)
        self._client.set_terminated(run, _STATUS[event.state])

    @ablate.hookimpl
    def ablate_study_finished(self, event: ablate.StudyFinished) -> str:
        """Write the verdicts as the description of the experiment."""
        self._experiment = self._experiment or self._find_experiment(event.study)
        if event.verdicts:
            text = "\n".join(f"- {sentence}" for sentence in event.verdicts)
            self._client.set_experiment_tag(self._experiment, "mlflow.note.content", text)
        store = self._uri.removeprefix("sqlite:///")
        uri = f"sqlite:///{shown(Path(store))}" if store != self._uri else self._uri
        return f"to see {event.study}: mlflow ui --backend-store-uri {uri}"

    def _find_experiment(self, study: str) -> str:
        """Return the identifier of the experiment, which is created if it does not exist."""
        name = self._experiment_name or study
        known = self._client.get_experiment_by_name(name)
        if known:
            return str(known.experiment_id)
        # of a store of our own, files would go into the working folder
        files = self._files.as_uri() if self._uri.startswith("sqlite:") else None
        return str(self._client.create_experiment(name, artifact_location=files))

    def _known(self, event: ablate.RunStarted) -> list[Any]:
        """Return the runs of MLflow that are this run, by their tags."""
        query = f"tags.`ablate.fingerprint` = '{event.fingerprint}'"
        runs = self._client.search_runs([self._experiment], query)
        return [run for run in runs if _tags(event).items() <= run.data.tags.items()]

    def _metric(self, name: str, value: float, step: int) -> Any:
        return self._entities.Metric(_name(name), value, int(time.time() * 1000), step)


def _tags(event: ablate.RunStarted) -> dict[str, str]:
    return {
        "ablate.study": event.study,
        "ablate.variant": event.variant,
        "ablate.replicate": str(event.replicate),
        "ablate.baseline": json.dumps(event.baseline),
        "ablate.levels": json.dumps(event.levels),
        "ablate.fingerprint": event.fingerprint,
    }


def _name(text: str) -> str:
    """Return a name with only the characters that MLflow allows."""
    return re.sub(r"[^\w\-. /]", "_", text)


def _store(target: str, folder: Path) -> str:
    """Return the URI of a store: of a file or folder, an SQLite database."""
    if ":/" in target or target == "databricks":
        return target
    path = Path(target).resolve() if target else folder
    path = path if path.suffix == ".db" else path / "mlflow.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{path}"
