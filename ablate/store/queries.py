"""Queries that several methods of the store have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ablate.store import rows, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy.orm import Session

    from ablate.store.records import StageRecord


def measured(study: str) -> sa.Select[Any]:
    """Return the query of a study's measurements without floors.

    Its columns are those of :class:`~ablate.store.records.MeasurementRow`.
    """
    m = tables.Measurement
    columns = (m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n)
    return of_runs(m, study, *columns).where(m.floor == "").order_by(*ordered(m))


def portions(fingerprints: Iterable[str]) -> Iterator[list[str]]:
    """Yield each fingerprint once, a few hundred at a time: databases limit the parameters of a statement."""
    unique = sorted(set(fingerprints))
    for start in range(0, len(unique), 500):
        yield unique[start : start + 500]


def stage_records(session: Session, *conditions: sa.ColumnElement[bool]) -> list[StageRecord]:
    """Return the records of the stages that meet one of the conditions."""
    stages = [row for condition in conditions for row in session.scalars(sa.select(tables.Stage).where(condition))]
    # many stages have the same facts, whose JSON is read once
    environments = _facts(session, tables.Environment, (stage.environment for stage in stages))
    sources = _facts(session, tables.Sources, (stage.sources for stage in stages if stage.sources))
    return [rows.stage_record(row, environments[row.environment], sources.get(row.sources or "", {})) for row in stages]


def _facts(session: Session, table: type[tables.Facts], digests: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the facts of a table by their digest."""
    facts: dict[str, dict[str, Any]] = {}
    for portion in portions(digests):
        facts |= {row.digest: row.facts for row in session.scalars(sa.select(table).where(table.digest.in_(portion)))}
    return facts


def put_facts(session: Session, table: type[tables.Facts], every: Iterable[Mapping[str, Any]]) -> None:
    """Write facts to a table, each once."""
    for digest, facts in {rows.digest(facts): facts for facts in every}.items():
        session.merge(table(digest=digest, facts=dict(facts)))


def means_of_stages(fingerprints: Iterable[str]) -> sa.Select[Any]:
    """Return the query of the mean of each feature over the samples of stages, in the order of measuring.

    Its columns are the fingerprint, and those of :class:`~ablate.store.records.FeatureMean`.
    """
    m = tables.Measurement
    group = (m.fingerprint, m.metric, m.feature)
    columns = (sa.func.avg(m.value), sa.func.min(m.unit), sa.func.min(m.direction), sa.func.count())
    query = sa.select(*group, *columns).where(m.fingerprint.in_(fingerprints), m.floor == "")
    return query.group_by(*group).order_by(sa.func.min(m.id))


def of_runs(table: type[Any], study: str, *columns: Any) -> sa.Select[Any]:
    """Return the query of columns of a table, with the variant and replicate of each run that they belong to."""
    return (
        sa.select(tables.Variant.name, tables.Run.replicate, *columns)
        .select_from(table)
        .join(tables.RunStage, tables.RunStage.fingerprint == table.fingerprint)
        .join(tables.Run)
        .join(tables.Variant)
        .join(tables.Study)
        .where(tables.Study.name == study)
    )


def ordered(table: type[Any]) -> tuple[Any, ...]:
    """Return an order that does not depend on which stage finished first."""
    return tables.Variant.position, tables.Run.replicate, table.sample, table.metric, table.id
