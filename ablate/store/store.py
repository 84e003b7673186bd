"""The store: all reading and writing of the database, as plain methods on records."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from ablate.errors import StoreError, UnknownName
from ablate.store import facts, queries, rows, schema, sqlite, tables, unused
from ablate.store.records import (
    FeatureMean,
    FinishedStage,
    HistogramRecord,
    LookRecord,
    MeasurementRecord,
    MeasurementRow,
    RemovedStage,
    RunHistogram,
    RunRecord,
    RunState,
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
        writing: whether it may be written; otherwise an SQLite file and its folder stay as they are, and the file can
            be in a place where nothing can be written.

    Raises:
        EmptyStoreError: it does not exist or has no tables, and must not be written.
        StoreError: it cannot be opened, is not a database of ablate, or has another schema version.
    """

    def __init__(self, url: str, *, writing: bool = True) -> None:
        self.url, self.writing = url, writing
        self._reader = None if writing else sqlite.reader(url)
        self._engine = schema.make_engine(url, self._reader)
        self._current: Session | None = None
        try:
            schema.ensure(self._engine, writing=writing)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()
        if self._reader:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything that a block writes and reads one transaction: all of it is written, or nothing."""
        with self._session() as session:
            self._current = session
            try:
                yield
            finally:
                self._current = None

    @contextlib.contextmanager
    def _session(self, *, reading: bool = False) -> Iterator[Session]:
        if self._current:
            yield self._current
            return
        engine = self._engine.execution_options(reading=reading)
        with schema.database_errors(engine), Session(engine) as session, session.begin():
            yield session
        if self._reader:
            self._reader.check()

    # Studies

    def put_study(self, study: StudyRecord, variants: Sequence[VariantRecord], runs: Iterable[RunRecord]) -> None:
        """Set a study's variants and runs to exactly these; runs with the same stages keep their state.

        The times of a new study are those of the record, or now.
        """
        with self._session() as session:
            below = selectinload(tables.Study.variants).selectinload(tables.Variant.runs)
            query = sa.select(tables.Study).where(tables.Study.name == study.name)
            row = session.scalar(query.options(below.selectinload(tables.Run.stages)))
            now = datetime.now(UTC)
            if row is None:
                row = tables.Study(name=study.name, created=study.created or now)
                session.add(row)
            row.spec, row.profile, row.corpus = dict(study.spec), study.profile, study.corpus
            row.seed, row.updated = study.seed, study.updated or now
            merged = rows.merged_variants(row.variants, variants, runs)
            # removals come first: a variant that changed keeps its name, which is unique in the study
            row.variants = [variant for variant in row.variants if variant in merged]
            session.flush()
            row.variants = merged

    def studies(self) -> list[StudyRecord]:
        """Return every study, sorted by name."""
        with self._session(reading=True) as session:
            return [
                rows.study_record(row) for row in session.scalars(sa.select(tables.Study).order_by(tables.Study.name))
            ]

    def study(self, name: str) -> StudyRecord:
        """Return the study with this name; raises :class:`UnknownName` with a suggestion."""
        with self._session(reading=True) as session:
            return rows.study_record(self._study_row(session, name))

    def variants(self, name: str) -> list[VariantRecord]:
        """Return a study's variants in their order."""
        with self._session(reading=True) as session:
            return [
                VariantRecord(v.name, v.fingerprint, v.levels, v.baseline)
                for v in self._study_row(session, name).variants
            ]

    def runs(self, name: str) -> list[RunRecord]:
        """Return a study's runs, by variant and replicate."""
        run, link = tables.Run, tables.RunStage
        columns = (run.id, tables.Variant.name, run.replicate, run.config, run.state, run.error_class, run.error)
        with self._session(reading=True) as session:
            of_study = tables.Variant.study_id == self._study_row(session, name).id
            stages: dict[int, dict[str, str]] = {}
            links = sa.select(link.run_id, link.name, link.fingerprint).join(run).join(tables.Variant)
            for key, stage, fingerprint in session.execute(links.where(of_study)):
                stages.setdefault(key, {})[stage] = fingerprint
            query = sa.select(*columns).join(tables.Variant).where(of_study)
            values: Iterable[Any] = session.execute(query.order_by(tables.Variant.position, run.replicate))
            return [
                RunRecord(variant, replicate, stages.get(key, {}), *others)
                for key, variant, replicate, *others in values
            ]

    def set_run(
        self, study: str, variant: str, replicate: int, state: RunState, error_class: str = "", error: str = ""
    ) -> None:
        """Set the state of a run."""
        with self._session() as session:
            run = session.scalar(
                sa.select(tables.Run)
                .join(tables.Variant)
                .join(tables.Study)
                .where(tables.Study.name == study, tables.Variant.name == variant, tables.Run.replicate == replicate)
            )
            if run is None:
                raise StoreError(f"study '{study}' has no run {variant}, replicate {replicate}")
            # a message may hold bytes of a file name that are no text
            run.state, run.error_class, run.error = (
                state,
                error_class,
                error.encode("utf-8", "backslashreplace").decode(),
            )

    def put_look(self, study: str, look: LookRecord) -> None:
        """Add a look at the verdicts of a study."""
        with self._session() as session:
            session.add(rows.look_row(self._study_row(session, study).id, look, datetime.now(UTC)))

    def looks(self, study: str) -> list[LookRecord]:
        """Return the looks at the verdicts of a study, in the order in which they were made."""
        with self._session(reading=True) as session:
            table = tables.Look
            query = sa.select(table).where(table.study_id == self._study_row(session, study).id).order_by(table.id)
            return [rows.look_record(row) for row in session.scalars(query)]

    def delete_study(self, name: str) -> list[RemovedStage]:
        """Delete a study and the stages that only it uses; return these stages."""
        with self._session() as session:
            row = self._study_row(session, name)
            links = sa.select(tables.RunStage.fingerprint).join(tables.Run).join(tables.Variant)
            stages = set(session.scalars(links.where(tables.Variant.study_id == row.id)))
            session.execute(sa.delete(tables.Study).where(tables.Study.id == row.id))  # its runs are deleted with it
            return unused.remove(session, stages - unused.used(session))

    def unused_stages(self) -> list[RemovedStage]:
        """Return the finished stages that no study uses, sorted by fingerprint."""
        with self._session(reading=True) as session:
            used = unused.used(session)
            return [stage for stage in unused.finished(session) if stage.fingerprint not in used]

    def used_stages(self) -> set[str]:
        """Return the fingerprints of the stages of all runs, finished or not, and of what they were made from."""
        with self._session(reading=True) as session:
            return unused.used(session)

    def remove_stages(self, fingerprints: Iterable[str]) -> list[RemovedStage]:
        """Delete stages, unless a study uses them by now; return those that were deleted."""
        with self._session() as session:
            return unused.remove(session, set(fingerprints) - unused.used(session))

    def _study_row(self, session: Session, name: str) -> tables.Study:
        row = session.scalar(sa.select(tables.Study).where(tables.Study.name == name))
        if row is None:
            records = map(rows.study_record, session.scalars(sa.select(tables.Study)))
            raise UnknownName("study", name, {each.name: each.settings for each in records}, where="in this home")
        return row

    # Stages

    def stages(self, fingerprints: Iterable[str]) -> dict[str, StageRecord]:
        """Return the finished ones among the stages, by fingerprint."""
        conditions = [tables.Stage.fingerprint.in_(portion) for portion in queries.portions(fingerprints)]
        with self._session(reading=True) as session:
            return {record.fingerprint: record for record in facts.stage_records(session, *conditions)}

    def finished_stages(self, fingerprints: Iterable[str]) -> Iterator[FinishedStage]:
        """Yield the finished ones among the stages with everything that they measured, sorted by fingerprint."""
        for portion in queries.portions(fingerprints, 50):
            with self._session(reading=True) as session:
                measurements = queries.parts_of(session, tables.Measurement, portion)
                histograms = queries.parts_of(session, tables.Histogram, portion)
                for fingerprint, stage in sorted(self.stages(portion).items()):
                    yield FinishedStage(
                        stage,
                        tuple(rows.measurement_record(row) for row in measurements.get(fingerprint, ())),
                        tuple(rows.histogram_record(row) for row in histograms.get(fingerprint, ())),
                    )

    def put_stages(self, finished: Iterable[FinishedStage], *, replace: bool = False) -> None:
        """Record finished stages with their measurements in one transaction.

        Args:
            finished: the stages.
            replace: replace the records of stages that were recorded before; by default these are left alone.
        """
        wanted = {each.stage.fingerprint: each for each in finished}
        now = datetime.now(UTC)
        with self._session() as session:
            for portion in queries.portions(wanted):
                if replace:  # measurements whose stage is gone would be there twice
                    for old in (tables.Measurement, tables.Histogram, tables.Stage):
                        session.execute(sa.delete(old).where(old.fingerprint.in_(portion)))
                for known in session.scalars(
                    sa.select(tables.Stage.fingerprint).where(tables.Stage.fingerprint.in_(portion))
                ):
                    del wanted[known]
            facts.put_facts(session, tables.Environment, (each.stage.environment for each in wanted.values()))
            facts.put_facts(session, tables.Sources, (s for each in wanted.values() if (s := each.stage.sources)))
            session.flush()
            # without the ORM: making its objects would take ten times as long as writing the rows
            new: dict[type[tables.Base], list[dict[str, Any]]] = {
                tables.Stage: [rows.stage_row(each.stage, now) for each in wanted.values()],
                tables.Measurement: [rows.part(f, m) for f, each in wanted.items() for m in each.measurements],
                tables.Histogram: [rows.part(f, h) for f, each in wanted.items() for h in each.histograms],
            }
            for table, values in new.items():
                if values:
                    session.execute(sa.insert(table.metadata.tables[table.__tablename__]), values)

    def add_files(self, fingerprint: str, files: Mapping[str, str], *, whole: bool) -> None:
        """Add the digests of files that have been added to the folder of a stage, if the stage is recorded.

        Args:
            fingerprint: of the stage.
            files: the digests by name.
            whole: whether these are all files of the stage; if not, nothing is added to a stage without digests.
        """
        with self._session() as session:
            row = session.get(tables.Stage, fingerprint)
            if row is not None and files and (row.files or whole):
                row.files = {**(row.files or {}), **files}

    def forget_stages(self, fingerprints: Iterable[str]) -> None:
        """Drop stages whose files are gone, so that they run again."""
        with self._session() as session:
            for portion in queries.portions(fingerprints):
                session.execute(sa.delete(tables.Stage).where(tables.Stage.fingerprint.in_(portion)))

    def stage_inputs(self) -> dict[str, list[str]]:
        """Return the inputs of every finished stage of all studies, by fingerprint."""
        with self._session(reading=True) as session:
            return unused.stage_inputs(session)

    def finished(self, kind: str) -> list[StageRecord]:
        """Return every finished stage of a kind, of all studies."""
        with self._session(reading=True) as session:
            return facts.stage_records(session, tables.Stage.kind == kind)

    # Measurements

    def measurement_rows(self, study: str) -> list[MeasurementRow]:
        """Return a study's measurements without floors, ordered by variant, replicate, sample and metric.

        They are plain rows: hundreds of thousands of records would take seconds to make.
        """
        with self._session(reading=True) as session:
            self._study_row(session, study)
            return [MeasurementRow._make(row) for row in session.execute(queries.measured(study))]

    def features(self, study: str, metric: str) -> dict[str, str]:
        """Return the features that a metric has measured in a study, with their directions, in the metric's order."""
        with self._session(reading=True) as session:
            table = tables.Measurement
            query = queries.of_runs(table, study, table.feature, table.direction)
            query = query.where(table.metric == metric, table.floor == "").order_by(table.id)
            return {feature: direction for _, _, feature, direction in session.execute(query)}

    def means(self, study: str, metric: str, feature: str) -> dict[tuple[str, int], float]:
        """Return the mean over the samples of each run that has been measured, by (variant, replicate)."""
        with self._session(reading=True) as session:
            table = tables.Measurement
            query = (
                queries.of_runs(table, study, sa.func.avg(table.value))
                .where(table.metric == metric, table.feature == feature, table.floor == "")
                .group_by(tables.Variant.name, tables.Run.replicate)
            )
            return {(variant, replicate): float(mean) for variant, replicate, mean in session.execute(query)}

    def means_of_stages(self, fingerprints: Iterable[str]) -> dict[str, list[FeatureMean]]:
        """Return the features that stages have measured, without floors, as means over samples, by fingerprint."""
        means: dict[str, list[FeatureMean]] = {}
        with self._session(reading=True) as session:
            for portion in queries.portions(fingerprints):
                for fingerprint, *mean in session.execute(queries.means_of_stages(portion)):
                    means.setdefault(fingerprint, []).append(FeatureMean(*mean))
        return means

    def histograms(self, study: str) -> list[RunHistogram]:
        """Return every histogram of a study's runs without floors, ordered by variant, replicate, sample and metric."""
        with self._session(reading=True) as session:
            self._study_row(session, study)
            table = tables.Histogram
            query = queries.of_runs(table, study, table).where(table.floor == "").order_by(*queries.ordered(table))
            return [
                RunHistogram(variant, replicate, rows.histogram_record(h))
                for variant, replicate, h in session.execute(query)
            ]

    def floors(self, fingerprints: Iterable[str]) -> dict[str, list[MeasurementRecord]]:
        """Return the measurements of floors by stage; a stage that several runs share is listed once."""
        m = tables.Measurement
        columns = (m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n, m.floor)
        records: dict[str, list[MeasurementRecord]] = {}
        with self._session(reading=True) as session:
            for portion in queries.portions(fingerprints):
                query = sa.select(m.fingerprint, *columns).where(m.fingerprint.in_(portion), m.floor != "")
                measured: Iterable[Any] = session.execute(query.order_by(m.id))
                for fingerprint, *record in measured:
                    records.setdefault(fingerprint, []).append(MeasurementRecord(*record))
        return records

    def floor_histograms(self, fingerprints: Iterable[str]) -> dict[str, list[HistogramRecord]]:
        """Return the histograms of floors by stage."""
        table = tables.Histogram
        records: dict[str, list[HistogramRecord]] = {}
        with self._session(reading=True) as session:
            for portion in queries.portions(fingerprints):
                query = sa.select(table).where(table.fingerprint.in_(portion), table.floor != "").order_by(table.id)
                for row in session.scalars(query):
                    records.setdefault(row.fingerprint, []).append(rows.histogram_record(row))
        return records
