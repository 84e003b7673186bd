"""Runs a study: decides what has to run, gives it to an executor, and records what comes back."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import time
from typing import TYPE_CHECKING

from ablate.errors import UsageError, did_you_mean
from ablate.files import write_whole
from ablate.registry import get_registry
from ablate.store.records import (
    FinishedStage,
    HistogramRecord,
    MeasurementRecord,
    RunRecord,
    RunState,
    StageRecord,
    StudyRecord,
    VariantRecord,
)
from ablate.study.plan.jobs import Packing
from ablate.study.plan.plan import make_plan
from ablate.study.plan.preflight import check_samplers
from ablate.study.run.executor import make_executor
from ablate.study.run.listener import Listener
from ablate.study.run.optuna_view import Trials, measured_values, resolved_objectives
from ablate.study.run.provenance import environment
from ablate.study.run.result import RunFailure, StudyResult
from ablate.study.stage import EARLY, FLOORS, WITH_FILES, checkpoint_path, weights_of
from ablate.study.work.artifacts import read_examples
from ablate.study.work.dispatch import TOGETHER
from ablate.study.work.messages import Job, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.errors import HomeError
    from ablate.store.store import Store
    from ablate.study.design import Objective
    from ablate.study.plan.layout import Layout, Run
    from ablate.study.run.executor import Executor
    from ablate.study.stage import Stage

#: The stages that a run is for; the others serve them, or say how to read them.
ENDS = ("generate", "measure")


@dataclasses.dataclass(frozen=True)
class SearchContext:
    """What the runs of one search have in common: where they work, and the trials, once there are any."""

    executor: Executor
    trials: Trials | None = None


class StudyRunner:
    """One run of a study.

    Args:
        layout: the study's runs.
        store: the open store; this run is its only writer.
        home: where files go.
        device: resolved.
        workers: processes to work in; 1 works in this one.
        listener: told of the progress.
        shared: what this run has in common with others of the same search, and neither opens nor closes.
        checkpoint_seconds: the longest stretch of training that a crash can cost.

    Attributes:
        plan: what it will run and reuse.
    """

    def __init__(
        self,
        layout: Layout,
        store: Store,
        home: Path,
        *,
        device: str = "cpu",
        workers: int = 1,
        listener: Listener | None = None,
        shared: SearchContext | None = None,
        checkpoint_seconds: float = 10.0,
    ) -> None:
        self._layout, self._store, self._home, self._device = layout, store, home, device
        self._listener = listener or Listener()
        self.plan = make_plan(layout, store, home)
        self._shared, self._trials = shared, shared.trials if shared else None
        self._executor = (
            shared.executor
            if shared
            else make_executor(home, device, min(workers, self.plan.width()), checkpoint_seconds)
        )
        self._packing = Packing(device, self._executor.places, self._examples, fused=self._executor.fused)
        self._waiting = dict(self.plan.missing)
        self._done: set[str] = set()
        self._broken: dict[str, StageFailure] = {}
        self._ran: collections.Counter[str] = collections.Counter()
        self._stopped = self._refused = self._told = False
        self._fatal: HomeError | None = None
        self._open_jobs = 0

    def stop(self) -> None:
        """Stop after the current step with everything kept; safe to call from a signal handler."""
        self._stopped = True
        self._executor.stop()

    def run(self) -> StudyResult:
        """Do what is missing.

        Raises:
            HomeError: the disk is full.
            StoreError: the database cannot be written.
            StudyFileError: a sampler that cannot work with its tokenizer.
            UsageError: the home has a study of this name that learned from something else.
        """
        started = time.monotonic()
        if self.plan.count("generate")[0]:
            check_samplers(self._layout, get_registry())
        known = next((study for study in self._store.studies() if study.name == self._layout.spec.name), None)
        self._refuse_other_music(known)
        self._store.forget_stages(self.plan.lost)
        self._record_study()
        self._listener.begun(self.plan)
        try:
            self._settle()
            if self.plan.missing:
                with contextlib.nullcontext() if self._shared else self._executor:
                    self._work()
                self._settle(at_end=True)
        finally:
            if self._trials and not (self._shared and self._shared.trials):
                self._trials.close()
        stages = self._layout.stages()
        reused = collections.Counter(stages[f].kind for f in self.plan.reused)
        seconds = time.monotonic() - started
        begun = sum(self._checkpoint(stage).exists() for stage in stages.values() if stage.kind == "train")
        return StudyResult(
            name=self._layout.spec.name,
            ran=dict(self._ran),
            reused=dict(reused),
            failures=self._failures(),
            stopped=self._stopped,
            seconds=seconds,
            checkpoints=begun,
            notes=self._notes(),
            refused=self._refused,
            changed=known is None or known.spec != self._layout.spec.plain() or bool(self._ran or self._broken),
        )

    def _notes(self) -> tuple[str, ...]:
        lacking = (failed.error for failed in self._broken.values() if failed.stage.kind in FLOORS)
        notes = [self._objective_note(asked) for asked in self._layout.spec.objectives]
        notes += [f"a floor is missing: {error}" for error in lacking]
        return tuple(dict.fromkeys(filter(None, notes)))

    def _objective_note(self, asked: Objective) -> str:
        measured = self._store.features(self._layout.spec.name, asked.metric)
        if not asked.feature or not measured or asked.feature in measured:
            return ""
        hint = did_you_mean(asked.feature, measured)
        has = f"has no feature '{asked.feature}'{hint} (it has: {', '.join(measured)})"
        return f"objective: metric '{asked.metric}' {has}; the trials in Optuna have no value"

    def _refuse_other_music(self, known: StudyRecord | None) -> None:
        """Two corpora of one name would take turns in one study; a corpus that has only moved is the same."""
        if known is None:
            return
        loads = {run.stages["load"] for run in self._store.runs(known.name) if run.state == "done"}
        # by the music's own identity: fingerprints also change with ablate's code and with a plugin's version
        before = {stage.config["corpus"]["identity"] for stage in self._store.stages(loads).values()}
        now = {run.stages.stages["load"].config["corpus"]["identity"] for run in self._layout.runs}
        if before and not before & now:
            corpus = json.dumps(known.spec.get("corpus"), ensure_ascii=False)
            raise UsageError(
                f"study '{known.name}' in this home learned from other music ({corpus} as it was then); "
                f"give this one a name of its own with --name, or delete the other: ablate study delete {known.name}"
            )

    def _record_study(self) -> None:
        spec = self._layout.spec
        corpus = ", ".join({run.configuration.one("corpus").name for run in self._layout.runs})
        study = StudyRecord(spec.name, spec.plain(), spec.profile, corpus, spec.seed)
        prints = self._layout.fingerprints
        variants = [VariantRecord(v.name, prints[v.name], v.levels, v.baseline) for v in self._layout.variants]
        runs = [
            RunRecord(c.variant.name, c.replicate, c.stages.fingerprints(), c.configuration.plain())
            for c in self._layout.runs
        ]
        self._store.put_study(study, variants, runs)
        self._states: dict[tuple[str, int], RunState] = {
            (run.variant, run.replicate): run.state for run in self._store.runs(spec.name)
        }

    def _work(self) -> None:
        self._submit_ready()
        while self._open_jobs:
            for outcome in self._executor.wait(self._listener.news):
                self._open_jobs -= 1
                if outcome.fatal:
                    # the others may have finished something: first that is recorded
                    self._fatal = outcome.fatal
                    self.stop()
                self._record(outcome.results)
                if outcome.results:
                    self._settle()
                    self._submit_ready()
        if self._fatal:
            raise self._fatal

    def _submit_ready(self) -> None:
        """Hand over every stage whose inputs are there; generations from the same weights go together.

        Whatever is known before training comes first, so that what is wrong with one variant is said before hours
        are spent on the others.
        """
        if self._stopped:
            return
        early = [stage for stage in self.plan.missing.values() if stage.kind in EARLY]
        self._refused = any(stage.fingerprint in self._broken for stage in early)
        hold = self._refused or any(self._lacks(stage) for stage in early)
        ready = [
            stage
            for stage in self._waiting.values()
            if not any(self._lacks(source) for source in stage.inputs.values()) and (stage.kind in EARLY or not hold)
        ]
        groups: dict[tuple[str, str], list[Stage]] = {}
        for stage in sorted(ready, key=lambda stage: stage.kind in FLOORS):  # nothing waits for a floor
            del self._waiting[stage.fingerprint]
            groups.setdefault((stage.kind, _shared(stage)), []).append(stage)
        for (kind, _), stages in groups.items():
            for some in self._packed(kind, stages):
                self._executor.submit(Job(kind, tuple(some)))
                self._open_jobs += 1

    def _packed(self, kind: str, stages: list[Stage]) -> list[list[Stage]]:
        if kind == "train":
            return self._packing.trainings(stages)
        return self._packing.generations(stages) if kind == "generate" else [stages]

    def _examples(self, train: Stage) -> int:
        """How many examples a training has, once they are prepared."""
        return len(read_examples(self._home / train.inputs["examples"].artifact / "examples.npz"))

    def _lacks(self, stage: Stage) -> bool:
        return stage.fingerprint in self.plan.missing and stage.fingerprint not in self._done

    def _record(self, results: Sequence[StageResult | StageFailure]) -> None:
        """Keep what came of a job, in one transaction."""
        done = [result for result in results if isinstance(result, StageResult)]
        self._store.put_stages(self._finished(result) for result in done)
        for each in done:
            self._done.add(each.stage.fingerprint)
            self._ran[each.stage.kind] += 1
        for result in results:
            if isinstance(result, StageResult):
                self._listener.done(result)
                continue
            self._broken[result.stage.fingerprint] = result
            if result.trace:
                self._log(result.stage.fingerprint, result.trace)
            self._listener.failed(result)

    def _finished(self, done: StageResult) -> FinishedStage:
        stage = done.stage
        record = StageRecord(
            stage.fingerprint,
            stage.kind,
            stage.hashed(),
            done.result,
            stage.artifact if stage.kind in WITH_FILES else "",
            self._device,
            done.seconds,
            environment(),
        )
        return FinishedStage(
            record,
            tuple(MeasurementRecord(m.sample, m.metric, **vars(m.content), floor=m.floor) for m in done.values),
            tuple(HistogramRecord(m.sample, m.metric, **vars(m.content), floor=m.floor) for m in done.histograms),
        )

    def _log(self, fingerprint: str, trace: str) -> None:
        log = self._home / "logs" / f"{fingerprint}.txt"
        with contextlib.suppress(OSError):  # a full disk must not hide the failure itself
            write_whole(log, trace.encode())

    def _settle(self, *, at_end: bool = False) -> None:
        """Bring the runs' states and the trials up to date with the stages."""
        changed = set()
        for run in self._layout.current:
            state, failure = self._state(run, at_end=at_end)
            key = (run.variant.name, run.replicate)
            if self._states[key] != state:
                about = (failure.error_class, failure.error) if failure else ("", run.held.pruned if run.held else "")
                self._store.set_run(self._layout.spec.name, *key, state, *about)
                changed.add(run.variant.name)
            self._states[key] = state
        if self._trials is None:
            objectives = resolved_objectives(self._layout.spec, self._store)
            self._trials = Trials(self._store.url, self._layout, objectives) if objectives else None
        if self._trials and not self._told:
            self._told, changed = True, {variant.name for variant in self._layout.variants}
        if self._trials and changed:
            self._report_trials(self._trials, changed)

    def _state(self, run: Run, *, at_end: bool) -> tuple[RunState, StageFailure | None]:
        if run.held:
            return ("pruned" if run.held.pruned else "pending"), None
        stages = run.stages.stages.values()
        if not any(self._lacks(stage) for stage in stages if stage.kind in ENDS):
            return "done", None
        failure = next((self._broken[s.fingerprint] for s in stages if s.fingerprint in self._broken), None)
        if failure:
            return "failed", failure
        begun = any(s.kind == "train" and (not self._lacks(s) or self._checkpoint(s).exists()) for s in stages)
        return ("interrupted" if at_end and begun else "pending"), None

    def _checkpoint(self, stage: Stage) -> Path:
        return self._home / checkpoint_path(stage.fingerprint)

    def _report_trials(self, trials: Trials, variants: set[str]) -> None:
        measured = measured_values(self._layout.spec, self._store, trials.objectives)
        for variant in sorted(variants):
            states = {state for (name, _), state in self._states.items() if name == variant}
            complete = states <= {"done", "failed", "pruned"}
            trials.report(variant, measured.get(variant, {}), complete=complete, pruned="pruned" in states)

    def _failures(self) -> tuple[RunFailure, ...]:
        return tuple(
            RunFailure(run.variant.name, run.replicate, failure.error_class, failure.error)
            for run in self._layout.current
            for failure in (self._state(run, at_end=True)[1],)
            if failure
        )


def _shared(stage: Stage) -> str:
    """What makes stages of a kind one job, or several: for measurements the weights that their samples come from."""
    if stage.kind in TOGETHER:
        return ""  # packed later
    return (weights_of(stage) if stage.kind in ("measure", "resample") else stage).fingerprint
