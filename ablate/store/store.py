"""The store: every question to and every change of the database, as plain methods on records."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from ablate.errors import StoreError, UnknownName
from ablate.store import rows, schema, tables
from ablate.store.records import (
    FinishedStage,
    HistogramRecord,
    MeasurementRecord,
    MeasurementRow,
    RunHistogram,
    RunMeasurement,
    RunRecord,
    RunState,
    StageRecord,
    StudyRecord,
    VariantRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
        try:
            schema.ensure(self._engine)
        except BaseException:
            self._engine.dispose()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def _session(self, *, reading: bool = False) -> Iterator[Session]:
        engine = self._engine.execution_options(reading=reading)
        with schema.explained(engine), Session(engine) as session, session.begin():
            yield session

    # Studies

    def put_study(self, study: StudyRecord, variants: Sequence[VariantRecord], runs: Iterable[RunRecord]) -> None:
        """Set a study's variants and runs to exactly these; runs that stay keep their state."""
        now = datetime.now(UTC)
        by_variant: dict[str, list[RunRecord]] = {}
        for run in runs:
            by_variant.setdefault(run.variant, []).append(run)
        with self._session() as session:
            below = selectinload(tables.Study.variants).selectinload(tables.Variant.runs)
            query = sa.select(tables.Study).where(tables.Study.name == study.name)
            row = session.scalar(query.options(below.selectinload(tables.Run.stages)))
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
                variant_row.runs = rows.merged_runs(variant_row.runs, by_variant.get(variant.name, []))
                kept.append(variant_row)
            # first the removals: a variant that changed keeps its name, which is unique in the study
            row.variants = [v for v in row.variants if v in kept]
            session.flush()
            row.variants = kept

    def studies(self) -> list[StudyRecord]:
        """Every study, by name."""
        with self._session(reading=True) as session:
            return [
                rows.study_record(row) for row in session.scalars(sa.select(tables.Study).order_by(tables.Study.name))
            ]

    def study(self, name: str) -> StudyRecord:
        """The study of that name; raises :class:`UnknownName` with a suggestion."""
        with self._session(reading=True) as session:
            return rows.study_record(self._study_row(session, name))

    def variants(self, name: str) -> list[VariantRecord]:
        """A study's variants in their order."""
        with self._session(reading=True) as session:
            return [
                VariantRecord(v.name, v.fingerprint, v.levels, v.baseline)
                for v in self._study_row(session, name).variants
            ]

    def runs(self, name: str) -> list[RunRecord]:
        """A study's runs, by variant and replicate."""
        run, link = tables.Run, tables.RunStage
        columns = (run.id, tables.Variant.name, run.replicate, run.config, run.state, run.error_class, run.error)
        with self._session(reading=True) as session:
            of_study = tables.Variant.study_id == self._study_row(session, name).id
            stages: dict[int, dict[str, str]] = {}
            links = sa.select(link.run_id, link.name, link.fingerprint).join(run).join(tables.Variant)
            for key, stage, fingerprint in session.execute(links.where(of_study)):
                stages.setdefault(key, {})[stage] = fingerprint
            query = sa.select(*columns).join(tables.Variant).where(of_study)
            found: Iterable[Any] = session.execute(query.order_by(tables.Variant.position, run.replicate))
            return [
                RunRecord(variant, replicate, stages.get(key, {}), *about) for key, variant, replicate, *about in found
            ]

    def set_run(
        self, study: str, variant: str, replicate: int, state: RunState, error_class: str = "", error: str = ""
    ) -> None:
        """Record what became of a run."""
        with self._session() as session:
            run = session.scalar(
                sa.select(tables.Run)
                .join(tables.Variant)
                .join(tables.Study)
                .where(tables.Study.name == study, tables.Variant.name == variant, tables.Run.replicate == replicate)
            )
            if run is None:
                raise StoreError(f"study '{study}' has no run {variant}, replicate {replicate}")
            run.state, run.error_class, run.error = state, error_class, error

    def delete_study(self, name: str) -> list[str]:
        """Delete a study and every stage of its runs that no other study uses; returns the folders of their files."""
        with self._session() as session:
            row = self._study_row(session, name)
            links = sa.select(tables.RunStage.fingerprint).join(tables.Run).join(tables.Variant)
            own = set(session.scalars(links.where(tables.Variant.study_id == row.id)))
            session.execute(sa.delete(tables.Study).where(tables.Study.id == row.id))  # its runs go with it
            used = set(session.scalars(sa.select(tables.RunStage.fingerprint).distinct()))
            artifacts: list[str] = []
            for some in _portions(own - used):
                unused = tables.Stage.fingerprint.in_(some)
                artifacts += session.scalars(sa.select(tables.Stage.artifact).where(unused))
                session.execute(sa.delete(tables.Stage).where(unused))
            seen = sa.select(tables.Stage.environment)
            session.execute(sa.delete(tables.Environment).where(tables.Environment.digest.not_in(seen)))
            return [artifact for artifact in artifacts if artifact]

    def _study_row(self, session: Session, name: str) -> tables.Study:
        row = session.scalar(sa.select(tables.Study).where(tables.Study.name == name))
        if row is None:
            raise UnknownName("study", name, session.scalars(sa.select(tables.Study.name)), where="in this home")
        return row

    # Stages

    def stages(self, fingerprints: Iterable[str]) -> dict[str, StageRecord]:
        """Those of the stages that are finished, by fingerprint."""
        found: dict[str, StageRecord] = {}
        with self._session(reading=True) as session:
            for some in _portions(fingerprints):
                for stage, facts in session.execute(_with_environment(tables.Stage.fingerprint.in_(some))):
                    found[stage.fingerprint] = rows.stage_record(stage, facts)
        return found

    def put_stage(
        self,
        stage: StageRecord,
        measurements: Iterable[MeasurementRecord] = (),
        histograms: Iterable[HistogramRecord] = (),
    ) -> None:
        """Record a finished stage with what it measured; again is the same as once."""
        self.put_stages([FinishedStage(stage, tuple(measurements), tuple(histograms))])

    def put_stages(self, finished: Iterable[FinishedStage]) -> None:
        """Record finished stages with what they measured, all in one transaction; again is the same as once."""
        wanted = {each.stage.fingerprint: each for each in finished}
        now = datetime.now(UTC)
        with self._session() as session:
            for some in _portions(wanted):
                for known in session.scalars(
                    sa.select(tables.Stage.fingerprint).where(tables.Stage.fingerprint.in_(some))
                ):
                    del wanted[known]
            environments = {rows.digest(each.stage.environment): each.stage.environment for each in wanted.values()}
            for digest, facts in environments.items():
                session.merge(tables.Environment(digest=digest, facts=dict(facts)))
            session.flush()
            # past the ORM, whose objects would take ten times as long to make as the rows to write
            new: dict[type[tables.Base], list[dict[str, Any]]] = {
                tables.Stage: [rows.stage_row(each.stage, now) for each in wanted.values()],
                tables.Measurement: [rows.part(f, m) for f, each in wanted.items() for m in each.measurements],
                tables.Histogram: [rows.part(f, h) for f, each in wanted.items() for h in each.histograms],
            }
            for table, made in new.items():
                if made:
                    session.execute(sa.insert(table.metadata.tables[table.__tablename__]), made)

    def forget_stages(self, fingerprints: Iterable[str]) -> None:
        """Drop stages whose files are gone, so that they run again."""
        with self._session() as session:
            for some in _portions(fingerprints):
                session.execute(sa.delete(tables.Stage).where(tables.Stage.fingerprint.in_(some)))

    def finished(self, kind: str) -> list[StageRecord]:
        """Every finished stage of a kind, whatever study it was for."""
        with self._session(reading=True) as session:
            return [rows.stage_record(*row) for row in session.execute(_with_environment(tables.Stage.kind == kind))]

    # Measurements

    def measurements(self, study: str) -> list[RunMeasurement]:
        """Every measurement of a study's runs, ordered by variant, replicate, sample, metric; no floors."""
        with self._session(reading=True) as session:
            self._study_row(session, study)
            return [
                RunMeasurement(variant, replicate, MeasurementRecord(*record))
                for variant, replicate, *record in session.execute(_measured(study))
            ]

    def measurement_rows(self, study: str) -> list[MeasurementRow]:
        """The same as plain rows, for reports: hundreds of thousands of records would take seconds to make."""
        with self._session(reading=True) as session:
            self._study_row(session, study)
            return [MeasurementRow._make(row) for row in session.execute(_measured(study))]

    def features(self, study: str, metric: str) -> dict[str, str]:
        """What a metric has measured in a study so far: feature to direction, in the metric's order."""
        with self._session(reading=True) as session:
            table = tables.Measurement
            query = _of_runs(table, study, table.feature, table.direction)
            query = query.where(table.metric == metric, table.floor == "").order_by(table.id)
            return {feature: direction for _, _, feature, direction in session.execute(query)}

    def means(self, study: str, metric: str, feature: str) -> dict[tuple[str, int], float]:
        """The mean over the samples of each run that has been measured, by (variant, replicate)."""
        with self._session(reading=True) as session:
            table = tables.Measurement
            query = (
                _of_runs(table, study, sa.func.avg(table.value))
                .where(table.metric == metric, table.feature == feature, table.floor == "")
                .group_by(tables.Variant.name, tables.Run.replicate)
            )
            return {(variant, replicate): float(mean) for variant, replicate, mean in session.execute(query)}

    def histograms(self, study: str) -> list[RunHistogram]:
        """Every histogram of a study's runs, ordered by variant, replicate, sample, metric; no floors."""
        with self._session(reading=True) as session:
            self._study_row(session, study)
            table = tables.Histogram
            query = _of_runs(table, study, table).where(table.floor == "").order_by(*_order(table))
            return [
                RunHistogram(variant, replicate, rows.histogram_record(h))
                for variant, replicate, h in session.execute(query)
            ]

    def floors(self, fingerprints: Iterable[str]) -> dict[str, list[MeasurementRecord]]:
        """What was measured of floors, by the stage that did; each stage once, however many runs share it."""
        m = tables.Measurement
        columns = (m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n, m.floor)
        found: dict[str, list[MeasurementRecord]] = {}
        with self._session(reading=True) as session:
            for some in _portions(fingerprints):
                query = sa.select(m.fingerprint, *columns).where(m.fingerprint.in_(some), m.floor != "")
                measured: Iterable[Any] = session.execute(query.order_by(m.id))
                for fingerprint, *record in measured:
                    found.setdefault(fingerprint, []).append(MeasurementRecord(*record))
        return found

    def floor_histograms(self, fingerprints: Iterable[str]) -> dict[str, list[HistogramRecord]]:
        """The histograms of floors, by the stage that made them."""
        table = tables.Histogram
        found: dict[str, list[HistogramRecord]] = {}
        with self._session(reading=True) as session:
            for some in _portions(fingerprints):
                query = sa.select(table).where(table.fingerprint.in_(some), table.floor != "").order_by(table.id)
                for row in session.scalars(query):
                    found.setdefault(row.fingerprint, []).append(rows.histogram_record(row))
        return found


def _measured(study: str) -> sa.Select[Any]:
    """A study's measurements without floors, in the order of :class:`MeasurementRow`."""
    m = tables.Measurement
    columns = (m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n)
    return _of_runs(m, study, *columns).where(m.floor == "").order_by(*_order(m))


def _portions(fingerprints: Iterable[str]) -> Iterator[list[str]]:
    """Each fingerprint once, a few hundred at a time: databases limit the parameters of one statement."""
    everything = sorted(set(fingerprints))
    for start in range(0, len(everything), 500):
        yield everything[start : start + 500]


def _with_environment(condition: sa.ColumnElement[bool]) -> sa.Select[tuple[tables.Stage, dict[str, Any]]]:
    return (
        sa.select(tables.Stage, tables.Environment.facts)
        .join(tables.Environment, tables.Stage.environment == tables.Environment.digest)
        .where(condition)
    )


def _of_runs(table: type[Any], study: str, *what: Any) -> sa.Select[Any]:
    """``what`` of ``table``, with the variant and replicate of each run of the study that it belongs to."""
    return (
        sa.select(tables.Variant.name, tables.Run.replicate, *what)
        .select_from(table)
        .join(tables.RunStage, tables.RunStage.fingerprint == table.fingerprint)
        .join(tables.Run)
        .join(tables.Variant)
        .join(tables.Study)
        .where(tables.Study.name == study)
    )


def _order(table: type[Any]) -> tuple[Any, ...]:
    """An order that does not tell which stage happened to finish first."""
    return tables.Variant.position, tables.Run.replicate, table.sample, table.metric, table.id
