"""The store: every question to and every change of the database, as plain methods on records."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from ablate.errors import StoreError, UnknownName
from ablate.store import schema, tables
from ablate.store.records import (
    JSON,
    CellHistogram,
    CellMeasurement,
    CellRecord,
    CellState,
    HistogramRecord,
    MeasurementRecord,
    StageRecord,
    StudyRecord,
    VariantRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType


class Store:
    """An open database.

    Args:
        url: an SQLAlchemy URL (``sqlite:///path/to/ablate.db``).

    Raises:
        StoreError: it cannot be opened, is not ours, or has another schema version.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = schema.make_engine(url)
        with self._explained():
            schema.ensure(self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the driver's errors into one line."""
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.DatabaseError) as error:
            cause = str(error.orig) if error.orig else str(error)
            hint = {
                "database or disk is full": "free some space, then run the same command again",
                "disk I/O error": "look at the disk's space and health, then run the same command again",
                "database is locked": "another program is writing to it; try again when it is done",
                "file is not a database": "choose another --home or --store",
                "unable to open database file": "look at its folder's permissions",
                "attempt to write a readonly database": "look at the file's permissions",
            }.get(cause, "nothing that was finished is lost")
            raise StoreError(f"{self._engine.url.render_as_string()}: {cause}; {hint}") from error

    @contextlib.contextmanager
    def _session(self, *, reading: bool = False) -> Iterator[Session]:
        engine = self._engine.execution_options(reading=reading)
        with self._explained(), Session(engine) as session, session.begin():
            yield session

    # Studies

    def put_study(self, study: StudyRecord, variants: Sequence[VariantRecord], cells: Iterable[CellRecord]) -> None:
        """Set a study's variants and cells to exactly these; cells that stay keep their state."""
        now = datetime.now(UTC)
        by_variant: dict[str, list[CellRecord]] = {}
        for cell in cells:
            by_variant.setdefault(cell.variant, []).append(cell)
        with self._session() as session:
            row = session.scalar(sa.select(tables.Study).where(tables.Study.name == study.name))
            if row is None:
                row = tables.Study(name=study.name, created=now)
                session.add(row)
            row.spec, row.profile, row.corpus = dict(study.spec), study.profile, study.corpus
            row.seed, row.updated = study.seed, now
            old = {(v.name, v.fingerprint): v for v in row.variants}
            kept = []
            for position, variant in enumerate(variants):
                variant_row = old.get((variant.name, variant.fingerprint)) or tables.Variant(
                    name=variant.name, fingerprint=variant.fingerprint
                )
                variant_row.position, variant_row.levels = position, dict(variant.levels)
                variant_row.baseline = variant.baseline
                variant_row.cells = _merge_cells(variant_row.cells, by_variant.get(variant.name, []))
                kept.append(variant_row)
            # first the removals: a variant that changed keeps its name, which is unique in the study
            row.variants = [v for v in row.variants if v in kept]
            session.flush()
            row.variants = kept

    def studies(self) -> list[StudyRecord]:
        """Every study, by name."""
        with self._session(reading=True) as session:
            return [_study(row) for row in session.scalars(sa.select(tables.Study).order_by(tables.Study.name))]

    def study(self, name: str) -> StudyRecord:
        """The study of that name; raises :class:`UnknownName` with a suggestion."""
        with self._session(reading=True) as session:
            return _study(self._study_row(session, name))

    def variants(self, name: str) -> list[VariantRecord]:
        """A study's variants in their order."""
        with self._session(reading=True) as session:
            return [
                VariantRecord(v.name, v.fingerprint, v.levels, v.baseline)
                for v in self._study_row(session, name).variants
            ]

    def cells(self, name: str) -> list[CellRecord]:
        """A study's cells, by variant and replicate."""
        with self._session(reading=True) as session:
            row = self._study_row(session, name)
            query = (
                sa.select(tables.Cell)
                .join(tables.Variant)
                .where(tables.Variant.study_id == row.id)
                .order_by(tables.Variant.position, tables.Cell.replicate)
                .options(selectinload(tables.Cell.stages), selectinload(tables.Cell.variant))
            )
            return [_cell(cell) for cell in session.scalars(query)]

    def set_cell(
        self, study: str, variant: str, replicate: int, state: CellState, error_class: str = "", error: str = ""
    ) -> None:
        """Record what became of a cell."""
        with self._session() as session:
            cell = session.scalar(
                sa.select(tables.Cell)
                .join(tables.Variant)
                .join(tables.Study)
                .where(tables.Study.name == study, tables.Variant.name == variant, tables.Cell.replicate == replicate)
            )
            if cell is None:
                raise StoreError(f"study '{study}' has no cell {variant}, replicate {replicate}")
            cell.state, cell.error_class, cell.error = state, error_class, error

    def delete_study(self, name: str) -> list[str]:
        """Delete a study and every stage of its cells that no other study uses; returns the folders of their files."""
        with self._session() as session:
            row = self._study_row(session, name)
            own = {stage.fingerprint for variant in row.variants for cell in variant.cells for stage in cell.stages}
            session.delete(row)
            session.flush()
            used = set(session.scalars(sa.select(tables.CellStage.fingerprint).distinct()))
            unused = sa.select(tables.Stage).where(tables.Stage.fingerprint.in_(sorted(own - used)))
            artifacts = []
            for stage in session.scalars(unused):
                artifacts.append(stage.artifact)
                session.delete(stage)
            return [artifact for artifact in artifacts if artifact]

    def _study_row(self, session: Session, name: str) -> tables.Study:
        row = session.scalar(sa.select(tables.Study).where(tables.Study.name == name))
        if row is None:
            raise UnknownName("study in this home", name, session.scalars(sa.select(tables.Study.name)))
        return row

    # Stages

    def stages(self, fingerprints: Iterable[str]) -> dict[str, StageRecord]:
        """Those of the stages that are finished, by fingerprint."""
        wanted = sorted(set(fingerprints))
        found: dict[str, StageRecord] = {}
        with self._session(reading=True) as session:
            for start in range(0, len(wanted), 500):  # SQLite limits the number of parameters
                query = (
                    sa.select(tables.Stage, tables.Environment)
                    .join(tables.Environment, tables.Stage.environment == tables.Environment.digest)
                    .where(tables.Stage.fingerprint.in_(wanted[start : start + 500]))
                )
                for stage, environment in session.execute(query):
                    found[stage.fingerprint] = _stage(stage, environment.facts)
        return found

    def put_stage(
        self,
        stage: StageRecord,
        measurements: Iterable[MeasurementRecord] = (),
        histograms: Iterable[HistogramRecord] = (),
    ) -> None:
        """Record a finished stage with what it measured, in one transaction; again is the same as once."""
        facts = json.dumps(stage.environment, sort_keys=True)
        digest = hashlib.sha256(facts.encode()).hexdigest()
        with self._session() as session:
            if session.get(tables.Stage, stage.fingerprint):
                return
            session.merge(tables.Environment(digest=digest, facts=dict(stage.environment)))
            session.flush()
            session.add(
                tables.Stage(
                    fingerprint=stage.fingerprint,
                    kind=stage.kind,
                    config=dict(stage.config),
                    result=dict(stage.result),
                    artifact=stage.artifact,
                    device=stage.device,
                    seconds=stage.seconds,
                    environment=digest,
                    finished=datetime.now(UTC),
                )
            )
            session.flush()
            session.add_all(tables.Measurement(fingerprint=stage.fingerprint, **vars(m)) for m in measurements)
            session.add_all(_histogram_row(stage.fingerprint, h) for h in histograms)

    def forget_stages(self, fingerprints: Iterable[str]) -> None:
        """Drop stages whose files are gone, so that they run again."""
        with self._session() as session:
            session.execute(sa.delete(tables.Stage).where(tables.Stage.fingerprint.in_(sorted(set(fingerprints)))))

    def finished(self, kind: str) -> list[StageRecord]:
        """Every finished stage of a kind, whatever study it was for."""
        with self._session(reading=True) as session:
            query = (
                sa.select(tables.Stage, tables.Environment)
                .join(tables.Environment, tables.Stage.environment == tables.Environment.digest)
                .where(tables.Stage.kind == kind)
            )
            return [_stage(stage, environment.facts) for stage, environment in session.execute(query)]

    # Measurements

    def measurements(self, study: str) -> list[CellMeasurement]:
        """Every measurement of a study's cells, ordered by variant, replicate, sample."""
        with self._session(reading=True) as session:
            self._study_row(session, study)
            query = _of_cells(tables.Measurement, study).order_by(tables.Measurement.id)
            return [
                CellMeasurement(
                    variant,
                    replicate,
                    MeasurementRecord(m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n),
                )
                for variant, replicate, m in session.execute(query)
            ]

    def means(self, study: str, metric: str, feature: str) -> dict[tuple[str, int], float]:
        """The mean over the samples of each cell that has been measured, by (variant, replicate)."""
        with self._session(reading=True) as session:
            query = (
                sa.select(tables.Variant.name, tables.Cell.replicate, sa.func.avg(tables.Measurement.value))
                .join(tables.CellStage, tables.CellStage.fingerprint == tables.Measurement.fingerprint)
                .join(tables.Cell, tables.Cell.id == tables.CellStage.cell_id)
                .join(tables.Variant)
                .join(tables.Study)
                .where(tables.Study.name == study)
                .where(tables.Measurement.metric == metric, tables.Measurement.feature == feature)
                .group_by(tables.Variant.name, tables.Cell.replicate)
            )
            return {(variant, replicate): float(mean) for variant, replicate, mean in session.execute(query)}

    def histograms(self, study: str) -> list[CellHistogram]:
        """Every histogram of a study's cells, ordered by variant, replicate, sample."""
        with self._session(reading=True) as session:
            self._study_row(session, study)
            query = _of_cells(tables.Histogram, study).order_by(tables.Histogram.id)
            return [
                CellHistogram(variant, replicate, _histogram(h)) for variant, replicate, h in session.execute(query)
            ]


def _of_cells(table: type[Any], study: str) -> sa.Select[Any]:
    """Rows of ``table`` with the variant and replicate of each cell of the study that they belong to."""
    query = (
        sa.select(tables.Variant.name, tables.Cell.replicate, table)
        .join(tables.CellStage, tables.CellStage.fingerprint == table.fingerprint)
        .join(tables.Cell, tables.Cell.id == tables.CellStage.cell_id)
        .join(tables.Variant)
        .join(tables.Study)
        .where(tables.Study.name == study)
    )
    return query.order_by(tables.Variant.position, tables.Cell.replicate)


def _merge_cells(old: Sequence[tables.Cell], wanted: Sequence[CellRecord]) -> list[tables.Cell]:
    """Rows for the wanted cells: one that already consists of the same stages keeps its state."""
    rows = {cell.replicate: cell for cell in old}
    merged = []
    for record in wanted:
        row = rows.get(record.replicate) or tables.Cell(replicate=record.replicate, stages=[])
        same = {stage.name: stage.fingerprint for stage in row.stages} == dict(record.stages)
        if not same:
            row.state, row.error_class, row.error = record.state, record.error_class, record.error
            row.stages = _merge_stages(row.stages, record.stages)
        row.config = dict(record.config)
        merged.append(row)
    return merged


def _merge_stages(old: Sequence[tables.CellStage], wanted: Mapping[str, str]) -> list[tables.CellStage]:
    rows = {stage.name: stage for stage in old}
    merged = []
    for name, fingerprint in wanted.items():
        row = rows.get(name) or tables.CellStage(name=name)
        row.fingerprint = fingerprint
        merged.append(row)
    return merged


def _study(row: tables.Study) -> StudyRecord:
    return StudyRecord(row.name, row.spec, row.profile, row.corpus, row.seed, row.created, row.updated)


def _cell(row: tables.Cell) -> CellRecord:
    stages = {stage.name: stage.fingerprint for stage in row.stages}
    state: CellState = row.state  # type: ignore[assignment]
    return CellRecord(row.variant.name, row.replicate, stages, row.config, state, row.error_class, row.error)


def _stage(row: tables.Stage, environment: JSON) -> StageRecord:
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


def _histogram(h: tables.Histogram) -> HistogramRecord:
    return HistogramRecord(
        h.sample, h.metric, h.feature, h.unit, tuple(h.edges), tuple(h.reference), tuple(h.generated)
    )


def _histogram_row(fingerprint: str, h: HistogramRecord) -> tables.Histogram:
    lists = {"edges": list(h.edges), "reference": list(h.reference), "generated": list(h.generated)}
    return tables.Histogram(
        fingerprint=fingerprint, sample=h.sample, metric=h.metric, feature=h.feature, unit=h.unit, **lists
    )
