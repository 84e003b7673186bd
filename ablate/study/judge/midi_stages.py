r"""The stages of runs of MIDI files that somebody else generated.

collect -> measure, resample (each one for each metric)
load   --/-> fit (a tokenizer that is fitted) -> floor (one for each metric)
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate import kinds
from ablate.kinds import stage_name
from ablate.music.corpus.read import corpus_digest
from ablate.music.midi import READER_VERSION
from ablate.study.pause import pause_config, pause_extra
from ablate.study.plan.identity import identity_of
from ablate.study.plan.program import sample_stages
from ablate.study.plan.stages import RunStages, Setting
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.settings import FloorSettings
    from ablate.study.file.configuration import Choice

#: The seed of all random streams of these studies: they have no seed of their own.
SEED = 0


@dataclasses.dataclass(frozen=True)
class Shared:
    """The stages and settings that all runs share.

    Attributes:
        reference: the corpus to compare with.
        load: loads it.
        tokenizer: of the floors that need one; None for none.
        metrics: each with its scope.
        samples: the number of samples of a set of pieces in floors of sets.
        floors: how precisely floors are measured.
        skip_bad: whether files that cannot be read are left out.
    """

    reference: Choice
    load: Stage
    tokenizer: Choice | None
    metrics: Sequence[tuple[Choice, str]]
    samples: int
    floors: FloorSettings
    skip_bad: bool

    def fit(self) -> dict[str, Stage]:
        """Return the stage that fits the tokenizer on the reference; nothing for one that is not fitted."""
        if self.tokenizer is None or not self.tokenizer.fitted:
            return {}
        config = {"tokenizer": self.tokenizer.plain()}
        identity = identity_of(config, [self.tokenizer])
        return {kinds.FIT: Stage(kinds.FIT, config, {"corpus": self.load}, identity=identity)}


def midi_run(folder: Path, replicate: int, shared: Shared) -> RunStages:
    """Return every stage of a run.

    Args:
        folder: of its MIDI files.
        replicate: from 0.
        shared: what all runs share.

    Raises:
        CorpusError: the folder has no MIDI files.
    """
    config: dict[str, Any] = {"identity": corpus_digest(folder), "skip_bad": shared.skip_bad, "reader": READER_VERSION}
    config |= pause_config(shared.reference)
    extra = {"folder": str(folder.resolve()), **pause_extra(shared.reference)}
    collect = Stage(kinds.COLLECT, config, extra=extra)
    fit, setting = shared.fit(), Setting(SEED, "cpu", "", shared.floors)
    stages = {kinds.LOAD: shared.load, **fit, kinds.COLLECT: collect}
    sources = {"generated": collect, "reference": shared.load, **fit}
    for choice, scope in shared.metrics:
        measured = sample_stages(choice, scope, sources, shared.samples, replicate, setting, shared.tokenizer)
        stages |= {stage_name(stage.kind, choice.name): stage for stage in measured}
    return RunStages(stages)
