"""Refuse a study with a tokenizer that cannot tell the instruments of its music apart, before anything is trained."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from ablate.errors import StudyFileError
from ablate.kinds import LOAD
from ablate.specs import CorpusSpec
from ablate.study.instruments import fits, refusal, study_words
from ablate.study.work.components import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.study.file.configuration import Choice
    from ablate.study.plan.layout import Layout
    from ablate.study.plan.music import PlannedMusic
    from ablate.study.stage import Stage


@dataclasses.dataclass
class _Use:
    """A corpus, and the tokenizers that encode it, each once."""

    load: Stage
    corpus: Choice
    tokenizers: dict[str, Choice] = dataclasses.field(default_factory=dict)


def check_instruments(layout: Layout, music: PlannedMusic) -> None:
    """Check that each tokenizer can write the instruments of its corpus, or merges them.

    Args:
        layout: the study.
        music: its corpora, which are read unless they have been loaded before.

    Raises:
        CorpusError: a corpus cannot be loaded.
        StudyFileError: a corpus has notes of several instruments, and a tokenizer neither writes nor merges them.
    """
    problems = [problem for use in _uses(layout) for problem in _problems(use, layout, music)]
    if problems:
        raise StudyFileError(layout.spec.source, list(dict.fromkeys(problems)))


def _uses(layout: Layout) -> list[_Use]:
    uses: dict[str, _Use] = {}
    for run in layout.wanted:
        load = run.stages.stages.get(LOAD)
        encodes = any("tokenizer" in stage.config for stage in run.stages.stages.values())
        if load and encodes:  # a study of MIDI files has a tokenizer for its floors alone, or none
            corpus, tokenizer = (run.configuration.one(kind) for kind in ("corpus", "tokenizer"))
            use = uses.setdefault(load.fingerprint, _Use(load, corpus))
            use.tokenizers[json.dumps(tokenizer.plain(), sort_keys=True)] = tokenizer
    return list(uses.values())


def _problems(use: _Use, layout: Layout, music: PlannedMusic) -> Iterator[str]:
    registry, notes_of = layout.registry, music.instruments(use.load)
    unfit = [
        choice.name
        for choice in use.tokenizers.values()
        if not fits(build("tokenizer", choice.plain(), registry), notes_of)
    ]
    if unfit:
        spec = registry.spec("corpus", use.corpus.name)
        chooses = isinstance(spec, CorpusSpec) and spec.instruments_option
        words = study_words(f"corpus.{use.corpus.name}.{spec.instruments_option}" if chooses else "")
        yield f"corpus.{use.corpus.name}: {refusal(notes_of, list(dict.fromkeys(unfit)), words, registry)}"
