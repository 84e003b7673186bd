"""The study in Optuna: one trial for each variant, its replicates as steps, its value their mean.

Runs, their states and their results are in the store; the trials are a view of them for optuna-dashboard, importances
and search. Optuna changes neither a finished trial nor the levels of a parameter. Where a trial cannot be brought up to
date, the Optuna study is therefore made again from the store. Nothing in the store refers to Optuna's ids, which it
reuses.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.trial import TrialState, create_trial

from ablate.errors import StoreError
from ablate.kinds import MEASURE, stage_name
from ablate.store.database.address import shown
from ablate.study.stage import fingerprint
from ablate.study.trials.levels import directions, distribution, objective_label, parameters
from ablate.study.trials.storage import (
    close_storage,
    open_storage,
    open_trial,
    read_trial,
    storage_errors,
    trial_id,
)

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from optuna.trial import FrozenTrial

    from ablate.study.design import Objective, Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout
    from ablate.study.trials.objectives import Values

_VARIANT = "ablate:variant"
_FINGERPRINT = "ablate:variant_fingerprint"
_RESULTS = "ablate:results"
_OBJECTIVES = "ablate:objectives"
#: The variant whose levels a trial repeats.
_SAME = "ablate:same_as"
#: The number of replicates that a finished trial's values are the mean of.
_REPLICATES = "ablate:replicates"


class Trials:
    """The trials of one study.

    Args:
        url: of the database that also has the tables of the store.
        layout: the study.
        objectives: resolved; one, or several for a search that weighs them.
        measured: the objectives' means that there are, by variant and replicate.

    Attributes:
        study: Optuna's.

    Raises:
        StoreError: the Optuna tables in the database are of another version, cannot be written, or contain a study of
            this name that ablate did not make.
    """

    def __init__(
        self, url: str, layout: Layout, objectives: Sequence[Objective], measured: Mapping[str, Values] | None = None
    ) -> None:
        self.objectives = tuple(objectives)
        self._storage = open_storage(url)
        try:
            with storage_errors(self._storage.url):
                self.study = _open_study(self._storage, layout, self.objectives, measured or {})
                self._begin(layout)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        close_storage(self._storage)

    def _begin(self, layout: Layout) -> None:
        """Make a running trial for every variant without one; those of a killed command are still running."""
        known = self._by_variant()
        added = [variant for variant in layout.variants if variant.name not in known]
        for variant in added:
            trial = create_trial(
                state=TrialState.RUNNING,
                params=parameters(variant),
                distributions={a.path: distribution(a) for a in layout.spec.axes if a.path in variant.levels},
                user_attrs=_attributes(variant, layout, self.objectives),
            )
            self.study.add_trial(trial)
        if added:
            known = self._by_variant()
        self._numbers = {name: trial.number for name, trial in known.items()}
        running = {name: trial for name, trial in known.items() if trial.state == TrialState.RUNNING}
        self._reported = {name: set(trial.intermediate_values) for name, trial in running.items()}

    def _by_variant(self) -> dict[str, FrozenTrial]:
        trials = self.study.get_trials(deepcopy=False)
        return {t.user_attrs[_VARIANT]: t for t in trials if _VARIANT in t.user_attrs}

    def claim(self, trial: optuna.Trial, variant: Variant, layout: Layout) -> None:
        """Record which variant a trial is that a search has asked for."""
        with storage_errors(self._storage.url):
            for name, value in _attributes(variant, layout, self.objectives).items():
                trial.set_user_attr(name, value)
        self._numbers[variant.name] = trial.number
        self._reported[variant.name] = set()

    def is_running(self, variant: str) -> bool:
        """Return whether the trial of a variant may still get results."""
        return variant in self._reported

    def unclaimed(self, known: Container[str]) -> optuna.Trial | None:
        """Return a trial of no known variant: a search was about to try it when it was killed."""
        with storage_errors(self._storage.url):
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if trial.user_attrs.get(_VARIANT) not in known:
                    return open_trial(self.study, self._storage, trial.number)
        return None

    def report(self, variant: str, values: Values, *, complete: bool, pruned: bool = False) -> None:
        """Report the results of a variant.

        Args:
            variant: its name.
            values: the objectives' means over the samples of each replicate, by replicate.
            complete: whether all its runs have ended; without any value the trial has failed.
            pruned: whether a search has pruned it.
        """
        if not self.is_running(variant):
            return
        number, reported = self._numbers[variant], self._reported[variant]
        new = sorted(values.keys() - reported) if len(self.objectives) == 1 else []  # Optuna has no steps of several
        if not (new or complete):
            return  # of a large study, most variants when it begins
        with storage_errors(self._storage.url):
            known = trial_id(self.study, self._storage, number)
            for replicate in new:
                self._storage.set_trial_intermediate_value(known, replicate, values[replicate][0])
                reported.add(replicate)
            if not complete:
                return
            self._storage.set_trial_user_attr(known, _REPLICATES, len(values))
            if pruned:
                self.study.tell(number, state=TrialState.PRUNED)
            elif values:
                self.study.tell(number, np.mean(list(values.values()), axis=0).tolist())
            else:
                self.study.tell(number, state=TrialState.FAIL)
            del self._reported[variant]

    def trial(self, variant: str) -> FrozenTrial:
        """Return a variant's trial as it is now."""
        with storage_errors(self._storage.url):
            return read_trial(self.study, self._storage, self._numbers[variant])

    def repeat(self, trial: optuna.Trial, variant: str) -> None:
        """End a trial with the levels of a variant that has a trial already, with the same values."""
        known = self.trial(variant)
        with storage_errors(self._storage.url):
            trial.set_user_attr(_SAME, variant)
            if known.state == TrialState.COMPLETE:
                self.study.tell(trial.number, known.values)
            else:
                self.study.tell(trial.number, state=known.state)


def _open_study(
    storage: optuna.storages.RDBStorage,
    layout: Layout,
    objectives: Sequence[Objective],
    measured: Mapping[str, Values],
) -> optuna.Study:
    """Return the Optuna study; it is made again if it cannot be brought up to date."""
    spec, study = layout.spec, _load_study(storage, layout.spec.name)
    if study:
        attributes = {variant.name: _attributes(variant, layout, objectives) for variant in layout.variants}
        trials = study.get_trials(deepcopy=False)
        pruned = {run.variant.name for run in layout.runs if run.held and run.held.pruned}
        stale = any(_is_stale(trial, spec, attributes, pruned, measured) for trial in trials)
        if not (_has_other_objectives(study, objectives) or stale):
            return study
        optuna.delete_study(study_name=spec.name, storage=storage)
    return _create_study(storage, spec.name, objectives)


def _load_study(storage: optuna.storages.RDBStorage, name: str) -> optuna.Study | None:
    if name not in optuna.get_all_study_names(storage):
        return None
    study = optuna.load_study(study_name=name, storage=storage)
    if _OBJECTIVES not in study.user_attrs and study.get_trials(deepcopy=False):
        raise StoreError(
            f"{shown(storage.url)} holds an Optuna study '{name}' that ablate did not make; "
            "rename the study file, or choose another --store"
        )
    return study


def _create_study(storage: optuna.storages.RDBStorage, name: str, objectives: Sequence[Objective]) -> optuna.Study:
    study = optuna.create_study(storage=storage, study_name=name, directions=directions(objectives))
    labels = [objective_label(objective) for objective in objectives]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(labels)
    study.set_user_attr(_OBJECTIVES, labels)
    return study


def _attributes(variant: Variant, layout: Layout, objectives: Sequence[Objective]) -> dict[str, str]:
    """Return the attributes of a variant's trial; ``_RESULTS`` identifies everything that its values come from."""
    runs = [run for run in layout.runs if run.variant.name == variant.name]
    measures = [stage_name(MEASURE, objective.metric) for objective in objectives]
    results = fingerprint([[run.stages.stages[measure].fingerprint for measure in measures] for run in runs])
    return {_VARIANT: variant.name, _FINGERPRINT: layout.fingerprints[variant.name], _RESULTS: results}


def _has_other_objectives(study: optuna.Study, objectives: Sequence[Objective]) -> bool:
    labels = [objective_label(objective) for objective in objectives]
    return study.user_attrs.get(_OBJECTIVES) != labels or study.directions != directions(objectives)


def _is_stale(
    trial: FrozenTrial,
    spec: StudySpec,
    attributes: Mapping[str, Mapping[str, str]],
    pruned: Container[str],
    measured: Mapping[str, Values],
) -> bool:
    """Return whether a trial belongs to another layout, or is finished without replicates that have results now."""
    wanted = attributes.get(trial.user_attrs.get(_VARIANT, ""))
    if spec.design == "search" and not wanted:
        # the search was killed while it chose this trial, or it repeats the levels of another one
        return _VARIANT in trial.user_attrs and trial.state.is_finished()
    if wanted is None or not wanted.items() <= trial.user_attrs.items():
        return True
    ranges = {axis.path: distribution(axis) for axis in spec.axes}
    if any(levels != ranges.get(path) for path, levels in trial.distributions.items()):
        return True
    if trial.state == TrialState.PRUNED:
        return trial.user_attrs[_VARIANT] not in pruned
    # a search would forget by what it chose; other studies may still get the results of replicates that have failed
    known = len(measured.get(trial.user_attrs[_VARIANT], ())) if spec.design == "search" else spec.replicates
    return trial.state.is_finished() and trial.user_attrs.get(_REPLICATES, 0) < known
