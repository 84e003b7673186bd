"""Between the database's rows and the records that the store takes and gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.store import tables
from ablate.store.records import JSON, CellRecord, CellState, HistogramRecord, StageRecord, StudyRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def merged_cells(old: Sequence[tables.Cell], wanted: Sequence[CellRecord]) -> list[tables.Cell]:
    """Rows for the wanted cells: one that already consists of the same stages keeps its state."""
    rows = {cell.replicate: cell for cell in old}
    merged = []
    for record in wanted:
        known = rows.get(record.replicate)
        row = known or tables.Cell(replicate=record.replicate, stages=[])
        same = {stage.name: stage.fingerprint for stage in row.stages} == dict(record.stages)
        if known is None or not same:
            row.state, row.error_class, row.error = record.state, record.error_class, record.error
            row.stages = _merged_stages(row.stages, record.stages)
        row.config = dict(record.config)
        merged.append(row)
    return merged


def _merged_stages(old: Sequence[tables.CellStage], wanted: Mapping[str, str]) -> list[tables.CellStage]:
    rows = {stage.name: stage for stage in old}
    merged = []
    for name, fingerprint in wanted.items():
        row = rows.get(name) or tables.CellStage(name=name)
        row.fingerprint = fingerprint
        merged.append(row)
    return merged


def study_record(row: tables.Study) -> StudyRecord:
    """A study."""
    return StudyRecord(row.name, row.spec, row.profile, row.corpus, row.seed, row.created, row.updated)


def cell_record(row: tables.Cell) -> CellRecord:
    """A cell, with its variant's name and its stages."""
    stages = {stage.name: stage.fingerprint for stage in row.stages}
    state: CellState = row.state  # type: ignore[assignment]
    return CellRecord(row.variant.name, row.replicate, stages, row.config, state, row.error_class, row.error)


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


def histogram_row(fingerprint: str, h: HistogramRecord) -> tables.Histogram:
    """A histogram as a row of the stage with this fingerprint."""
    lists = {"edges": list(h.edges), "reference": list(h.reference), "generated": list(h.generated)}
    return tables.Histogram(
        fingerprint=fingerprint,
        sample=h.sample,
        metric=h.metric,
        feature=h.feature,
        unit=h.unit,
        floor=h.floor,
        **lists,
    )
