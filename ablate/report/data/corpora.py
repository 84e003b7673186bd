"""The corpora that a study loaded."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.kinds import LOAD
from ablate.music.instruments import listed

if TYPE_CHECKING:
    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord


@dataclasses.dataclass(frozen=True)
class LoadedCorpus:
    """A corpus as a study loaded it.

    Attributes:
        name: the corpus component.
        identity: the corpus's own identity, which changes with its music and with nothing else; empty if unknown.
        counts: performances, notes and seconds, as far as they were recorded.
        instruments: the number of notes of each instrument; empty for piano music alone.
    """

    name: str
    identity: str
    counts: dict[str, float]
    instruments: dict[int, int] = dataclasses.field(default_factory=dict)


def loaded_corpora(study: Study) -> list[LoadedCorpus]:
    """Return each corpus of a study once, in the order of the variants."""
    stages = {stage.fingerprint: stage for _, stage in study.first(LOAD)}
    return [_loaded_corpus(stage) for stage in stages.values()]


def _loaded_corpus(load: StageRecord) -> LoadedCorpus:
    config = load.config.get("corpus") or {}
    counts = {key: load.result[key] for key in ("performances", "notes", "seconds") if key in load.result}
    instruments = {int(number): int(notes) for number, notes in (load.result.get("instruments") or {}).items()}
    return LoadedCorpus(str(config.get("name", "")), str(config.get("identity", "")), counts, instruments)


def corpus_counts(study: Study) -> list[str]:
    """Return performances, notes and seconds of each corpus, and its instruments, as text, equal texts once."""
    return list(dict.fromkeys(filter(None, map(_counts_text, loaded_corpora(study)))))


def _counts_text(corpus: LoadedCorpus) -> str:
    texts = [f"{key}: {count:,.0f}" for key, count in corpus.counts.items()]
    texts += [f"instruments: {listed(corpus.instruments)}"] if corpus.instruments else []
    return ", ".join(texts)
