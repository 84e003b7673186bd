"""The study as Optuna sees it: one trial a variant, its replicates the steps inside it, its value their mean.

Runs, their states and their results are our tables; this is a view of them for optuna-dashboard, importances and
search. So where a trial can no longer be brought up to date (Optuna changes neither a finished trial nor the levels
of a parameter), the Optuna study is made again from what the store knows. Nothing of ours is keyed on Optuna's ids,
which it reuses.
"""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from ablate.errors import StoreError
from ablate.kinds import MEASURE, stage_name
from ablate.names import level_name
from ablate.study.stage import fingerprint

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from ablate.store.store import Store
    from ablate.study.design import Axis, Objective, Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout

_VARIANT = "ablate:variant"
_FINGERPRINT = "ablate:variant_fingerprint"
_RESULTS = "ablate:results"
_OBJECTIVES = "ablate:objectives"
#: Of a trial with levels that had been tried already: as which variant.
_SAME = "ablate:same_as"
#: How many replicates a finished trial's values are the mean of.
_REPLICATES = "ablate:replicates"
#: The feature that stands for a metric which has one of this name.
AVERAGE = "average"
#: For each replicate the value of each objective.
Values = dict[int, tuple[float, ...]]


def resolved_objectives(spec: StudySpec, store: Store) -> tuple[Objective, ...] | None:
    """The objectives with all that the study file leaves open; None until their metrics have measured something."""
    resolved = []
    for asked in spec.objectives:
        measured = store.features(spec.name, asked.metric)
        if not measured and not (asked.feature and asked.direction):
            return None
        feature = asked.feature or (AVERAGE if AVERAGE in measured else next(iter(measured)))
        resolved.append(
            dataclasses.replace(asked, feature=feature, direction=asked.direction or measured.get(feature, "lower"))
        )
    return tuple(resolved)


def measured_values(spec: StudySpec, store: Store, objectives: Sequence[Objective]) -> dict[str, Values]:
    """What is known of each variant: the mean over the samples of each replicate that has every objective."""
    means = [store.means(spec.name, objective.metric, objective.feature) for objective in objectives]
    runs = set(means[0]).intersection(*means)
    values: dict[str, Values] = {}
    for variant, replicate in sorted(runs):
        values.setdefault(variant, {})[replicate] = tuple(mean[variant, replicate] for mean in means)
    return values


class Trials:
    """The trials of one study.

    Args:
        url: of the database that holds our tables too.
        layout: the study.
        objectives: resolved; one, or several for a search that weighs them.

    Attributes:
        study: Optuna's.

    Raises:
        StoreError: Optuna's tables in the database are of another version, or hold a study of this name that is not
            ours, or cannot be written.
    """

    def __init__(self, url: str, layout: Layout, objectives: Sequence[Objective]) -> None:
        self._spec, self.objectives = layout.spec, tuple(objectives)
        self._storage = _open_storage(url)
        try:
            with explained(self._storage):
                self.study = self._open(layout)
                self.begin(layout)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        _close(self._storage)

    def _open(self, layout: Layout) -> optuna.Study:
        """The study; begun anew where what is there cannot be brought up to date."""
        attributes = {variant.name: self._attributes(variant, layout) for variant in layout.variants}
        study = self._load()
        trials = study.get_trials(deepcopy=False) if study else []
        if study and (self._other_objectives(study) or any(self._stale(trial, attributes) for trial in trials)):
            optuna.delete_study(study_name=self._spec.name, storage=self._storage)
            study = None
        return study or self._create()

    def begin(self, layout: Layout) -> None:
        """See that every variant has a trial, shown as running; those of a killed run are running already."""
        with explained(self._storage):
            trials = self.study.get_trials(deepcopy=False)
            self._ids = {t.user_attrs[_VARIANT]: t._trial_id for t in trials if _VARIANT in t.user_attrs}  # noqa: SLF001
            for variant in layout.variants:
                if variant.name not in self._ids:
                    trial = create_trial(
                        state=TrialState.RUNNING,
                        params=_parameters(variant),
                        distributions=self._distributions(variant),
                        user_attrs=self._attributes(variant, layout),
                    )
                    self._ids[variant.name] = self._storage.create_new_trial(self.study._study_id, trial)  # noqa: SLF001

    def claim(self, trial: optuna.Trial, variant: Variant, layout: Layout) -> None:
        """Say which variant a trial is that a search has asked for."""
        with explained(self._storage):
            for name, value in self._attributes(variant, layout).items():
                trial.set_user_attr(name, value)
        self._ids[variant.name] = trial._trial_id  # noqa: SLF001 - no other way in

    def unclaimed(self, known: Container[str]) -> optuna.Trial | None:
        """A trial of no known variant: a search was about to try it when it was killed."""
        with explained(self._storage):
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if trial.user_attrs.get(_VARIANT) not in known:
                    return optuna.Trial(self.study, trial._trial_id)  # noqa: SLF001
        return None

    def _load(self) -> optuna.Study | None:
        if self._spec.name not in optuna.get_all_study_names(self._storage):
            return None
        study = optuna.load_study(study_name=self._spec.name, storage=self._storage)
        if _OBJECTIVES not in study.user_attrs and study.get_trials(deepcopy=False):
            raise StoreError(
                f"{_where(self._storage)} holds an Optuna study '{self._spec.name}' that ablate did not make; "
                "rename the study file, or choose another --store"
            )
        return study

    def _create(self) -> optuna.Study:
        study = optuna.create_study(
            storage=self._storage, study_name=self._spec.name, directions=_directions(self.objectives)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([_label(objective) for objective in self.objectives])
        study.set_user_attr(_OBJECTIVES, [_label(objective) for objective in self.objectives])
        return study

    def _attributes(self, variant: Variant, layout: Layout) -> dict[str, str]:
        """What a trial says of its variant; ``_RESULTS`` stands for everything that its values come from."""
        runs = [run for run in layout.runs if run.variant.name == variant.name]
        measures = [stage_name(MEASURE, objective.metric) for objective in self.objectives]
        results = fingerprint([[run.stages.stages[measure].fingerprint for measure in measures] for run in runs])
        return {_VARIANT: variant.name, _FINGERPRINT: layout.fingerprints[variant.name], _RESULTS: results}

    def _other_objectives(self, study: optuna.Study) -> bool:
        labels = [_label(objective) for objective in self.objectives]
        return study.user_attrs.get(_OBJECTIVES) != labels or study.directions != _directions(self.objectives)

    def _stale(self, trial: FrozenTrial, attributes: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether a trial speaks of something else than this layout, or is final without being complete."""
        wanted = attributes.get(trial.user_attrs.get(_VARIANT, ""))
        if self._spec.design == "search" and not wanted:
            # was being chosen when its run was killed, or has the levels of another trial
            return _VARIANT in trial.user_attrs and trial.state.is_finished()
        if wanted is None or not wanted.items() <= trial.user_attrs.items():
            return True
        known = {axis.path: _distribution(axis) for axis in self._spec.axes}
        if any(distribution != known.get(path) for path, distribution in trial.distributions.items()):
            return True
        if trial.state == TrialState.PRUNED:
            return not self._spec.search.prune_after
        return trial.state.is_finished() and trial.user_attrs.get(_REPLICATES, 0) < self._spec.replicates

    def _distributions(self, variant: Variant) -> dict[str, BaseDistribution]:
        return {axis.path: _distribution(axis) for axis in self._spec.axes if axis.path in variant.levels}

    def report(self, variant: str, values: Values, *, complete: bool, pruned: bool = False) -> None:
        """Say what is known of a variant.

        Args:
            variant: its name.
            values: the objectives' means over the samples of each replicate, by replicate.
            complete: whether no run of it is still to come; without any value the trial has failed.
            pruned: whether a search has given it up.
        """
        with explained(self._storage):
            trial = self._storage.get_trial(self._ids[variant])
            if trial.state != TrialState.RUNNING:
                return
            if len(self.objectives) == 1:  # Optuna knows no steps of several objectives
                for replicate in values.keys() - trial.intermediate_values.keys():
                    self._storage.set_trial_intermediate_value(trial._trial_id, replicate, values[replicate][0])  # noqa: SLF001
            if not complete:
                return
            self._storage.set_trial_user_attr(trial._trial_id, _REPLICATES, len(values))  # noqa: SLF001
            if pruned:
                self.study.tell(trial.number, state=TrialState.PRUNED)
            elif values:
                self.study.tell(trial.number, np.mean(list(values.values()), axis=0).tolist())
            else:
                self.study.tell(trial.number, state=TrialState.FAIL)

    def trial(self, variant: str) -> FrozenTrial:
        """A variant's trial as it is now."""
        with explained(self._storage):
            return self._storage.get_trial(self._ids[variant])

    def repeat(self, trial: optuna.Trial, variant: str) -> None:
        """End a trial whose levels are those of a variant that has a trial already, with the same values."""
        known = self.trial(variant)
        with explained(self._storage):
            trial.set_user_attr(_SAME, variant)
            if known.state == TrialState.COMPLETE:
                self.study.tell(trial.number, known.values)
            else:
                self.study.tell(trial.number, state=known.state)


def delete_trials(url: str, study: str) -> None:
    """Remove a study's trials from the database, if there are any.

    Raises:
        StoreError: Optuna's tables in the database are of another version, or cannot be written.
    """
    storage = _open_storage(url)
    try:
        with explained(storage):
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
def explained(storage: optuna.storages.RDBStorage) -> Iterator[None]:
    """Turn a failure of the database into one line."""
    try:
        yield
    except optuna.exceptions.StorageInternalError as error:
        cause = " ".join(str(getattr(error.__cause__, "orig", error)).split())
        raise StoreError(f"{_where(storage)}: {cause}; nothing that was finished is lost") from error


def _label(objective: Objective) -> str:
    return f"{objective.metric} {objective.feature}"


def _directions(objectives: Sequence[Objective]) -> list[StudyDirection]:
    higher = (objective.direction == "higher" for objective in objectives)
    return [StudyDirection.MAXIMIZE if each else StudyDirection.MINIMIZE for each in higher]


def _parameters(variant: Variant) -> dict[str, Any]:
    return {path: plain_level(level) for path, level in variant.levels.items()}


def _distribution(axis: Axis) -> BaseDistribution:
    bounds = axis.range
    if bounds is None:
        return CategoricalDistribution([plain_level(level) for level in axis.levels])
    if bounds.whole:
        return IntDistribution(int(bounds.low), int(bounds.high), bounds.log, int(bounds.step or 1))
    return FloatDistribution(bounds.low, bounds.high, bounds.log, bounds.step)


def plain_level(level: Any) -> Any:
    """A level as Optuna can hold it: numbers and text as they are, whole components by name."""
    return level if isinstance(level, str | int | float | bool) else level_name(level)
