"""Convert between the rows of the database and the records of the store."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from ablate.store import tables
from ablate.store.records import (
    JSON,
    HistogramRecord,
    LookRecord,
    MeasurementRecord,
    RunRecord,
    StageRecord,
    StudyRecord,
    VariantRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime


def merged_variants(
    old: Sequence[tables.Variant], wanted: Sequence[VariantRecord], runs: Iterable[RunRecord]
) -> list[tables.Variant]:
    """Return rows for the wanted variants with their runs; variants with the same fingerprint keep their row."""
    by_variant: dict[str, list[RunRecord]] = {}
    for run in runs:
        by_variant.setdefault(run.variant, []).append(run)
    rows = {(row.name, row.fingerprint): row for row in old}
    merged = []
    for position, record in enumerate(wanted):
        known = rows.get((record.name, record.fingerprint))
        row = known or tables.Variant(name=record.name, fingerprint=record.fingerprint)
        row.position, row.levels, row.baseline = position, dict(record.levels), record.baseline
        row.runs = _merged_runs(row.runs, by_variant.get(record.name, []))
        merged.append(row)
    return merged


def _merged_runs(old: Sequence[tables.Run], wanted: Sequence[RunRecord]) -> list[tables.Run]:
    """Return rows for the wanted runs; a run with the same stages keeps its state."""
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
    """Return the record of a study."""
    return StudyRecord(row.name, row.spec, row.profile, row.corpus, row.seed, row.created, row.updated)


def look_row(study: int, look: LookRecord, now: datetime) -> tables.Look:
    """Return the row of a look; one without a time is made now."""
    return tables.Look(
        study_id=study,
        replicates=look.replicates,
        share=look.share,
        states=dict(look.states),
        p=dict(look.p),
        variants=list(look.variants),
        made=look.made or now,
    )


def look_record(row: tables.Look) -> LookRecord:
    """Return the record of a look."""
    return LookRecord(row.replicates, row.share, row.states, row.p, tuple(row.variants), row.made)


def stage_record(row: tables.Stage, environment: JSON, sources: JSON) -> StageRecord:
    """Return the record of a stage, with the facts of its environment and of the sources that it used."""
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
        sources,
        row.files or {},
    )


def measurement_record(m: tables.Measurement) -> MeasurementRecord:
    """Return the record of a measurement."""
    return MeasurementRecord(m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n, m.floor)


def histogram_record(h: tables.Histogram) -> HistogramRecord:
    """Return the record of a histogram."""
    return HistogramRecord(
        h.sample, h.metric, h.feature, h.unit, tuple(h.edges), tuple(h.reference), tuple(h.generated), h.floor
    )


def stage_row(stage: StageRecord, now: datetime) -> dict[str, Any]:
    """Return the values of the row of a stage; one without a time has just finished."""
    return {
        "fingerprint": stage.fingerprint,
        "kind": stage.kind,
        "config": dict(stage.config),
        "result": dict(stage.result),
        "artifact": stage.artifact,
        "device": stage.device,
        "seconds": stage.seconds,
        "environment": digest(stage.environment),
        "finished": stage.finished or now,
        "sources": digest(stage.sources) if stage.sources else None,
        "files": dict(stage.files) or None,
    }


def part(fingerprint: str, record: MeasurementRecord | HistogramRecord) -> dict[str, Any]:
    """Return the values of the row of a stage's measurement or histogram."""
    return {"fingerprint": fingerprint, **vars(record)}


def digest(facts: JSON) -> str:
    """Return the key of an environment or of sources: the SHA-256 of its facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
