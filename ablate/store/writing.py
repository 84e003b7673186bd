"""Writing of records to the database, inside a transaction that the store has begun."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from ablate.store import rows, unused
from ablate.store.database import tables
from ablate.store.reading.problems import digest_of
from ablate.store.reading.queries import portions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from ablate.store.records import FinishedStage, RemovedStage, RunRecord, StudyRecord, VariantRecord


def put_study(
    session: Session, study: StudyRecord, variants: Sequence[VariantRecord], runs: Iterable[RunRecord]
) -> None:
    """Set a study's variants and runs to exactly these; see :meth:`ablate.store.store.Store.put_study`."""
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


def set_run(session: Session, study: int, variant: str, replicate: int, values: Mapping[str, str]) -> bool:
    """Set columns of a run; return whether there is this run."""
    of_variant = sa.select(tables.Variant.id).where(tables.Variant.study_id == study, tables.Variant.name == variant)
    this = tables.Run.variant_id.in_(of_variant), tables.Run.replicate == replicate
    done: Any = session.execute(sa.update(tables.Run).where(*this).values(**values))
    return bool(done.rowcount)


def reopen_runs(session: Session, keys: Iterable[int]) -> None:
    """Set the state of runs to ``pending``, given their ids."""
    for key in keys:
        pending = {"state": "pending", "error_class": "", "error": ""}
        session.execute(sa.update(tables.Run).where(tables.Run.id == key).values(**pending))


def delete_study(session: Session, study: int) -> list[RemovedStage]:
    """Delete a study and the stages that only it uses; return these stages."""
    links = sa.select(tables.RunStage.fingerprint).join(tables.Run).join(tables.Variant)
    stages = set(session.scalars(links.where(tables.Variant.study_id == study)))
    session.execute(sa.delete(tables.Study).where(tables.Study.id == study))  # its runs are deleted with it
    return unused.remove(session, stages - unused.used(session))


def put_stages(session: Session, finished: Iterable[FinishedStage], *, replace: bool) -> None:
    """Record finished stages with their measurements; see :meth:`ablate.store.store.Store.put_stages`."""
    wanted = {each.stage.fingerprint: each for each in finished}
    now = datetime.now(UTC)
    for portion in portions(wanted):
        if replace:  # measurements whose stage is gone would be there twice
            for old in (tables.Measurement, tables.Histogram, tables.Stage):
                session.execute(sa.delete(old).where(old.fingerprint.in_(portion)))
        for known in session.scalars(sa.select(tables.Stage.fingerprint).where(tables.Stage.fingerprint.in_(portion))):
            del wanted[known]
    _put_facts(session, tables.Environment, (each.stage.environment for each in wanted.values()))
    _put_facts(session, tables.Sources, (s for each in wanted.values() if (s := each.stage.sources)))
    # without the ORM: making its objects would take ten times as long as writing the rows
    new: dict[type[tables.Base], list[dict[str, Any]]] = {
        tables.Stage: [rows.stage_row(each.stage, now) for each in wanted.values()],
        tables.Measurement: [rows.part(f, m) for f, each in wanted.items() for m in each.measurements],
        tables.Histogram: [rows.part(f, h) for f, each in wanted.items() for h in each.histograms],
    }
    for table, values in new.items():
        if values:
            session.execute(sa.insert(table.metadata.tables[table.__tablename__]), values)


def set_files(session: Session, fingerprint: str, files: Mapping[str, str]) -> None:
    """Set the digests of the files of a stage."""
    session.execute(sa.update(tables.Stage).where(tables.Stage.fingerprint == fingerprint).values(files=dict(files)))


def forget_stages(session: Session, fingerprints: Iterable[str]) -> None:
    """Drop stages, so that they run again."""
    for portion in portions(fingerprints):
        session.execute(sa.delete(tables.Stage).where(tables.Stage.fingerprint.in_(portion)))


def _put_facts(session: Session, table: type[tables.Facts], every: Iterable[Mapping[str, Any]]) -> None:
    """Write facts to a table, each once; those that it has are left alone, because their key is their digest."""
    wanted = {digest_of(facts): facts for facts in every}
    known: set[str] = set()
    for portion in portions(wanted):
        known.update(session.scalars(sa.select(table.digest).where(table.digest.in_(portion))))
    new = [{"digest": digest, "facts": dict(facts)} for digest, facts in wanted.items() if digest not in known]
    if new:
        session.execute(sa.insert(table.metadata.tables[table.__tablename__]), new)
