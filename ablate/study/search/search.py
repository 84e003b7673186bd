"""Run a search: its variants are chosen one after another, each from the results of those before it.

A variant is in the store as soon as it is chosen. So a killed search is resumed with the same variants, and a search
for more variants keeps those that it has.
"""

from __future__ import annotations

import collections
import dataclasses
import time
from typing import TYPE_CHECKING

from ablate.errors import UnknownName
from ablate.names import same
from ablate.study.design import chosen_variant
from ablate.study.plan.layout import HeldBack, lay_out
from ablate.study.run.executor import make_executor
from ablate.study.run.listener import Listener
from ablate.study.run.runner import SearchContext, StudyRunner
from ablate.study.search.propose import propose, pruning_reason
from ablate.study.trials.objectives import resolved_objectives
from ablate.study.trials.view import Trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from ablate.registry import Registry
    from ablate.store.store import Store
    from ablate.study.design import Objective, Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout
    from ablate.study.run.result import StudyResult


class SearchRunner:
    """Runs a search.

    Args:
        spec: the study.
        registry: the components.
        store: the open store; this runner is its only writer.
        home: the folder for files.
        device: resolved.
        workers: the number of processes; 1 works in this process.
        listener: receives the events.
        checkpoint_seconds: the time between two checkpoints of a training.
    """

    def __init__(
        self,
        spec: StudySpec,
        registry: Registry,
        store: Store,
        home: Path,
        *,
        device: str = "cpu",
        workers: int = 1,
        listener: Listener | None = None,
        checkpoint_seconds: float = 10.0,
    ) -> None:
        self._spec, self._registry, self._store, self._home, self._device = spec, registry, store, home, device
        self._listener = listener or Listener()
        self._executor = make_executor(home, device, workers, registry, checkpoint_seconds)
        self._variants, self._held = chosen_so_far(spec, store)
        self._results: list[StudyResult] = []
        self._stopped = False

    def stop(self) -> None:
        """Stop after the current step with everything kept; safe to call from a signal handler."""
        self._stopped = True
        self._executor.stop()

    def run(self) -> StudyResult:
        """Finish the variants chosen so far, then choose and try one after another.

        Raises:
            HomeError: the disk is full.
            StoreError: the database cannot be written.
            StudyFileError: a sampler that cannot work with its tokenizer.
            UsageError: the home has a study of this name that was run on a different corpus.
        """
        started = time.monotonic()
        with self._executor:
            self._try(self._layout(), None)
            objectives = resolved_objectives(self._spec, self._store)
            if objectives and not self._stopped and not self._results[0].refused:
                self._search(objectives)
        return _summed(self._results, time.monotonic() - started, stopped=self._stopped)

    def _search(self, objectives: tuple[Objective, ...]) -> None:
        layout = self._layout()
        trials = Trials(self._store.url, layout, objectives)
        try:
            self._try(layout, trials)  # nothing is left to run, but the trials are brought up to date
            while not self._stopped and len(trials.study.get_trials(deepcopy=False)) < self._spec.search.n_variants:
                self._next(trials)
        finally:
            trials.close()

    def _next(self, trials: Trials) -> None:
        """Choose a variant and run it, unless it is pruned after its first replicates."""
        trial, variant = propose(self._spec, trials, [variant.name for variant in self._variants])
        name = variant.name
        if any(name == known.name for known in self._variants):
            trials.repeat(trial, name)
            return
        self._variants.append(variant)
        first = self._spec.search.prune_after
        if first:
            self._held[name] = HeldBack(first)
        trials.claim(trial, variant, self._layout(name))
        result = self._try(self._layout(name), trials)
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
        self._try(self._layout(name), trials)

    def _layout(self, only: str = "") -> Layout:
        layout = lay_out(self._spec, self._registry, self._device, self._variants, self._held)
        return dataclasses.replace(layout, only=only)

    def _try(self, layout: Layout, trials: Trials | None) -> StudyResult:
        runner = StudyRunner(
            layout,
            self._store,
            self._home,
            device=self._device,
            listener=self._listener,
            shared=SearchContext(self._executor, trials),
        )
        if self._stopped:
            runner.stop()
        result = runner.run()
        self._stopped = self._stopped or result.stopped
        self._results.append(result)
        return result


def _summed(results: Sequence[StudyResult], seconds: float, *, stopped: bool) -> StudyResult:
    """Return the results of all variants as one."""
    ran: collections.Counter[str] = collections.Counter()
    for result in results:
        ran.update(result.ran)
    failures = {(f.variant, f.replicate): f for result in results for f in result.failures}
    return dataclasses.replace(
        results[-1],
        ran=dict(ran),
        reused=results[0].reused,
        failures=tuple(failures.values()),
        stopped=stopped,
        refused=results[0].refused,
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        seconds=seconds,
        changed=any(result.changed for result in results),
    )


def search_layout(spec: StudySpec, registry: Registry, store: Store | None, device: str) -> Layout:
    """Lay out a search with its baseline and the variants that it has chosen, according to the store."""
    variants, held = chosen_so_far(spec, store) if store else (spec.variants(), {})
    return lay_out(spec, registry, device, variants, held)


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
