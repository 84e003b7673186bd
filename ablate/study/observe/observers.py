"""Make the events of runs from what happens to stages, and deliver them to observers."""

from __future__ import annotations

import collections
import contextlib
import time
from typing import TYPE_CHECKING, Any

from ablate.events import Measured, RunFinished, RunStarted, StepLogged, StudyFinished
from ablate.kinds import KINDS, TRAIN
from ablate.study.observe.delivery import Delivery
from ablate.study.run.listener import Listener
from ablate.study.stage import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ablate.events import Ending
    from ablate.store.records import RunState, StageRecord
    from ablate.store.store import Store
    from ablate.study.observe.choice import Observer
    from ablate.study.plan.layout import Run
    from ablate.study.plan.plan import Plan
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Job, LoggedStep, News, StageFailure

#: Seconds for observers to finish after the end of a study, and after the end of one that was stopped.
PATIENCE, PATIENCE_STOPPED = 60.0, 5.0

#: The numbers of a training that observers receive, besides its steps.
_FACTS = ("loss", "validation_loss", "steps", "tokens_seen", "parameters")
_ENDINGS: dict[str, Ending] = {"done": "done", "failed": "failed"}
_Key = tuple[str, int]


class Observers(Listener):
    """Delivers the events of one command on a study to observers.

    Args:
        study: the name of the study.
        observers: built.
        store: the open store; it is only read.
        say: prints a line.
    """

    def __init__(self, study: str, observers: Sequence[Observer], store: Store, say: Callable[[str], None]) -> None:
        self._study, self._store, self._say = study, store, say
        self._deliveries = [Delivery(observer) for observer in observers]
        self._begin = time.monotonic()
        self._waiting: dict[str, dict[_Key, Run]] = {}
        self._started: dict[_Key, Run] = {}
        self._endings: dict[_Key, Ending] = {}

    @contextlib.contextmanager
    def saying(self, say: Callable[[str], None]) -> Iterator[None]:
        """Print lines with another function meanwhile."""
        before, self._say = self._say, say
        try:
            yield
        finally:
            self._say = before

    def begun(self, plan: Plan) -> None:
        """Announce the runs that are reused, and remember which runs wait for which stages."""
        if not self._deliveries:
            return
        self._waiting = {}
        reused = []
        for run in plan.layout.wanted:
            if self._endings.get(_key(run)) == "done":
                continue
            if any(KINDS[stage.kind].required and stage.fingerprint in plan.missing for stage in _stages(run)):
                for stage in _stages(run):
                    self._waiting.setdefault(stage.fingerprint, {})[_key(run)] = run
            else:
                reused.append(run)
        self._announce_reused(reused)
        self._say_errors()

    def started(self, job: Job) -> None:
        """Announce the runs that wait for a job, unless it prepares music or measures floors."""
        kind = KINDS[job.kind]
        if kind.early or not kind.required:
            return
        for stage in job.stages:
            for run in self._waiting.get(stage.fingerprint, {}).values():
                self._start(run)

    def news(self, news: News) -> None:
        """Deliver the steps of trainings, to every run that waits for them."""
        for logged in news.logged:
            for run in self._waiting.get(logged.fingerprint, {}).values():
                self._start(run)
                self._put("ablate_step_logged", _step(self._study, run, logged))
        self._say_errors()

    def run_changed(self, run: Run, state: RunState, failure: StageFailure | None) -> None:
        """Announce a run that is done or has failed."""
        if not self._deliveries or state not in _ENDINGS or self._endings.get(_key(run)) == "done":
            return
        if failure or _key(run) in self._started:
            self._start(run)
            error = f"{failure.error_class}: {failure.error}" if failure else ""
            self._finish([run], _ENDINGS[state], error)

    def finish(self, *, stopped: bool = True, verdicts: Sequence[str] = (), report: str = "") -> None:
        """Announce the runs that were interrupted and the end of the study, and wait a while for the observers.

        Args:
            stopped: whether the study was stopped, or ended with an error.
            verdicts: the sentences that answer its question.
            report: the path of the report's page.
        """
        self._finish([*self._started.values()], "interrupted")
        runs = collections.Counter(self._endings.values())
        seconds = time.monotonic() - self._begin
        event = StudyFinished(
            study=self._study,
            stopped=stopped,
            runs=dict(runs),
            seconds=seconds,
            verdicts=tuple(verdicts),
            report=report,
        )
        self._put("ablate_study_finished", event)
        patience = PATIENCE_STOPPED if stopped else PATIENCE
        deadline = time.monotonic() + patience
        for delivery in self._deliveries:
            left = delivery.wait(deadline)
            if left:
                self._say(f"{delivery.observer} did not finish within {patience:.0f} s; it did not get {left} events")
            if delivery.dropped:
                self._say(f"{delivery.observer} was too slow and did not get {delivery.dropped:,} steps")
            if delivery.line:
                self._say(f"{delivery.observer.name}: {delivery.line}")
        self._say_errors()

    def _put(self, hook: str, event: object) -> None:
        for delivery in self._deliveries:
            delivery.put(hook, event)

    def _say_errors(self) -> None:
        for delivery in self._deliveries:
            error = delivery.take_error()
            if error:
                self._say(f"{error}; it is switched off, and the study continues")

    def _start(self, run: Run, *, reused: bool = False) -> None:
        if _key(run) in self._started:
            return
        self._started[_key(run)] = run
        event = RunStarted(
            **_names(self._study, run),
            levels=run.variant.levels,
            baseline=run.variant.baseline,
            config=run.configuration.plain(),
            fingerprint=fingerprint(run.stages.fingerprints()),
            reused=reused,
        )
        self._put("ablate_run_started", event)

    def _announce_reused(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self._start(run, reused=True)
        self._finish(runs, "done", reused=True)

    def _finish(self, runs: Sequence[Run], ending: Ending, error: str = "", *, reused: bool = False) -> None:
        """Announce the end of runs."""
        # the results of an interrupted run are not read: the database itself may be what has ended the study
        own = {
            _key(run): [stage for stage in _stages(run) if _is_own(stage) and ending != "interrupted"] for run in runs
        }
        fingerprints = [stage.fingerprint for stages in own.values() for stage in stages]
        records, means = self._store.stages(fingerprints), self._store.means_of_stages(fingerprints)
        for run in runs:
            stages = own[_key(run)]
            event = RunFinished(
                **_names(self._study, run),
                state=ending,
                error=error,
                measurements=tuple(Measured(**vars(m)) for stage in stages for m in means.get(stage.fingerprint, ())),
                training=_training(stages, records),
                seconds=sum(records[stage.fingerprint].seconds for stage in stages if stage.fingerprint in records),
                reused=reused,
            )
            self._put("ablate_run_finished", event)
            self._started.pop(_key(run), None)
            self._endings[_key(run)] = ending


def _key(run: Run) -> _Key:
    return run.variant.name, run.replicate


def _stages(run: Run) -> Iterable[Stage]:
    return run.stages.stages.values()


def _is_own(stage: Stage) -> bool:
    """Return whether a stage is work for a run itself, not for its music or its floors."""
    return KINDS[stage.kind].required and not KINDS[stage.kind].early


def _names(study: str, run: Run) -> dict[str, Any]:
    return {"study": study, "variant": run.variant.name, "replicate": run.replicate}


def _step(study: str, run: Run, logged: LoggedStep) -> StepLogged:
    numbers = {name: value for name, value in vars(logged).items() if name != "fingerprint"}
    return StepLogged(**_names(study, run), **numbers)


def _training(stages: Sequence[Stage], records: Mapping[str, StageRecord]) -> dict[str, float]:
    """Return the facts of the finished training among stages; empty if there is none."""
    finished = [records[stage.fingerprint] for stage in stages if stage.kind == TRAIN and stage.fingerprint in records]
    return {name: record.result[name] for record in finished for name in _FACTS if name in record.result}
