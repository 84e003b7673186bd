"""The trials of an Optuna study."""

from __future__ import annotations

import collections
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import TableError, UnknownName, one_line
from ablate.study.judge.columns import Wanted
from ablate.study.judge.judge import Source
from ablate.study.judge.reading import Table
from ablate.study.judge.sources.databases import MAGIC, copy_database, database_file
from ablate.study.judge.sources.parameters import NOT_SET, roles_of
from ablate.study.judge.text import Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import optuna

_ELSEWHERE = "save other studies with study.trials_dataframe().to_csv('trials.csv'), and judge that table"


def optuna_source(storage: str, name: str) -> Source:
    """Return the complete trials of a study, one row each; parameters are axes, objectives are metrics.

    The database is copied and its copy is opened, because Optuna changes what it opens.

    Args:
        storage: ``sqlite:///mine.db``, or the path of an SQLite file or of a journal file.
        name: of the study.

    Raises:
        TableError: the database cannot be read, or the study has no complete trial.
        UnknownName: there is no such study, with a suggestion.
    """
    path = database_file(storage, _ELSEWHERE)
    with tempfile.TemporaryDirectory() as folder:
        directions, trials = _read(path, Path(folder), storage, name)
    metrics = tuple(directions)
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    if not complete:
        raise TableError(storage, f"study '{name}' has no complete trial ({len(trials)} in all)")
    parameters = list(dict.fromkeys(parameter for trial in complete for parameter in trial.params))
    columns = {parameter: f"params.{parameter}" if parameter in metrics else parameter for parameter in parameters}
    rows = [Row(trial.number, _cells(trial, metrics, columns)) for trial in complete]
    names = tuple(dict.fromkeys(column for row in rows for column in row.cells))
    rows = [Row(row.line, {column: row.cells.get(column) for column in names}) for row in rows]
    digest = hashlib.sha256(json.dumps([row.cells for row in rows], default=str).encode()).hexdigest()
    source = f"Optuna study '{name}'"
    table = Table(source, names, tuple(rows), digest, tuple(_left_out(trials)), "trial")
    roles = roles_of(table, list(columns.values()))
    if not roles.axes:
        raise TableError(storage, f"the trials of study '{name}' have no parameters, so there are no variants")
    replicate = roles.replicate or _seed_attribute(names, columns)
    wanted = Wanted(variants=roles.axes, replicate=replicate, metrics=metrics, ignored=roles.others)
    identity = f"{path.resolve()} {name}"
    return Source("optuna", table.noted(roles.notes), identity, name, wanted, directions)


def _read(
    path: Path, folder: Path, storage: str, name: str
) -> tuple[dict[str, str], Sequence[optuna.trial.FrozenTrial]]:
    """Return the better direction of each objective by its name, and the trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    opened = _open(path, folder / "copy", storage)
    try:
        names = optuna.get_all_study_names(opened)
        if name not in names:
            raise UnknownName("Optuna study", name, names, where=f"in {storage}")
        study = optuna.load_study(study_name=name, storage=opened)
        return _directions(study), study.get_trials(deepcopy=False)
    except (optuna.exceptions.OptunaError, KeyError, ValueError) as error:
        raise TableError(storage, f"Optuna cannot read it: {one_line(error)}") from None
    finally:
        if isinstance(opened, optuna.storages.RDBStorage):
            opened.remove_session()
            opened.engine.dispose()


def _open(path: Path, copy: Path, storage: str) -> optuna.storages.BaseStorage:
    """Return the storage of a copy, brought up to the version of Optuna that is installed."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    with path.open("rb") as file:
        start = file.read(len(MAGIC))
        line = start + file.readline()
    if start != MAGIC:
        if b'"op_code"' not in line:
            raise TableError(storage, "is neither an SQLite database nor a journal of Optuna")
        shutil.copyfile(path, copy)
        try:
            return optuna.storages.JournalStorage(JournalFileBackend(str(copy)))
        except (ValueError, KeyError) as error:
            raise TableError(storage, f"is no readable journal of Optuna: {one_line(error)}") from None
    copy_database(path, copy, storage)
    opened = optuna.storages.RDBStorage(f"sqlite:///{copy}", skip_compatibility_check=True)
    if opened.get_current_version() != opened.get_head_version():
        if opened.get_current_version() not in opened.get_all_versions():
            raise TableError(storage, "was written by a newer optuna; upgrade optuna")
        opened.upgrade()
    return opened


def _directions(study: optuna.Study) -> dict[str, str]:
    count = len(study.directions)
    names = study.metric_names or (["value"] if count == 1 else [f"value {i}" for i in range(count)])
    words = {"MINIMIZE": "lower", "MAXIMIZE": "higher"}
    return {name: words.get(way.name, "none") for name, way in zip(names, study.directions, strict=True)}


def _cells(trial: optuna.trial.FrozenTrial, metrics: Sequence[str], columns: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters, the objectives, and the attributes that are numbers or texts, of a trial."""
    own = {column: trial.params.get(parameter, NOT_SET) for parameter, column in columns.items()}
    values = dict(zip(metrics, trial.values or (), strict=True))
    kept = {key: value for key, value in trial.user_attrs.items() if isinstance(value, int | float | str)}
    return {**{key: value for key, value in kept.items() if key not in own}, **own, **values}


def _seed_attribute(names: Sequence[str], columns: Mapping[str, str]) -> str:
    """Return the attribute that users set to a trial's seed."""
    return next((name for name in ("seed", "replicate") if name in names and name not in columns.values()), "")


def _left_out(trials: Sequence[optuna.trial.FrozenTrial]) -> list[str]:
    counts = collections.Counter(trial.state.name.lower() for trial in trials)
    words = {"fail": "failed", "pruned": "pruned", "running": "running", "waiting": "waiting"}
    return [f"left out, {word} trials: {counts[state]}" for state, word in words.items() if counts[state]]
