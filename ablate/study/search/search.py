"""Run a search: its variants are chosen one after another, each from the results of those before it.

A variant is in the store as soon as it is chosen. So a killed search is resumed with the same variants, and a search
for more variants keeps those that it has. What is held back of a variant follows from the store as well: a search tries
one variant at a time, so only the last one can be without a decision, and then none of its later replicates has begun.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import UnknownName
from ablate.names import same
from ablate.study.design import chosen_variant
from ablate.study.plan.layout import HeldBack, lay_out
from ablate.study.run.adaptive import AdaptiveRunner
from ablate.study.search.propose import propose, pruning_reason
from ablate.study.trials.objectives import measured_values, resolved_objectives
from ablate.study.trials.storage import storage_errors
from ablate.study.trials.view import Trials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from ablate.registry import Registry
    from ablate.store.store import Store
    from ablate.study.design import Objective, Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout


class SearchRunner(AdaptiveRunner):
    """Runs a search; its arguments are those of :class:`~ablate.study.run.adaptive.AdaptiveRunner`."""

    def __init__(self, spec: StudySpec, registry: Registry, store: Store, home: Path, **options: Any) -> None:
        super().__init__(spec, registry, store, home, **options)
        self._variants, self._held = chosen_so_far(spec, store)
        self._is_undecided = is_undecided(spec, store, self._variants[-1].name)
        self._laid_out: tuple[tuple[tuple[Variant, ...], dict[str, HeldBack]], Layout] | None = None

    def _choose_and_run(self) -> None:
        result = self._run_layout(self._earlier())
        objectives = resolved_objectives(self._spec, self._store)
        if objectives and not self._stopped and not result.refused:
            with storage_errors(self._store.url):  # a proposal asks Optuna's tables too
                self._search(objectives)

    def _search(self, objectives: tuple[Objective, ...]) -> None:
        layout = self._layout()
        trials = Trials(self._store.url, layout, objectives, measured_values(self._spec, self._store, objectives))
        try:
            self._run_layout(self._earlier(), trials)  # nothing is left to run, but the trials are brought up to date
            if len(self._variants) > 1 and not self._stopped:
                self._try(self._variants[-1].name, trials, decide=self._is_undecided)
            while not self._stopped and len(trials.study.get_trials(deepcopy=False)) < self._spec.search.n_variants:
                self._next(trials)
        finally:
            trials.close()

    def _next(self, trials: Trials) -> None:
        """Choose a variant and try it."""
        trial, variant = propose(self._spec, trials, [variant.name for variant in self._variants])
        name = variant.name
        if any(name == known.name for known in self._variants):
            trials.repeat(trial, name)
            return
        self._variants.append(variant)
        self._hold_back(name)
        trials.claim(trial, variant, self._layout(name))
        self._try(name, trials, decide=True)

    def _hold_back(self, name: str) -> None:
        """Hold a variant's later replicates back until it is decided whether it is pruned."""
        if self._spec.search.prune_after:
            self._held[name] = HeldBack(self._spec.search.prune_after)

    def _try(self, name: str, trials: Trials, *, decide: bool) -> None:
        """Run a variant, unless it is pruned after its first replicates; ``decide`` if this is not known yet."""
        first = self._spec.search.prune_after if decide else 0
        if decide:
            self._hold_back(name)
        result = self._run_layout(self._layout(name), trials)
        if result.refused:
            reasons = "; ".join(dict.fromkeys(failure.error for failure in result.failures))
            self._held[name] = HeldBack(0, f"given up before training: {reasons}")
        elif first and not self._stopped:
            reason = pruning_reason(self._spec, trials, name)
            self._held[name] = HeldBack(first, reason)
            if not reason:
                del self._held[name]
        else:
            return
        self._run_layout(self._layout(name), trials)

    def _earlier(self) -> Layout:
        """Lay out all variants, but let the last one that was chosen wait: it may be in the middle of its trial."""
        layout = self._layout()
        last = self._variants[-1]
        if last.baseline:
            return layout
        return dataclasses.replace(layout, skipped=frozenset((last.name, r) for r in range(self._spec.replicates)))

    def _layout(self, only: str = "") -> Layout:
        chosen = (tuple(self._variants), dict(self._held))
        if self._laid_out is None or self._laid_out[0] != chosen:  # each variant needs its layout several times
            self._laid_out = (chosen, self._lay_out(*chosen))
        return dataclasses.replace(self._laid_out[1], only=only)


def search_layout(spec: StudySpec, registry: Registry, store: Store | None, device: str) -> Layout:
    """Lay out a search with its baseline and the variants that it has chosen, according to the store."""
    variants, held = chosen_so_far(spec, store) if store else (spec.variants(), {})
    layout = lay_out(spec, registry, device, variants, held)
    return dataclasses.replace(layout, unchosen=max(spec.search.n_variants - len(variants), 0))


def chosen_so_far(spec: StudySpec, store: Store) -> tuple[list[Variant], dict[str, HeldBack]]:
    """Return the variants of a search in the store that are still in its space, and which of them are pruned."""
    (baseline,) = spec.variants()
    known = {baseline.name: baseline}
    try:
        stored, runs = store.variants(spec.name), store.runs(spec.name)
    except UnknownName:
        return [baseline], {}
    for record in stored:
        variant = _allowed_variant(spec, record.levels)
        if variant and variant.name == record.name:
            known.setdefault(record.name, variant)
    held: dict[str, HeldBack] = {}
    for run in sorted(runs, key=lambda run: run.replicate):
        # a search that no longer prunes runs the other replicates of pruned variants
        if run.state == "pruned" and run.variant in known and (spec.search.prune_after or not run.replicate):
            held.setdefault(run.variant, HeldBack(run.replicate, run.error))
    return list(known.values())[: spec.search.n_variants], held


def is_undecided(spec: StudySpec, store: Store, variant: str) -> bool:
    """Return whether a search was stopped before it decided whether to prune this variant, the last one it has chosen.

    Until then, none of its replicates after the first ones has been more than planned.
    """
    first = spec.search.prune_after
    try:
        runs = store.runs(spec.name)
    except UnknownName:
        return False
    later = [run.state for run in runs if run.variant == variant and run.replicate >= first]
    return bool(first and later) and set(later) == {"pending"}


def _allowed_variant(spec: StudySpec, levels: Mapping[str, Any]) -> Variant | None:
    """Return the variant with these levels, if the search's axes still allow them."""
    allowed: dict[str, Any] = {}
    for axis in spec.axes:
        if axis.exists(allowed):
            level = levels.get(axis.path)
            is_allowed = level in axis.range if axis.range else any(same(level, other) for other in axis.levels)
            if axis.path not in levels or not is_allowed:
                return None
            allowed[axis.path] = level
    if allowed.keys() != levels.keys():
        return None
    return chosen_variant(spec.axes, allowed, spec.baseline)
