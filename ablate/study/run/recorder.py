"""Record a study and the results of its stages."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.files import led_to, write_whole
from ablate.kinds import KINDS, TRAIN
from ablate.printable import printable
from ablate.store.records import (
    FinishedStage,
    HistogramRecord,
    MeasurementRecord,
    RunRecord,
    StageRecord,
    StudyRecord,
    VariantRecord,
)
from ablate.study.run.provenance import environment
from ablate.study.run.replicates import most_replicates
from ablate.study.shards.shard import shards_with
from ablate.study.sources.started import read_started, remove_started, write_started
from ablate.study.work.messages import MetricRecord, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.interfaces import Value
    from ablate.registry import Registry
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout
    from ablate.study.run.listener import Listener
    from ablate.study.run.status import StageStatus
    from ablate.study.sources.facts import Sources
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Job


def _measurement(record: MetricRecord[Value]) -> MeasurementRecord:
    value = record.content
    numbers = (value.feature, value.value, value.unit, value.direction, value.n)
    return MeasurementRecord(record.sample, record.metric, *numbers, floor=record.floor)


def record_study(layout: Layout, store: Store) -> None:
    """Write a study with its variants and runs to the store; runs with the same stages keep their state."""
    spec = layout.spec
    variants = [VariantRecord(v.name, layout.fingerprints[v.name], v.levels, v.baseline) for v in layout.variants]
    runs = [
        RunRecord(run.variant.name, run.replicate, run.stages.fingerprints(), run.configuration.plain())
        for run in layout.runs
    ]
    plain = {**layout.plain(), **most_replicates(layout, store), **shards_with(layout, store)}
    store.put_study(StudyRecord(spec.name, plain, spec.profile, _music(layout), spec.seed), variants, runs)


def _music(layout: Layout) -> str:
    """Return the music of a study for people: the names of its corpora; of one that reads a path, that of the file."""
    choices = [choice for run in layout.runs for choice in run.configuration.choices["corpus"]]
    options = {choice.name: layout.registry.spec("corpus", choice.name).path_option for choice in choices}
    read = dict.fromkeys((choice.name, str(choice.options.get(options[choice.name]) or "")) for choice in choices)
    return ", ".join(dict.fromkeys(printable(led_to(Path(path)).name) if path else name for name, path in read))


class Recorder:
    """Writes the results of jobs to the store, and errors to log files.

    Args:
        store: the open store.
        home: the folder for the log files.
        device: that of the study, for results that name none.
        registry: the components that they use.
        sources: of these components, as they were before anything ran.
        status: kept up to date with the results.
        listener: receives an event for each result.
    """

    def __init__(
        self,
        store: Store,
        home: Path,
        device: str,
        registry: Registry,
        sources: Sources,
        status: StageStatus,
        listener: Listener,
    ) -> None:
        self._store, self._home, self._device, self._registry = store, home, device, registry
        self._sources, self._status, self._listener = sources, status, listener

    def start(self, job: Job) -> None:
        """Record what the trainings of a job start with, before it is worked on."""
        for stage in job.stages if job.kind == TRAIN else ():
            write_started(self._home, stage.fingerprint, self._sources.of(stage))

    def record(self, results: Sequence[StageResult | StageFailure]) -> None:
        """Record results, those of finished stages in one transaction; only then are they told."""
        if not results:
            return
        finished = [result for result in results if isinstance(result, StageResult)]
        records = [self._finished_stage(result) for result in finished]
        for result in finished:
            # before the results are in the store: after a kill in between, nobody would remove it
            if result.stage.kind == TRAIN:
                remove_started(self._home, result.stage.fingerprint)
        # a stage that ran again because its files were lost has a record
        self._store.put_stages(records, replace=True)
        for result in finished:
            self._status.finish(result.stage, result.files)
        for each in results:
            if isinstance(each, StageResult):
                self._listener.done(each)
                continue
            self._status.fail(each)
            if each.trace:
                self._log(each)
            self._listener.failed(each)

    def _finished_stage(self, result: StageResult) -> FinishedStage:
        stage = result.stage
        record = StageRecord(
            stage.fingerprint,
            stage.kind,
            stage.plain(),
            result.result,
            stage.artifact if KINDS[stage.kind].keeps_files else "",
            result.device or self._device,
            result.seconds,
            environment(self._registry),
            sources=self._used(stage),
            files=result.files,
        )
        return FinishedStage(
            record,
            tuple(_measurement(m) for m in result.values),
            tuple(HistogramRecord(m.sample, m.metric, **vars(m.content), floor=m.floor) for m in result.histograms),
        )

    def _used(self, stage: Stage) -> Mapping[str, Any]:
        """Return what a stage used; of a training, what it was started with, maybe by an earlier command."""
        started = read_started(self._home, stage.fingerprint) if stage.kind == TRAIN else None
        return started or self._sources.of(stage)

    def _log(self, failure: StageFailure) -> None:
        path = self._home / "logs" / f"{failure.stage.fingerprint}.txt"
        with contextlib.suppress(OSError):  # a full disk must not hide the failure itself
            write_whole(path, failure.trace.encode())
