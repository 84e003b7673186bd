"""Stages with their facts: environments and sources, which many stages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ablate.store import queries, rows, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from ablate.store.records import StageRecord


def stage_records(session: Session, *conditions: sa.ColumnElement[bool]) -> list[StageRecord]:
    """Return the records of the stages that meet one of the conditions."""
    stages = [row for condition in conditions for row in session.scalars(sa.select(tables.Stage).where(condition))]
    # the JSON of equal facts is read once
    environments = _facts(session, tables.Environment, (stage.environment for stage in stages))
    sources = _facts(session, tables.Sources, (stage.sources for stage in stages if stage.sources))
    return [rows.stage_record(row, environments[row.environment], sources.get(row.sources or "", {})) for row in stages]


def _facts(session: Session, table: type[tables.Facts], digests: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the facts of a table by their digest."""
    facts: dict[str, dict[str, Any]] = {}
    for portion in queries.portions(digests):
        facts |= {row.digest: row.facts for row in session.scalars(sa.select(table).where(table.digest.in_(portion)))}
    return facts


def put_facts(session: Session, table: type[tables.Facts], every: Iterable[Mapping[str, Any]]) -> None:
    """Write facts to a table, each once."""
    for digest, facts in {rows.digest(facts): facts for facts in every}.items():
        session.merge(table(digest=digest, facts=dict(facts)))
