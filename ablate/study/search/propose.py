"""How a search chooses: Optuna's samplers propose levels, its pruner says which variant is not worth more replicates.

A proposal is a function of the study's seed, the trial's number and the trials before it: the sampler is made anew
for every proposal, with a seed of its own, so that a search which was killed goes on as if it had not been.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import optuna
from optuna.pruners import WilcoxonPruner
from optuna.samplers import NSGAIISampler, RandomSampler, TPESampler

from ablate.engine.seeding import derive
from ablate.study.design import chosen_variant
from ablate.study.run.optuna_view import plain_level

if TYPE_CHECKING:
    from collections.abc import Container

    from optuna.trial import FrozenTrial

    from ablate.study.design import Axis, Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.run.optuna_view import Trials

#: Digits of a number that was chosen from a range: more would only make names long.
DIGITS = 4


def algorithm(spec: StudySpec) -> str:
    """The search's algorithm: ``tpe``, ``nsga2`` or ``random``."""
    asked = spec.search.algorithm
    return asked if asked != "auto" else ("tpe" if len(spec.objectives) == 1 else "nsga2")


def propose(spec: StudySpec, trials: Trials, known: Container[str]) -> tuple[optuna.Trial, Variant]:
    """The next variant to try, with its trial; the one that a killed run was about to try comes first."""
    waiting = trials.unclaimed(known)
    number = waiting.number if waiting else len(trials.study.get_trials(deepcopy=False))
    trials.study.sampler = _sampler(spec, derive(spec.seed, 0, "search", number))
    # made again with this sampler, which it asks as it is made
    trial = trials.unclaimed(known) or trials.study.ask()
    levels: dict[str, Any] = {}
    for axis in spec.axes:
        if axis.exists(levels):
            levels[axis.path] = _suggested(trial, axis)
    return trial, chosen_variant(spec.axes, levels, spec.baseline)


def _sampler(spec: StudySpec, seed: int) -> optuna.samplers.BaseSampler:
    seed %= 2**32  # as much as Optuna's generators take
    tries = spec.search.n_variants
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match algorithm(spec):
            case "tpe":
                # grouped, so that axes which exist for some levels only are weighed where they do
                startup = min(10, max(2, tries // 3))
                return TPESampler(n_startup_trials=startup, multivariate=True, group=True, seed=seed)
            case "nsga2":
                # five generations, if that makes a population worth the name
                return NSGAIISampler(population_size=min(50, max(4, tries // 5)), seed=seed)
            case _:
                return RandomSampler(seed)


def _suggested(trial: optuna.Trial, axis: Axis) -> Any:
    bounds = axis.range
    if bounds is None:
        names = [plain_level(level) for level in axis.levels]
        return axis.levels[names.index(trial.suggest_categorical(axis.path, names))]
    if bounds.whole:
        low, high, step = int(bounds.low), int(bounds.high), int(bounds.step or 1)
        return trial.suggest_int(axis.path, low, high, step=step, log=bounds.log)
    value = trial.suggest_float(axis.path, bounds.low, bounds.high, step=bounds.step, log=bounds.log)
    return min(max(float(f"{value:.{DIGITS}g}"), bounds.low), bounds.high)


def not_worth_more(spec: StudySpec, trials: Trials, variant: str) -> str:
    """Why a variant is given up after its first replicates; empty where it is not.

    Optuna's ``WilcoxonPruner``: a signed-rank test of its replicates against the same ones of the best variant so far.
    """
    after = spec.search.prune_after
    trial: FrozenTrial = trials.trial(variant)
    if not after or len(trial.intermediate_values) < after:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental; and it says aloud what it leaves out of account
        pruner = WilcoxonPruner(p_threshold=spec.search.prune_p, n_startup_steps=after)
        if not pruner.prune(trials.study, trial):
            return ""
    best = trials.study.best_trial.user_attrs.get("ablate:variant", "the best one")
    count = len(trial.intermediate_values)
    return f"given up after {count} replicates: worse than '{best}' in them (Wilcoxon p < {spec.search.prune_p:g})"
