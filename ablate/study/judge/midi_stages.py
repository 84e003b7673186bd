r"""The stages of runs of MIDI files that somebody else generated.

collect -> measure, resample (each one for each metric)
load   --/-> fit (a tokenizer that is fitted) -> floor (one for each metric)
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate import kinds
from ablate.engine.seeding import derive
from ablate.kinds import stage_name
from ablate.music.corpus import corpus_digest
from ablate.study.plan.stages import RunStages
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ablate.interfaces import Corpus
    from ablate.settings import FloorSettings
    from ablate.study.file.configuration import Choice

#: The seed of all random streams of these studies: they have no seed of their own.
SEED = 0


@dataclasses.dataclass(frozen=True)
class Shared:
    """The stages and settings that all runs share.

    Attributes:
        load: loads the reference.
        fit: fits the tokenizer, as an input of other stages; empty without a tokenizer that is fitted.
        tokenizer: of the floors that need one; None for none.
        metrics: each with its scope.
        samples: the number of samples of a set of pieces in floors of sets.
        floors: how precisely floors are measured.
        skip_bad: whether files that cannot be read are left out.
    """

    load: Stage
    fit: dict[str, Stage]
    tokenizer: Choice | None
    metrics: Sequence[tuple[Choice, str]]
    samples: int
    floors: FloorSettings
    skip_bad: bool


def load_reference(choice: Choice, corpus: Corpus) -> Stage:
    """Return the stage that loads the reference."""
    config = {"corpus": {"name": choice.name, "version": choice.version, "identity": corpus.identity()}}
    return Stage(kinds.LOAD, config, extra={"corpus": choice.plain()})


def fit_tokenizer(choice: Choice | None, load: Stage) -> dict[str, Stage]:
    """Return the stage that fits a tokenizer on the reference; nothing for one that is not fitted."""
    if choice is None or not choice.fitted:
        return {}
    return {kinds.FIT: Stage(kinds.FIT, {"tokenizer": choice.plain()}, {"corpus": load})}


def midi_run(folder: Path, replicate: int, shared: Shared) -> RunStages:
    """Return every stage of a run.

    Args:
        folder: of its MIDI files.
        replicate: from 0.
        shared: what all runs share.

    Raises:
        CorpusError: the folder has no MIDI files.
    """
    config = {"identity": corpus_digest(folder), "skip_bad": shared.skip_bad}
    collect = Stage(kinds.COLLECT, config, extra={"folder": str(folder.resolve())})
    stages = {kinds.LOAD: shared.load, **shared.fit, kinds.COLLECT: collect}
    for choice, scope in shared.metrics:
        measured = _measured(choice, scope, collect, replicate, shared)
        stages |= {stage_name(stage.kind, choice.name): stage for stage in measured}
    return RunStages(stages)


def _measured(choice: Choice, scope: str, collect: Stage, replicate: int, shared: Shared) -> Iterator[Stage]:
    """Yield the measurement of a metric and its floors."""
    sources = {"generated": collect, "reference": shared.load}
    config: dict[str, Any] = {"metric": choice.plain(), **({"scope": "set"} if scope == "set" else {})}
    yield Stage(kinds.MEASURE, config, sources)
    counts = {"shuffles": shared.floors.shuffles, "pieces": shared.floors.pieces}
    counts |= {"samples": shared.samples} if scope == "set" else {}
    tokenizer = {"tokenizer": shared.tokenizer.plain()} if shared.tokenizer else {}
    floor = {**config, **tokenizer, "seed": derive(SEED, 0, "floor"), **counts}
    yield Stage(kinds.FLOOR, floor, {"reference": shared.load, **shared.fit})
    if shared.floors.draws:
        drawn = {"draws": shared.floors.draws, "seed": derive(SEED, replicate, "resample")}
        yield Stage(kinds.RESAMPLE, {**config, **drawn}, sources)
