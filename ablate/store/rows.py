"""Rows of the database from records; the way back is :mod:`ablate.store.reading.records`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.store.database import tables
from ablate.store.reading.problems import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ablate.store.records import (
        HistogramRecord,
        LookRecord,
        MeasurementRecord,
        RunRecord,
        StageRecord,
        VariantRecord,
    )


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
        "environment": digest_of(stage.environment),
        "finished": stage.finished or now,
        "sources": digest_of(stage.sources) if stage.sources else None,
        "files": dict(stage.files) or None,
    }


def part(fingerprint: str, record: MeasurementRecord | HistogramRecord) -> dict[str, Any]:
    """Return the values of the row of a stage's measurement or histogram."""
    return {"fingerprint": fingerprint, **vars(record)}
