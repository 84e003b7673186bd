"""The corpora that a study loaded, and the problems in their files."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord

#: The most problems that a report lists before it folds the others behind their number.
MOST_PROBLEMS = 10


@dataclasses.dataclass(frozen=True)
class LoadedCorpus:
    """A corpus as a study loaded it.

    Attributes:
        name: the corpus component.
        identity: the corpus's own identity, which changes with its music and with nothing else; empty if unknown.
        counts: performances, notes and seconds, as far as they were recorded.
        problems: one line for each file that was skipped or is odd, with the file's name.
        variants: the names of the variants that use this corpus.
    """

    name: str
    identity: str
    counts: dict[str, float]
    problems: tuple[str, ...]
    variants: tuple[str, ...]


def loaded_corpora(study: Study) -> list[LoadedCorpus]:
    """Return each corpus of a study once, in the order of the variants."""
    stages: dict[str, StageRecord] = {}
    users: dict[str, list[str]] = {}
    for variant, stage in study.first("load"):
        stages[stage.fingerprint] = stage
        users.setdefault(stage.fingerprint, []).append(variant)
    return [_loaded_corpus(stage, users[fingerprint]) for fingerprint, stage in stages.items()]


def _loaded_corpus(load: StageRecord, variants: list[str]) -> LoadedCorpus:
    config = load.config.get("corpus") or {}
    counts = {key: load.result[key] for key in ("performances", "notes", "seconds") if key in load.result}
    problems = tuple(str(problem) for problem in load.result.get("problems") or ())
    return LoadedCorpus(
        str(config.get("name", "")), str(config.get("identity", "")), counts, problems, tuple(variants)
    )


def corpus_problems(corpora: Iterable[LoadedCorpus]) -> list[str]:
    """Return the problems of all corpora, each once."""
    return list(dict.fromkeys(problem for corpus in corpora for problem in corpus.problems))
