"""Stages that no study uses, and their removal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ablate.store.database import tables
from ablate.store.reading.queries import portions
from ablate.store.records import RemovedStage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session


def used(session: Session) -> set[str]:
    """Return the fingerprints of the stages of all runs, finished or not, and of what these were made from."""
    linked = session.scalars(sa.select(tables.RunStage.fingerprint).distinct())
    fingerprints = {each for each in linked if isinstance(each, str)}
    inputs = _stage_inputs(session)
    waiting = list(fingerprints)
    while waiting:
        new = {each for each in inputs.get(waiting.pop(), ()) if isinstance(each, str)} - fingerprints
        fingerprints |= new
        waiting += new
    return fingerprints


def _stage_inputs(session: Session) -> dict[str, list[str]]:
    """Return the inputs of every finished stage, by fingerprint; none of a row that is damaged, which can go too."""
    found = session.execute(sa.text("SELECT fingerprint, config FROM ablate_stages"))
    return {fingerprint: _inputs(config) for fingerprint, config in found}


def _inputs(config: Any) -> list[str]:
    try:
        data = json.loads(config) if isinstance(config, str) else config
        return list(data["inputs"].values())
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return []


def finished(session: Session) -> list[RemovedStage]:
    """Return every finished stage, as :func:`remove` does."""
    stage = tables.Stage
    query = sa.select(stage.fingerprint, stage.kind, stage.artifact).order_by(stage.fingerprint)
    return [_stage(*row) for row in session.execute(query)]


def remove(session: Session, fingerprints: Iterable[str]) -> list[RemovedStage]:
    """Delete stages with their numbers, and the facts that no other stage has; return what is needed of their files."""
    stage = tables.Stage
    removed: list[RemovedStage] = []
    for portion in portions(fingerprints):
        unused = stage.fingerprint.in_(portion)
        found = session.execute(sa.select(stage.fingerprint, stage.kind, stage.artifact).where(unused))
        removed += [_stage(*row) for row in found]
        session.execute(sa.delete(stage).where(unused))
    seen = sa.select(stage.environment)
    session.execute(sa.delete(tables.Environment).where(tables.Environment.digest.not_in(seen)))
    used_sources = sa.select(stage.sources).where(stage.sources.is_not(None))
    session.execute(sa.delete(tables.Sources).where(tables.Sources.digest.not_in(used_sources)))
    return removed


def _stage(*values: object) -> RemovedStage:
    """Return the record of a row; what is no text in it, as after editing by hand, becomes one."""
    return RemovedStage(*(value if isinstance(value, str) else repr(value) for value in values))
