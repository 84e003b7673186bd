"""Keep the states of a study's runs, and its trials, up to date with the stages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ablate.errors import listed_names, one_line
from ablate.kinds import COLLECT, KINDS, PROGRAM, TRAIN
from ablate.study.run.result import RunFailure
from ablate.study.trials.objectives import measured_values, resolved_objectives
from ablate.study.trials.view import Trials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.store.records import RunState
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout, Run
    from ablate.study.run.listener import Listener
    from ablate.study.run.status import StageStatus
    from ablate.study.work.messages import StageFailure, StageResult


#: The share of the driver's time that trials may take which no search waits for, and seconds for them at a time.
_SHARE, _SLICE = 0.05, 0.02


class RunStates:
    """The states of a study's runs in the store.

    Args:
        layout: the study.
        store: the open store, with the study recorded.
        status: of the stages.
        listener: receives an event for each state that changes.
    """

    def __init__(self, layout: Layout, store: Store, status: StageStatus, listener: Listener) -> None:
        self._layout, self._store, self._status, self._listener = layout, store, status, listener
        self._states: dict[tuple[str, int], RunState] = {
            (run.variant, run.replicate): run.state for run in store.runs(layout.spec.name)
        }
        self._errors: dict[tuple[str, int], str] = {}
        self._of_variant: dict[str, list[tuple[str, int]]] = {}
        for key in self._states:
            self._of_variant.setdefault(key[0], []).append(key)
        self._current = layout.current
        self._users: dict[str, list[int]] = {}
        for index, run in enumerate(self._current):
            for stage in run.stages.stages.values():
                self._users.setdefault(stage.fingerprint, []).append(index)

    def update(self, results: Iterable[StageResult | StageFailure] | None = None, *, at_end: bool = False) -> set[str]:
        """Write the states that have changed, in one transaction; return the names of their variants.

        Args:
            results: the stages that have ended since the last call; None looks at all runs.
            at_end: whether no stage will run any more.
        """
        changed = []
        states: dict[tuple[str, int], tuple[RunState, str, str]] = {}
        for run in self._current if results is None else self._runs_of(results):
            state, failure = self._state(run, at_end=at_end)
            key = (run.variant.name, run.replicate)
            error = self._error(run, failure) if failure else ""
            if self._states[key] != state or error != self._errors.get(key, error):
                about = (failure.error_class, error) if failure else ("", run.held.pruned if run.held else "")
                states[key] = state, *about
            if self._states[key] != state:
                changed.append((run, state, failure))
            self._states[key], self._errors[key] = state, error
        if states:
            self._store.set_runs(self._layout.spec.name, states)
        for each in changed:
            self._listener.run_changed(*each)
        return {run.variant.name for run, _, _ in changed}

    def _runs_of(self, results: Iterable[StageResult | StageFailure]) -> list[Run]:
        """Return the runs that have one of these stages, in their order."""
        found = {index for result in results for index in self._users.get(result.stage.fingerprint, ())}
        return [self._current[index] for index in sorted(found)]

    def of_variant(self, variant: str) -> set[RunState]:
        """Return the states of a variant's runs."""
        return {self._states[key] for key in self._of_variant[variant]}

    def failures(self) -> tuple[RunFailure, ...]:
        """Return the runs that have failed."""
        failures = ((run, self._state(run, at_end=True)[1]) for run in self._current)
        return tuple(
            RunFailure(run.variant.name, run.replicate, failure.error_class, self._error(run, failure))
            for run, failure in failures
            if failure
        )

    def _error(self, run: Run, first: StageFailure) -> str:
        """Return the reason of a run's first failure, and the metrics that have failed beside it."""
        failed = self._status.failed(run.stages.stages.values())
        names = {each.stage.metric for each in failed} - {first.stage.metric, ""}
        return f"{first.error}; failed too: {listed_names(names)}" if names else first.error

    def _state(self, run: Run, *, at_end: bool) -> tuple[RunState, StageFailure | None]:
        if run.held:
            return ("pruned" if run.held.pruned else "pending"), None
        stages = run.stages.stages.values()
        kinds = {stage.kind for stage in stages if self._status.is_missing(stage)}
        if not any(KINDS[kind].goal and KINDS[kind].required for kind in kinds):
            return "done", None
        failure = self._status.failure(stages)
        if failure:
            return "failed", failure
        started = at_end and any(
            stage.kind in (TRAIN, PROGRAM, COLLECT)
            and (not self._status.is_missing(stage) or self._status.has_checkpoint(stage))
            for stage in stages
        )
        return ("interrupted" if started else "pending"), None


class TrialReporter:
    """Reports the runs of a study to its Optuna trials, as soon as the objectives have been measured.

    Trials that are opened here are a view of the results, and the next command makes what they lack. So whatever goes
    wrong with them does not end the run: it is reported once, and they are left alone from then on.

    Args:
        layout: the study.
        store: the open store.
        states: of the runs.
        trials: those that a search has opened, and closes itself; by default they are opened here.
    """

    def __init__(self, layout: Layout, store: Store, states: RunStates, trials: Trials | None = None) -> None:
        self._layout, self._store, self._states = layout, store, states
        self._trials, self._closes = trials, trials is None
        self._complete = False
        self._waiting: dict[str, None] = {}
        self._next = 0.0
        self._problem = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """The problem with the trials, as a note for the end of the command; empty without one."""
        if not self._problem:
            return ()
        return (
            f"the trials for Optuna are not up to date: {self._problem}; the next 'ablate study run' adds the rest",
        )

    def report(self, variants: Iterable[str], *, at_once: bool = True) -> None:
        """Bring the trials of these variants up to date, the first time those of all variants.

        Args:
            variants: their names.
            at_once: whether these and all that wait are reported now; otherwise those of a study without a search may
                wait, so that the workers of a large study do not wait for its trials.

        Raises:
            StoreError: a search cannot continue without its trials; or the database is gone.
        """
        self._waiting.update(dict.fromkeys(sorted(variants)))
        if not self._closes:
            self._report()
        elif not self._problem and (at_once or time.monotonic() >= self._next):
            try:
                self._report(at_once=at_once)
            except Exception as error:  # noqa: BLE001 - whatever Optuna raises, the results are in the store
                self._store.check()  # what is wrong with all of the database does end the run
                self._problem = one_line(error) or type(error).__name__

    def _report(self, *, at_once: bool = True) -> None:
        started = time.monotonic()
        if self._trials is None:
            objectives = resolved_objectives(self._layout.spec, self._store)
            if not objectives:
                return
            measured = measured_values(self._layout.spec, self._store, objectives)
            self._trials = Trials(self._store.url, self._layout, objectives, measured)
        if not self._complete:
            self._waiting = dict.fromkeys(sorted(variant.name for variant in self._layout.variants))
            self._complete = True
        while self._waiting:
            self._report_one(self._trials, next(iter(self._waiting)))
            if not at_once and time.monotonic() - started > _SLICE:
                break
        ended = time.monotonic()
        self._next = ended + (ended - started) * (1 / _SHARE - 1)

    def _report_one(self, trials: Trials, name: str) -> None:
        if trials.is_running(name):
            measured = measured_values(self._layout.spec, self._store, trials.objectives, name)
            states = self._states.of_variant(name)
            complete = states <= {"done", "failed", "pruned"}
            trials.report(name, measured.get(name, {}), complete=complete, pruned="pruned" in states)
        del self._waiting[name]

    def close(self) -> None:
        """Close the trials if they were opened here."""
        if self._trials and self._closes:
            self._trials.close()
