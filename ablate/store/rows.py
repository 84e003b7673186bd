"""Between the database's rows and the records that the store takes and gives."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from ablate.store import tables
from ablate.store.records import (
    JSON,
    HistogramRecord,
    MeasurementRecord,
    RunRecord,
    StageRecord,
    StudyRecord,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


def merged_runs(old: Sequence[tables.Run], wanted: Sequence[RunRecord]) -> list[tables.Run]:
    """Rows for the wanted runs: one that already consists of the same stages keeps its state."""
    rows = {run.replicate: run for run in old}
    merged = []
    for record in wanted:
        known = rows.get(record.replicate)
        row = known or tables.Run(replicate=record.replicate, stages=[])
        same = {stage.name: stage.fingerprint for stage in row.stages} == dict(record.stages)
        if known is None or not same:
            row.state, row.error_class, row.error = record.state, record.error_class, record.error
            row.stages = _merged_stages(row.stages, record.stages)
        row.config = dict(record.config)
        merged.append(row)
    return merged


def _merged_stages(old: Sequence[tables.RunStage], wanted: Mapping[str, str]) -> list[tables.RunStage]:
    rows = {stage.name: stage for stage in old}
    merged = []
    for name, fingerprint in wanted.items():
        row = rows.get(name) or tables.RunStage(name=name)
        row.fingerprint = fingerprint
        merged.append(row)
    return merged


def study_record(row: tables.Study) -> StudyRecord:
    """A study."""
    return StudyRecord(row.name, row.spec, row.profile, row.corpus, row.seed, row.created, row.updated)


def stage_record(row: tables.Stage, environment: JSON) -> StageRecord:
    """A stage's result, with the facts of the environment it was made in."""
    return StageRecord(
        row.fingerprint,
        row.kind,
        row.config,
        row.result,
        row.artifact,
        row.device,
        row.seconds,
        environment,
        row.finished,
    )


def histogram_record(h: tables.Histogram) -> HistogramRecord:
    """A histogram."""
    return HistogramRecord(
        h.sample, h.metric, h.feature, h.unit, tuple(h.edges), tuple(h.reference), tuple(h.generated), h.floor
    )


def stage_row(stage: StageRecord, now: datetime) -> dict[str, Any]:
    """A stage that has just finished, as the values of its row."""
    return {
        "fingerprint": stage.fingerprint,
        "kind": stage.kind,
        "config": dict(stage.config),
        "result": dict(stage.result),
        "artifact": stage.artifact,
        "device": stage.device,
        "seconds": stage.seconds,
        "environment": digest(stage.environment),
        "finished": now,
    }


def part(fingerprint: str, record: MeasurementRecord | HistogramRecord) -> dict[str, Any]:
    """A measurement or histogram of the stage with this fingerprint, as the values of its row."""
    return {"fingerprint": fingerprint, **vars(record)}


def digest(environment: JSON) -> str:
    """What an environment is known by: SHA-256 of its facts."""
    return hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()
