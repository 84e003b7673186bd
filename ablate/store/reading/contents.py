"""Everything in a database that has to agree with the files of a home, and with itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.store.reading.queries import Execute


class StoredStage(NamedTuple):
    """A finished stage: its kind, the folder of its files, and their digests; these are empty if unknown."""

    fingerprint: str
    kind: str
    artifact: str
    files: Mapping[str, str]


class StoredRun(NamedTuple):
    """A run of a study, with its key in the database, and the fingerprint of each of its stages by its name."""

    key: int
    study: str
    variant: str
    replicate: int
    state: str
    stages: Mapping[str, str]


class Contents(NamedTuple):
    """The contents of a database.

    Attributes:
        broken: what the database itself finds wrong with its pages and indexes; the other attributes are empty then.
        stages: every finished stage.
        runs: every run of every study.
        measured: the fingerprints of the stages with measurements.
    """

    broken: tuple[str, ...] = ()
    stages: tuple[StoredStage, ...] = ()
    runs: tuple[StoredRun, ...] = ()
    measured: frozenset[str] = frozenset()


def contents(execute: Execute, *, is_sqlite: bool) -> Contents:
    """Read the contents of a database, whatever its rows contain.

    Args:
        execute: runs SQL.
        is_sqlite: whether the database can check its own pages.
    """
    if is_sqlite:
        broken = tuple(str(row[0]) for row in execute("PRAGMA integrity_check(20)", {}))
        if broken != ("ok",):
            return Contents(broken)
    rows = execute("SELECT fingerprint, kind, artifact, files FROM ablate_stages ORDER BY fingerprint", {})
    stages = tuple(StoredStage(str(f), str(kind), str(artifact), _digests(files)) for f, kind, artifact, files in rows)
    measured = frozenset(str(row[0]) for row in execute("SELECT DISTINCT fingerprint FROM ablate_measurements", {}))
    return Contents((), stages, tuple(_runs(execute)), measured)


def _digests(files: Any) -> dict[str, str]:
    """Return the digests in the column of a stage; empty if there are none, or not in their form."""
    try:
        data = json.loads(files) if isinstance(files, str) else files
    except (ValueError, RecursionError):
        return {}
    return {str(name): str(digest) for name, digest in data.items()} if isinstance(data, dict) else {}


def _runs(execute: Execute) -> list[StoredRun]:
    links: dict[Any, dict[str, str]] = {}
    for key, name, fingerprint in execute("SELECT run_id, name, fingerprint FROM ablate_run_stages", {}):
        links.setdefault(key, {})[str(name)] = str(fingerprint)
    rows = execute(
        "SELECT run.id, study.name, variant.name, run.replicate, run.state FROM ablate_runs AS run "
        "JOIN ablate_variants AS variant ON variant.id = run.variant_id "
        "JOIN ablate_studies AS study ON study.id = variant.study_id "
        "ORDER BY study.name, variant.position, run.replicate",
        {},
    )
    return [
        StoredRun(key, str(study), str(variant), replicate, str(state), links.get(key, {}))
        for key, study, variant, replicate, state in rows
    ]
