"""Run a study: submit the missing stages to an executor, and record their results."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import time
from typing import TYPE_CHECKING

from ablate.engine.devices import is_fused
from ablate.errors import StudyFileError
from ablate.kinds import GENERATE, KINDS, LOAD
from ablate.store.parts import SHARDS
from ablate.study.plan.jobs import Packing
from ablate.study.plan.lanes import lanes
from ablate.study.plan.music.corpora import PlannedMusic
from ablate.study.plan.music.instruments import check_instruments
from ablate.study.plan.music.pieces import check_references
from ablate.study.plan.plan import make_plan
from ablate.study.plan.preflight import check_components
from ablate.study.run.checks import check_objectives, refuse_other_corpus
from ablate.study.run.executor.choose import make_executor
from ablate.study.run.executor.protocol import AS_USUAL, Working
from ablate.study.run.listener import Listener
from ablate.study.run.notes import notes_on
from ablate.study.run.recorder import Recorder, record_study
from ablate.study.run.replicates import MOST
from ablate.study.run.result import StudyResult
from ablate.study.run.scheduler import Scheduler
from ablate.study.run.states import RunStates, TrialReporter
from ablate.study.run.status import StageStatus
from ablate.study.sources.facts import Sources
from ablate.study.trials.objectives import objective_problems
from ablate.study.work.artifacts import read_examples
from ablate.study.work.components import ExampleCounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.errors import AblateError
    from ablate.store.records import StudyRecord
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout
    from ablate.study.run.executor.protocol import Executor
    from ablate.study.stage import Stage
    from ablate.study.trials.view import Trials
    from ablate.study.work.messages import StageFailure, StageResult


@dataclasses.dataclass(frozen=True)
class SharedContext:
    """The executor of a study that several runners share, and its trials where the study opens them itself."""

    executor: Executor
    trials: Trials | None = None


class StudyRunner:
    """Runs what is missing of a study.

    Args:
        layout: the study's runs.
        store: the open store; this runner is its only writer.
        home: the folder for files.
        device: resolved.
        workers: the number of processes; 1 works in this process, unless ``working`` says otherwise.
        listener: receives the events.
        shared: what this runner shares with others of the same study, and neither opens nor closes.
        working: how jobs are worked on.

    Attributes:
        plan: the stages that will run, and those that are reused.
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
        shared: SharedContext | None = None,
        working: Working = AS_USUAL,
    ) -> None:
        self._layout, self._store, self._home, self._shared = layout, store, home, shared
        self._listener = listener or Listener()
        self.plan = make_plan(layout, store, home)
        self._executor = (
            shared.executor
            if shared
            else make_executor(
                home,
                *lanes(layout.spec, device, min(workers, self.plan.width())),
                layout.registry,
                working,
            )
        )
        self._status = StageStatus(self.plan, home)
        executor, fused = self._executor, is_fused(device, working.fused)  # it has no places before it is entered
        packing = Packing(device, lambda: executor.slots, self._examples, layout.registry, fused=fused)
        self._scheduler = Scheduler(self.plan, self._status, packing)
        sources = Sources(layout.registry)
        for stage in self.plan.missing.values():
            sources.of(stage)  # before anything runs: what is edited later was not used
        self._recorder = Recorder(store, home, device, layout.registry, sources, self._status, self._listener)
        self._stopped = False

    def stop(self) -> None:
        """Stop after the current step with everything kept; safe to call from a signal handler."""
        self._stopped = True
        self._executor.stop()

    def kill(self) -> None:
        """Stop without waiting for a step, with what was finished kept; safe to call from a signal handler."""
        self._stopped = True
        self._executor.kill()

    def run(self) -> StudyResult:
        """Run the missing stages.

        Raises:
            HomeError: the disk is full.
            ExecutorError: the executor cannot be used, or has failed.
            StoreError: the database cannot be written.
            StudyFileError: an optimizer or a schedule that cannot be built, a sampler that cannot work with its
                tokenizer; as soon as all corpora are loaded, a tokenizer that cannot write the instruments of its
                corpus, or a metric of sets with too few pieces to compare with; as soon as a metric has been measured,
                an objective with a feature that it does not have, with all finished results kept.
            UsageError: the home has a study of this name that was run on a different corpus.
        """
        started, spec = time.monotonic(), self._layout.spec
        if self.plan.count(GENERATE)[0]:
            check_components(self._layout)
        known = next((study for study in self._store.studies() if study.name == spec.name), None)
        if known:
            refuse_other_corpus(self._layout, self._store, known)
        self._check_music()
        record_study(self._layout, self._store)
        features = {each.metric: self._store.features(spec.name, each.metric) for each in spec.objectives}
        problems = objective_problems(spec, features)
        if problems:
            raise StudyFileError(spec.source, problems)
        states = RunStates(self._layout, self._store, self._status, self._listener)
        if self.plan.damaged:
            self._listener.lost(self.plan)
        self._listener.begun(self.plan)
        trials = TrialReporter(self._layout, self._store, states, self._shared.trials if self._shared else None)
        with contextlib.closing(trials):
            trials.report(states.update())
            if self.plan.missing:
                with contextlib.nullcontext() if self._shared else self._executor:
                    self._work(states, trials)
                trials.report(states.update(at_end=True))
        return self._result(states, known, time.monotonic() - started, trials.notes)

    def _work(self, states: RunStates, trials: TrialReporter) -> None:
        """Submit jobs and record their results until none is left."""
        fatal: AblateError | None = None
        self._submit()
        while self._executor.busy:
            outcomes = self._executor.wait(self._listener.news, self._listener.started)
            # all that has ended by now is recorded in one transaction
            results = [result for outcome in outcomes for result in outcome.results]
            stopping = next((outcome.fatal for outcome in outcomes if outcome.fatal), None)
            if stopping:
                # the other jobs may have finished stages, which are recorded first
                fatal = stopping
                self.stop()
            self._recorder.record(results)
            try:
                self._check_results(results)
            except StudyFileError as error:
                fatal = fatal or error
                self.stop()
            if results:
                changed = states.update(results)
                self._submit()
                trials.report(changed, at_once=False)
        if fatal:
            raise fatal

    def _check_results(self, results: Sequence[StageResult | StageFailure]) -> None:
        """Check what was not known before; raises StudyFileError if the study has to stop."""
        if any(result.stage.kind == LOAD for result in results):
            self._check_music()
        check_objectives(self._layout.spec, results)

    def _check_music(self) -> None:
        """Check that tokenizers and metrics fit the corpora, once these are loaded and before anything else is done."""
        loads = [stage for stage in self._layout.stages().values() if stage.kind == LOAD]
        if self.plan.missing and not any(self._status.is_missing(load) for load in loads):
            music = PlannedMusic(self._layout.registry, self._home)
            check_instruments(self._layout, music)
            check_references(self._layout, music)

    def _submit(self) -> None:
        """Submit the jobs that can start."""
        jobs = [] if self._stopped else self._scheduler.jobs()
        for job in jobs:
            self._recorder.start(job)
            self._executor.submit(dataclasses.replace(job, files=self._status.files_read_by(job.stages)))

    def _examples(self, train: Stage) -> ExampleCounts:
        """Return the numbers of examples and tokens of a training, once they are prepared."""
        examples = read_examples(self._home / train.inputs["examples"].artifact / "examples.npz")
        return ExampleCounts(len(examples), int(examples.counts.sum()))

    def _result(
        self, states: RunStates, known: StudyRecord | None, seconds: float, about_trials: Sequence[str]
    ) -> StudyResult:
        stages, spec = self._layout.stages(), self._layout.spec
        ran, failures = self._status.ran, self._status.failures
        floors = (f"a floor is missing: {f.reason}" for f in failures.values() if not KINDS[f.stage.kind].required)
        kept = (
            f"a damaged {failure.stage.kind} could not be made again, and what was computed from it is kept: "
            f"{failure.reason}"
            for fingerprint, failure in failures.items()
            if fingerprint in self.plan.damaged and KINDS[failure.stage.kind].required
        )
        more = notes_on(self._layout, self._store)
        unshown = {MOST: None, SHARDS: None}
        return StudyResult(
            name=spec.name,
            ran=dict(ran),
            reused=dict(collections.Counter(stages[fingerprint].kind for fingerprint in self.plan.reused)),
            failures=states.failures(),
            stopped=self._stopped,
            seconds=seconds,
            checkpoints=sum(self._status.has_checkpoint(stage) for stage in stages.values()),
            notes=tuple(dict.fromkeys(filter(None, (*floors, *kept, *about_trials, *more)))),
            refused=self._scheduler.refused,
            changed=known is None
            or {**known.spec, **unshown} != {**self._layout.plain(), **unshown}
            or bool(ran or failures),
        )
