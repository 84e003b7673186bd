"""Refuse a study with a tokenizer that cannot tell the instruments of its music apart, before anything is trained."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from ablate.errors import CorpusError, StudyFileError
from ablate.kinds import COLLECT, LOAD
from ablate.specs import CorpusSpec
from ablate.study.design import Variant
from ablate.study.instruments.refusal import fits, refusal, study_words
from ablate.study.work.components import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.study.file.configuration import Choice
    from ablate.study.plan.layout import Layout
    from ablate.study.plan.music.corpora import PlannedMusic
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
        music: its corpora, which are read unless they have been loaded before. One that cannot be loaded, because it is
            damaged or the study is from a bundle without it, is not checked: a stage that needs it fails.

    Raises:
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
            use.tokenizers[_key(tokenizer)] = tokenizer
    for use in uses.values():
        use.tokenizers |= {_key(tokenizer): tokenizer for tokenizer in _later(layout)}
    return list(uses.values())


def _key(choice: Choice) -> str:
    return json.dumps(choice.plain(), sort_keys=True)


def _later(layout: Layout) -> Iterator[Choice]:
    """Yield the tokenizers that a search or a path may choose later: each level beside the baseline's other levels."""
    spec = layout.spec
    for axis in spec.axes if spec.design in ("search", "path") else ():
        if axis.path.partition(".")[0] == "tokenizer" and axis.exists(spec.baseline):
            for level in axis.levels:
                levels = {**spec.baseline, axis.path: level}
                yield spec.configuration(Variant("", levels, baseline=False), layout.registry).one("tokenizer")


def _problems(use: _Use, layout: Layout, music: PlannedMusic) -> Iterator[str]:
    registry = layout.registry
    try:
        notes_of = music.instruments(use.load)
    except CorpusError:
        return
    unfit = [
        choice.name
        for choice in use.tokenizers.values()
        if not fits(build("tokenizer", choice.plain(), registry), notes_of)
    ]
    if unfit:
        spec = registry.spec("corpus", use.corpus.name)
        chooses = isinstance(spec, CorpusSpec) and spec.instruments_option
        key = f"corpus.{use.corpus.name}.{spec.instruments_option}" if chooses else ""
        judges = any(COLLECT in run.stages.stages for run in layout.wanted)
        words = study_words(key, "--tokenizer " if judges else "--set tokenizer=")
        yield f"corpus.{use.corpus.name}: {refusal(notes_of, list(dict.fromkeys(unfit)), words, registry)}"
