"""The study as Optuna sees it: one trial a variant, its replicates the steps inside it, its value their mean.

Cells, their states and their results are our tables; this is a view of them for optuna-dashboard, importances and
search. So where a trial can no longer be brought up to date (a finished one whose variant got another replicate),
the Optuna study is made again from what the store knows. Nothing of ours is keyed on Optuna's ids, which it reuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from ablate.study.design import level_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import FrozenTrial

    from ablate.study.design import Axis, Variant
    from ablate.study.plan import Layout

_FINGERPRINT = "ablate:variant_fingerprint"
_REPLICATES = "ablate:replicates"
_VARIANT = "ablate:variant"


class Trials:
    """The trials of one study.

    Args:
        url: of the database that holds our tables too.
        layout: the study.
    """

    def __init__(self, url: str, layout: Layout) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces every study on stderr otherwise
        self._layout, self._spec = layout, layout.spec
        self._storage = optuna.storages.RDBStorage(url)
        self._study = self._open()
        self._begin()

    def close(self) -> None:
        """Let go of the database."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _open(self) -> optuna.Study:
        study = self._create()
        if any(self._stale(trial) for trial in study.get_trials(deepcopy=False)):
            optuna.delete_study(study_name=self._spec.name, storage=self._storage)
            study = self._create()
        known = {trial.user_attrs.get(_FINGERPRINT) for trial in study.get_trials(deepcopy=False)}
        for variant in self._spec.variants():
            if self._layout.variants[variant.name] not in known:
                attributes = {_FINGERPRINT: self._layout.variants[variant.name], _VARIANT: variant.name}
                study.enqueue_trial(_parameters(variant), {**attributes, _REPLICATES: self._spec.replicates})
        return study

    def _create(self) -> optuna.Study:
        higher = self._spec.objective.direction == "higher"
        direction = StudyDirection.MAXIMIZE if higher else StudyDirection.MINIMIZE
        study = optuna.create_study(
            storage=self._storage, study_name=self._spec.name, direction=direction, load_if_exists=True
        )
        objective = self._spec.objective
        study.set_user_attr("ablate:objective", f"{objective.metric} {objective.feature}")
        return study

    def _stale(self, trial: FrozenTrial) -> bool:
        """Whether a trial speaks of something else than this layout, or says what can no longer be changed."""
        attributes = trial.user_attrs
        if attributes.get(_FINGERPRINT) not in self._layout.variants.values():
            return True
        if attributes.get(_REPLICATES) != self._spec.replicates:
            return True
        return trial.state in (TrialState.FAIL, TrialState.PRUNED)

    def _begin(self) -> None:
        """Take every waiting trial, so that all are shown as running; those of a killed run are running already."""
        distributions = _distributions(self._spec.axes)
        while self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self._study.ask(fixed_distributions=distributions)

    def report(self, variant: str, values: Mapping[int, float], *, complete: bool) -> None:
        """Say what is known of a variant.

        Args:
            variant: its name.
            values: the objective's mean over the samples of each replicate, by replicate.
            complete: whether no cell of it is still to come; without any value the trial has failed.
        """
        trial = self._trial(variant)
        if trial.state != TrialState.RUNNING:
            return
        for replicate, value in values.items():
            if replicate not in trial.intermediate_values:
                self._storage.set_trial_intermediate_value(trial._trial_id, replicate, value)  # noqa: SLF001 - no other way in
        if complete and values:
            self._study.tell(trial.number, float(np.mean(list(values.values()))))
        elif complete:
            self._study.tell(trial.number, state=TrialState.FAIL)

    def _trial(self, variant: str) -> FrozenTrial:
        wanted = self._layout.variants[variant]
        trials = self._study.get_trials(deepcopy=False)
        return next(trial for trial in trials if trial.user_attrs.get(_FINGERPRINT) == wanted)


def delete_trials(url: str, study: str) -> None:
    """Remove a study's trials from the database, if there are any."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(url)
    if study in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=study, storage=storage)
    storage.remove_session()
    storage.engine.dispose()


def _parameters(variant: Variant) -> dict[str, Any]:
    return {path: _value(level) for path, level in variant.levels.items()}


def _distributions(axes: Sequence[Axis]) -> dict[str, Any]:
    return {axis.path: CategoricalDistribution([_value(level) for level in axis.levels]) for axis in axes}


def _value(level: Any) -> Any:
    """A level as Optuna can hold it: numbers and text as they are, whole components by name."""
    return level if isinstance(level, str | int | float | bool) else level_name(level)
