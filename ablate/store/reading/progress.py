"""The progress of a study in few queries, without the JSON that most of the time of reading goes into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.store.reading.queries import read, source
from ablate.store.records import RunRecord, StageFacts, StudyProgress

if TYPE_CHECKING:
    from ablate.store.reading.queries import Execute


def progress(execute: Execute, study: int) -> StudyProgress:
    """Return the progress of the study with this key."""
    own = "WHERE variant.study_id = :study"
    variants = read(
        execute, "variant.name variant.baseline", f"{source('variant')} {own} ORDER BY variant.position", study=study
    )
    looked = read(
        execute, "look.replicates", f"{source('look')} WHERE look.study_id = :study ORDER BY look.id", study=study
    )
    links = f"{source('link', 'run', 'variant')} {own}"
    finished = read(
        execute,
        "stage.fingerprint stage.kind stage.seconds stage.finished",
        f"{source('stage')} WHERE stage.fingerprint IN (SELECT link.fingerprint {links})",
        study=study,
    )
    return StudyProgress(
        tuple((name, baseline) for name, baseline in variants),
        _runs(execute, study, links),
        {fingerprint: StageFacts(*facts) for fingerprint, *facts in finished},
        tuple(replicates for (replicates,) in looked),
    )


def _runs(execute: Execute, study: int, links: str) -> tuple[RunRecord, ...]:
    stages: dict[int, dict[str, str]] = {}
    for key, name, fingerprint in read(execute, "link.run_id link.name link.fingerprint", links, study=study):
        stages.setdefault(key, {})[name] = fingerprint
    columns = "run.id variant.name run.replicate run.state run.error_class run.error"
    rest = f"{source('run', 'variant')} WHERE variant.study_id = :study ORDER BY variant.position, run.replicate"
    return tuple(
        RunRecord(variant, replicate, stages.get(key, {}), {}, *state)
        for key, variant, replicate, *state in read(execute, columns, rest, study=study)
    )
