"""Rows that belong to a row that is not there, and their removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ablate.store.database import tables
from ablate.store.reading.problems import digest_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


def remove_orphans(session: Session, facts: Collection[str] = ()) -> int:
    """Remove the rows that belong to a row that is not there, and return their number; no finished stage is removed.

    Args:
        session: a transaction that writes.
        facts: digests of environments and sources that are removed first.

    Stages whose environment is gone get one without facts; foreign keys are checked at the end of the transaction.
    """
    count = 0
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
    for own in (tables.Environment, tables.Sources):
        gone: Any = session.execute(sa.delete(own).where(own.digest.in_(facts)))
        count += gone.rowcount
    owners: tuple[tuple[type[Any], Any, Any], ...] = (
        (tables.Variant, tables.Variant.study_id, tables.Study.id),
        (tables.Look, tables.Look.study_id, tables.Study.id),
        (tables.Run, tables.Run.variant_id, tables.Variant.id),
        (tables.RunStage, tables.RunStage.run_id, tables.Run.id),
        (tables.Measurement, tables.Measurement.fingerprint, tables.Stage.fingerprint),
        (tables.Histogram, tables.Histogram.fingerprint, tables.Stage.fingerprint),
    )
    for table, column, owner in owners:
        removed: Any = session.execute(sa.delete(table).where(column.not_in(sa.select(owner))))
        count += removed.rowcount
    return count + _without_facts(session)


def _without_facts(session: Session) -> int:
    """Give stages whose environment or sources are gone none instead; return their number."""
    nothing: dict[str, Any] = {}
    stage, environment = tables.Stage, tables.Environment
    lost = stage.environment.not_in(sa.select(environment.digest))
    changed: Any = session.execute(sa.update(stage).where(lost).values(environment=digest_of(nothing)))
    if changed.rowcount and session.get(environment, digest_of(nothing)) is None:
        session.add(environment(digest=digest_of(nothing), facts=nothing))
    unknown = stage.sources.is_not(None) & stage.sources.not_in(sa.select(tables.Sources.digest))
    other: Any = session.execute(sa.update(stage).where(unknown).values(sources=None))
    return int(changed.rowcount + other.rowcount)
