"""The study as Optuna sees it: one trial a variant, its replicates the steps inside it, its value their mean.

Cells, their states and their results are our tables; this is a view of them for optuna-dashboard, importances and
search. So where a trial can no longer be brought up to date (Optuna changes neither a finished trial nor the levels
of a parameter), the Optuna study is made again from what the store knows. Nothing of ours is keyed on Optuna's ids,
which it reuses.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from ablate.errors import StoreError
from ablate.study.design import level_name
from ablate.study.stages import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from optuna.trial import FrozenTrial

    from ablate.study.design import Axis, Objective, Variant
    from ablate.study.plan import Layout

_VARIANT = "ablate:variant"
_FINGERPRINT = "ablate:variant_fingerprint"
_RESULTS = "ablate:results"
_OBJECTIVE = "ablate:objective"


class Trials:
    """The trials of one study.

    Args:
        url: of the database that holds our tables too.
        layout: the study.

    Raises:
        StoreError: Optuna's tables in the database are of another version, or hold a study of this name that is not
            ours, or cannot be written.
    """

    def __init__(self, url: str, layout: Layout) -> None:
        self._layout, self._spec = layout, layout.spec
        self._distributions = _distributions(self._spec.axes)
        self._storage = _open_storage(url)
        try:
            with _explained(self._storage):
                self._study = self._open()
                self._begin()
                trials = self._study.get_trials(deepcopy=False)
        except BaseException:
            self.close()
            raise
        self._ids = {trial.user_attrs[_VARIANT]: trial._trial_id for trial in trials}  # noqa: SLF001 - no other way in

    def close(self) -> None:
        """Let go of the database."""
        _close(self._storage)

    def _open(self) -> optuna.Study:
        """The study with a trial for every variant; begun anew where what is there cannot be brought up to date."""
        attributes = {variant.name: self._attributes(variant) for variant in self._spec.variants()}
        study = self._load()
        trials = study.get_trials(deepcopy=False) if study else []
        if study and (self._other_objective(study) or any(self._stale(trial, attributes) for trial in trials)):
            optuna.delete_study(study_name=self._spec.name, storage=self._storage)
            study = None
        study = study or self._create()
        known = {trial.user_attrs[_VARIANT] for trial in study.get_trials(deepcopy=False)}
        for variant in self._spec.variants():
            if variant.name not in known:
                study.enqueue_trial(_parameters(variant), attributes[variant.name])
        return study

    def _load(self) -> optuna.Study | None:
        if self._spec.name not in optuna.get_all_study_names(self._storage):
            return None
        study = optuna.load_study(study_name=self._spec.name, storage=self._storage)
        if _OBJECTIVE not in study.user_attrs and study.get_trials(deepcopy=False):
            raise StoreError(
                f"{_where(self._storage)} holds an Optuna study '{self._spec.name}' that ablate did not make; "
                "rename the study file, or choose another --store"
            )
        return study

    def _create(self) -> optuna.Study:
        study = optuna.create_study(
            storage=self._storage, study_name=self._spec.name, direction=_direction(self._spec.objective)
        )
        study.set_user_attr(_OBJECTIVE, _objective(self._spec.objective))
        return study

    def _attributes(self, variant: Variant) -> dict[str, str]:
        """What a trial says of its variant; ``_RESULTS`` stands for everything that its values come from."""
        measure = f"measure {self._spec.objective.metric}"
        cells = [cell for cell in self._layout.cells if cell.variant.name == variant.name]
        results = fingerprint([cell.stages.stages[measure].fingerprint for cell in cells])
        return {_VARIANT: variant.name, _FINGERPRINT: self._layout.variants[variant.name], _RESULTS: results}

    def _other_objective(self, study: optuna.Study) -> bool:
        objective = self._spec.objective
        return study.user_attrs.get(_OBJECTIVE) != _objective(objective) or study.direction != _direction(objective)

    def _stale(self, trial: FrozenTrial, attributes: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether a trial speaks of something else than this layout, or is final without being complete."""
        wanted = attributes.get(trial.user_attrs.get(_VARIANT, ""))
        if wanted is None or not wanted.items() <= trial.user_attrs.items():
            return True
        if trial.state != TrialState.WAITING and trial.distributions != self._distributions:
            return True
        return trial.state.is_finished() and len(trial.intermediate_values) < self._spec.replicates

    def _begin(self) -> None:
        """Take every waiting trial, so that all are shown as running; those of a killed run are running already."""
        while self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self._study.ask(fixed_distributions=self._distributions)

    def report(self, variant: str, values: Mapping[int, float], *, complete: bool) -> None:
        """Say what is known of a variant.

        Args:
            variant: its name.
            values: the objective's mean over the samples of each replicate, by replicate.
            complete: whether no cell of it is still to come; without any value the trial has failed.
        """
        with _explained(self._storage):
            trial = self._storage.get_trial(self._ids[variant])
            if trial.state != TrialState.RUNNING:
                return
            for replicate in values.keys() - trial.intermediate_values.keys():
                self._storage.set_trial_intermediate_value(trial._trial_id, replicate, values[replicate])  # noqa: SLF001
            if complete and values:
                self._study.tell(trial.number, float(np.mean(list(values.values()))))
            elif complete:
                self._study.tell(trial.number, state=TrialState.FAIL)


def delete_trials(url: str, study: str) -> None:
    """Remove a study's trials from the database, if there are any.

    Raises:
        StoreError: Optuna's tables in the database are of another version, or cannot be written.
    """
    storage = _open_storage(url)
    try:
        with _explained(storage):
            if study in optuna.get_all_study_names(storage):
                optuna.delete_study(study_name=study, storage=storage)
    finally:
        _close(storage)


def _open_storage(url: str) -> optuna.storages.RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces every study on stderr otherwise
    storage = optuna.storages.RDBStorage(url, skip_compatibility_check=True)  # its own check leaves the file open
    found = storage.get_current_version()
    if found == storage.get_head_version():
        return storage
    older = found in storage.get_all_versions()
    _close(storage)
    where = _where(storage)
    todo = f"run: optuna storage upgrade --storage {where}" if older else "upgrade optuna"
    raise StoreError(f"the Optuna tables in {where} are of {'an older' if older else 'a newer'} optuna; {todo}")


def _close(storage: optuna.storages.RDBStorage) -> None:
    storage.remove_session()
    storage.engine.dispose()


def _where(storage: optuna.storages.RDBStorage) -> str:
    return str(storage.engine.url.render_as_string())


@contextlib.contextmanager
def _explained(storage: optuna.storages.RDBStorage) -> Iterator[None]:
    """Turn a failure of the database into one line."""
    try:
        yield
    except optuna.exceptions.StorageInternalError as error:
        cause = " ".join(str(getattr(error.__cause__, "orig", error)).split())
        raise StoreError(f"{_where(storage)}: {cause}; nothing that was finished is lost") from error


def _objective(objective: Objective) -> str:
    return f"{objective.metric} {objective.feature}"


def _direction(objective: Objective) -> StudyDirection:
    return StudyDirection.MAXIMIZE if objective.direction == "higher" else StudyDirection.MINIMIZE


def _parameters(variant: Variant) -> dict[str, Any]:
    return {path: _value(level) for path, level in variant.levels.items()}


def _distributions(axes: Sequence[Axis]) -> dict[str, Any]:
    return {axis.path: CategoricalDistribution([_value(level) for level in axis.levels]) for axis in axes}


def _value(level: Any) -> Any:
    """A level as Optuna can hold it: numbers and text as they are, whole components by name."""
    return level if isinstance(level, str | int | float | bool) else level_name(level)
