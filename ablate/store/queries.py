"""Queries that several methods of the store have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ablate.store import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.orm import Session


def measured(study: str) -> sa.Select[Any]:
    """Return the query of a study's measurements without floors.

    Its columns are those of :class:`~ablate.store.records.MeasurementRow`.
    """
    m = tables.Measurement
    columns = (m.sample, m.metric, m.feature, m.value, m.unit, m.direction, m.n)
    return of_runs(m, study, *columns).where(m.floor == "").order_by(*ordered(m))


def portions(fingerprints: Iterable[str], most: int = 500) -> Iterator[list[str]]:
    """Yield each fingerprint once, at most ``most`` at a time: databases limit the parameters of a statement."""
    unique = sorted(set(fingerprints))
    for start in range(0, len(unique), most):
        yield unique[start : start + most]


def parts_of(session: Session, table: type[Any], fingerprints: Iterable[str]) -> dict[str, list[Any]]:
    """Return the rows of measurements or histograms of these stages, by stage, in the order of measuring."""
    parts: dict[str, list[Any]] = {}
    for row in session.scalars(sa.select(table).where(table.fingerprint.in_(fingerprints)).order_by(table.id)):
        parts.setdefault(row.fingerprint, []).append(row)
    return parts


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
