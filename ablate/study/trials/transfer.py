"""The trials of a study as JSON-ready data, and back: how they leave a database for another one.

Trials could be made again from the store, except those of a search that repeat the levels of another one.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState

from ablate.study.trials.storage import close_storage, open_storage, reading_storage, storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def _storage(url: str) -> Iterator[optuna.storages.RDBStorage]:
    storage = open_storage(url)
    try:
        with storage_errors(url):
            yield storage
    finally:
        close_storage(storage)


def trials_to_plain(url: str, study: str) -> dict[str, Any] | None:
    """Return the trials of a study as JSON-ready data; None if it has none.

    Raises:
        StoreError: the Optuna tables in the database are of another version.
    """
    with reading_storage(url) as storage:
        if storage is None or study not in optuna.get_all_study_names(storage):
            return None
        loaded = optuna.load_study(study_name=study, storage=storage)
        return {
            "directions": [direction.name for direction in loaded.directions],
            "metric_names": loaded.metric_names,
            "user_attrs": loaded.user_attrs,
            "trials": [_to_plain(trial) for trial in loaded.get_trials(deepcopy=False)],
        }


def _to_plain(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "state": trial.state.name,
        "values": trial.values,
        "params": trial.params,
        "distributions": {name: json.loads(distribution_to_json(d)) for name, d in trial.distributions.items()},
        "user_attrs": trial.user_attrs,
        "system_attrs": trial.system_attrs,
        "intermediate_values": {str(step): value for step, value in trial.intermediate_values.items()},
        "start": trial.datetime_start and trial.datetime_start.isoformat(),
        "complete": trial.datetime_complete and trial.datetime_complete.isoformat(),
    }


def put_trials(url: str, study: str, data: Any) -> None:
    """Replace the trials of a study by those that :func:`trials_to_plain` made ``data`` from.

    Raises:
        ValueError: the data are not trials.
        StoreError: the Optuna tables in the database are of another version, or cannot be written.
    """
    try:
        trials = [_from_plain(trial, number) for number, trial in enumerate(data["trials"])]
        directions = [optuna.study.StudyDirection[name] for name in data["directions"]]
        names, attributes = data["metric_names"], dict(data["user_attrs"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"the trials are damaged ({error!r})") from error
    with _storage(url) as storage:
        if study in optuna.get_all_study_names(storage):
            optuna.delete_study(study_name=study, storage=storage)
        made = optuna.create_study(storage=storage, study_name=study, directions=directions)
        for key, value in attributes.items():
            made.set_user_attr(key, value)
        if names:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                made.set_metric_names(list(names))
        made.add_trials(trials)


def _from_plain(trial: Any, number: int) -> FrozenTrial:
    return FrozenTrial(
        number=number,
        trial_id=-1,  # the storage gives it its own
        state=TrialState[trial["state"]],
        value=None,
        values=trial["values"],
        datetime_start=_time(trial["start"]),
        datetime_complete=_time(trial["complete"]),
        params=dict(trial["params"]),
        distributions={name: json_to_distribution(json.dumps(d)) for name, d in trial["distributions"].items()},
        user_attrs=dict(trial["user_attrs"]),
        system_attrs=dict(trial["system_attrs"]),
        intermediate_values={int(step): value for step, value in trial["intermediate_values"].items()},
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
