"""Records from the rows of the database: each query returns the columns of one record, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.store.reading.columns import DamagedRow
from ablate.store.reading.queries import among, portions, read, source
from ablate.store.records import HistogramRecord, LookRecord, StageRecord, StudyRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.store.reading.queries import Execute

_STAGE = (
    "stage.fingerprint stage.kind stage.config stage.result stage.artifact stage.device stage.seconds "
    "stage.environment stage.finished stage.sources stage.files"
)


def studies(execute: Execute, where: str = "ORDER BY study.name", **values: Any) -> list[StudyRecord]:
    """Return the records of studies, sorted by name."""
    columns = "study.name study.spec study.profile study.corpus study.seed study.created study.updated"
    return [StudyRecord(*row) for row in read(execute, columns, f"{source('study')} {where}", **values)]


def looks(execute: Execute, study: int) -> list[LookRecord]:
    """Return the looks at a study, in the order in which they were made."""
    columns = "look.replicates look.share look.states look.p look.variants look.made"
    found = read(execute, columns, f"{source('look')} WHERE look.study_id = :study ORDER BY look.id", study=study)
    return [
        LookRecord(replicates, share, states, p, tuple(variants), made)
        for replicates, share, states, p, variants, made in found
    ]


def stages(execute: Execute, where: str, **values: Any) -> list[StageRecord]:
    """Return the records of stages, with the facts of their environments and of the sources that they used."""
    found = read(execute, _STAGE, f"{source('stage')} WHERE {where}", **values)
    # the JSON of equal facts is read once
    environments = facts_of(execute, "environment", (row[7] for row in found))
    sources = facts_of(execute, "source", (row[9] for row in found if row[9]))
    records = []
    for fingerprint, kind, config, result, artifact, device, seconds, environment, finished, used, files in found:
        if environment not in environments:
            raise DamagedRow("the environment of a stage is missing")
        facts = environments[environment], finished, sources.get(used or "", {}), files or {}
        records.append(StageRecord(fingerprint, kind, config, result, artifact, device, seconds, *facts))
    return records


def facts_of(execute: Execute, table: str, digests: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the facts of environments or sources by their digest."""
    found: dict[str, dict[str, Any]] = {}
    for portion in portions(digests):
        condition, values = among(f"{table}.digest", portion)
        rest = f"{source(table)} WHERE {condition}"
        found |= dict(read(execute, f"{table}.digest {table}.facts", rest, **values))
    return found


def histogram(sample: int, metric: str, feature: str, unit: str, *counts: Any) -> HistogramRecord:
    """Return the record of a histogram.

    Raises:
        DamagedRow: its counts do not fit its edges.
    """
    edges, reference, generated, floor = counts
    if not edges or not len(edges) - 1 == len(reference) == len(generated):
        raise DamagedRow("the counts of a histogram do not fit its edges")
    return HistogramRecord(sample, metric, feature, unit, tuple(edges), tuple(reference), tuple(generated), floor)
