"""Run a path: the next change is chosen from the results of those before it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.errors import StudyFileError
from ablate.study.file.configuration import resolve
from ablate.study.path.follow import Progress, Results, follow
from ablate.study.plan.layout import lay_out
from ablate.study.run.adaptive import AdaptiveRunner
from ablate.study.trials.objectives import measured_values, resolved_objectives

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.store.store import Store
    from ablate.study.design import Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout
    from ablate.study.run.result import StudyResult


class PathRunner(AdaptiveRunner):
    """Runs a path; its arguments are those of :class:`~ablate.study.run.adaptive.AdaptiveRunner`."""

    def __init__(self, spec: StudySpec, registry: Registry, store: Store, home: Path, **options: Any) -> None:
        super().__init__(spec, registry, store, home, **options)
        self._failed: set[tuple[str, int]] = set()
        self._refused: dict[str, str] = {}

    def _choose_and_run(self) -> None:
        progress: Progress | None = None
        while not self._stopped:
            now = self._progress()
            if now == progress:
                return  # the target is reached, or the runs that are missing have failed
            progress = now
            layout = self._lay_out(progress.variants, progress.held)
            layout = dataclasses.replace(_with_progress(layout, progress), skipped=frozenset(self._failed))
            result = self._run_layout(layout)
            self._note_failures(result)
            if {variant.name for variant in self._spec.variants()} & self._refused.keys():
                return

    def _note_failures(self, result: StudyResult) -> None:
        for failure in result.failures:
            self._failed.add((failure.variant, failure.replicate))
            if result.refused:
                self._refused.setdefault(failure.variant, failure.error)

    def _progress(self) -> Progress:
        return follow(self._spec, results_of(self._spec, self._registry, self._store, self._failed, self._refused))


def results_of(
    spec: StudySpec,
    registry: Registry,
    store: Store,
    failed: set[tuple[str, int]],
    refused: Mapping[str, str],
) -> Results:
    """Return the results of a study that its path is chosen by.

    Raises:
        StudyFileError: the objective has no better direction, so no change is the best one.
    """
    objectives = resolved_objectives(spec, store)
    values: dict[str, dict[int, float]] = {}
    if objectives:
        (objective,) = objectives
        if objective.direction not in ("lower", "higher"):
            problem = (
                f"objective.direction: '{objective.metric}' does not declare whether lower or higher values of "
                f"'{objective.feature}' are better, and a path takes the best change; "
                'add direction = "lower" or "higher"'
            )
            raise StudyFileError(spec.source, [problem])
        sign = 1.0 if objective.direction == "lower" else -1.0
        measured = measured_values(spec, store, objectives)
        values = {name: {r: sign * each[0] for r, each in of_name.items()} for name, of_name in measured.items()}

    def refusal(variant: Variant) -> str:
        if variant.name in refused:
            return refused[variant.name]
        _, problems = resolve(spec.shaped(variant), registry)
        return "; ".join(f"{key}: {text}" for key, text in problems)

    return Results(values, failed, refusal)


def path_layout(spec: StudySpec, registry: Registry, store: Store | None, device: str) -> Layout:
    """Lay out a path as far as it has come, according to the store.

    A race in progress is laid out with all replicates: the most that may run.
    """
    results = results_of(spec, registry, store, set(), {}) if store else Results({})
    progress = follow(spec, results)
    dropped = {name: held for name, held in progress.held.items() if held.pruned}
    return _with_progress(lay_out(spec, registry, device, progress.variants, dropped), progress)


def _with_progress(layout: Layout, progress: Progress) -> Layout:
    taken = tuple(variant.name for variant in progress.taken)
    return dataclasses.replace(layout, unchosen=progress.unchosen, taken=taken)
