"""Choose the variants of a search: Optuna's samplers propose levels, its pruner ends variants that are worse.

A proposal is a function of the study's seed, the trial's number and the trials before it: every proposal has a new
sampler with a seed of its own. So a killed search is resumed as if it had not been interrupted.
"""

from __future__ import annotations

import copy
import types
import warnings
from typing import TYPE_CHECKING, Any

import optuna
from optuna.pruners import WilcoxonPruner
from optuna.samplers import NSGAIISampler, RandomSampler, TPESampler

from ablate.engine.seeding import derive
from ablate.study.design import chosen_variant
from ablate.study.trials.levels import distribution, plain_level

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from optuna.trial import FrozenTrial

    from ablate.study.design import Axis, Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.trials.view import Trials

#: Digits of a number that is chosen from a range: more would only make names longer.
DIGITS = 4


def algorithm(spec: StudySpec) -> str:
    """Return the search's algorithm: ``tpe``, ``nsga2`` or ``random``."""
    name = spec.search.algorithm
    return name if name != "auto" else ("tpe" if len(spec.objectives) == 1 else "nsga2")


def propose(spec: StudySpec, trials: Trials, known: Container[str]) -> tuple[optuna.Trial, Variant]:
    """Return the next variant with its trial; the one that a killed search was about to try comes first."""
    waiting = trials.unclaimed(known)
    number = waiting.number if waiting else len(trials.study.get_trials(deepcopy=False))
    trials.study.sampler = _sampler(spec, derive(spec.seed, 0, "search", number))
    # opened again, because a trial asks the sampler when it is opened
    trial = (waiting and trials.unclaimed(known)) or trials.study.ask()
    levels: dict[str, Any] = {}
    for axis in spec.axes:
        if axis.exists(levels):
            _draw_again(trial, axis)
            levels[axis.path] = _suggested(trial, axis)
    return trial, chosen_variant(spec.axes, levels, spec.baseline)


def _sampler(spec: StudySpec, seed: int) -> optuna.samplers.BaseSampler:
    seed %= 2**32  # the range of seeds of Optuna's generators
    variants = spec.search.n_variants
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match algorithm(spec):
            case "tpe":
                # grouped, for axes that exist only under some levels
                startup = min(10, max(2, variants // 3))
                return TPESampler(n_startup_trials=startup, multivariate=True, group=True, seed=seed)
            case "nsga2":
                # five generations, unless their populations would be too small
                return NSGAIISampler(population_size=min(50, max(4, variants // 5)), seed=seed)
            case _:
                return RandomSampler(seed)


def _draw_again(trial: optuna.Trial, axis: Axis) -> None:
    """Draw a level that is stored already, so that the levels after it come from the same place of the stream.

    Optuna stores each level of a trial as soon as it is drawn, and a search may be killed between two of them.
    """
    levels = distribution(axis)
    if axis.path in trial.distributions and axis.path not in trial.relative_params and not levels.single():
        known = trial.study.get_trials(deepcopy=False)[trial.number]
        trial.study.sampler.sample_independent(trial.study, known, axis.path, levels)


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


def pruning_reason(spec: StudySpec, trials: Trials, variant: str) -> str:
    """Return why a variant is pruned after its first replicates, else an empty string.

    Optuna's ``WilcoxonPruner`` compares them with the same ones of the best variant so far, by a signed-rank test. What
    it sees is the same whenever it is asked, also if further replicates were run before a search was killed.
    """
    after = spec.search.prune_after
    trial = _with_steps(trials.trial(variant), range(after))
    if not after or len(trial.intermediate_values) < after:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is experimental, and warns of trials that it ignores
        pruner = WilcoxonPruner(p_threshold=spec.search.prune_p, n_startup_steps=after)
        try:
            best = _with_steps(trials.study.best_trial, range(spec.replicates))
        except ValueError:  # none is complete
            return ""
        # it asks for no more of a study than these
        study: Any = types.SimpleNamespace(best_trial=best, direction=trials.study.direction)
        if not pruner.prune(study, trial):
            return ""
    name = best.user_attrs.get("ablate:variant", "the best one")
    return f"given up after {after} replicates: worse than '{name}' in them (Wilcoxon p < {spec.search.prune_p:g})"


def _with_steps(trial: FrozenTrial, steps: Iterable[int]) -> FrozenTrial:
    """Return a trial with some of its steps only, in their order: sums of numbers depend on it in their last digit."""
    kept = copy.copy(trial)
    kept.intermediate_values = {s: trial.intermediate_values[s] for s in steps if s in trial.intermediate_values}
    return kept
