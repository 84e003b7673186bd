"""Studies from a bundle, which were run elsewhere: with other devices, and on corpora that this machine may lack.

A fingerprint has the identity of a corpus (the digest of its files), not its path, and facts of the machine. The home
has both, so a study whose results are all there needs neither the corpus nor such a machine. A stage that must read the
music itself fails, alone; new results of another kind of machine are refused, because they could not be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.errors import CorpusError
from ablate.kinds import LOAD, PRIME, PROGRAM, TRAIN
from ablate.music.corpus.read import corpus_digest
from ablate.study.file.as_run import Elsewhere
from ablate.study.stage import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ablate.store.records import RunRecord, StageRecord


#: The kinds of stages that have these facts.
KINDS = (LOAD, PRIME, PROGRAM, TRAIN)


def elsewhere(runs: Iterable[RunRecord], stages: Mapping[str, StageRecord]) -> Elsewhere:
    """Return the facts of a study's results.

    Args:
        runs: of the study.
        stages: its finished stages by fingerprint, at least those of :data:`KINDS`.
    """
    inputs: dict[str, Any] = {}
    for run in runs:
        inputs |= _inputs(run, {name: stages[f] for name, f in run.stages.items() if f in stages})
    trained = (stage for stage in stages.values() if stage.kind == TRAIN)
    first = next(trained, None)
    if first is None:
        return Elsewhere(inputs)
    config = first.config
    return Elsewhere(inputs, config["device"], config["torch"], config["training"]["precision"])


def _inputs(run: RunRecord, stages: Mapping[str, StageRecord]) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    if LOAD in stages:
        inputs[corpus_key(run.config["corpus"][0])] = str(stages[LOAD].config["corpus"]["identity"])
    file = run.config.get("primer", {}).get("file")
    if PRIME in stages and file:
        inputs[file] = str(stages[PRIME].config["file"])
    if PROGRAM in stages:
        config = dict(stages[PROGRAM].config["program"])
        files = config.pop("inputs")
        inputs[program_key(config)] = files
    return inputs


def corpus_key(choice: Mapping[str, Any]) -> str:
    """Return the key of a corpus, given as plain data of its name, version and options."""
    return fingerprint(choice)


def program_key(config: Mapping[str, Any]) -> str:
    """Return the key of a program's input files, given as the configuration of its stage without them."""
    return fingerprint({"program": config})


def file_digest(path: str, inputs: Mapping[str, str]) -> str:
    """Return the digest of a file; of one that is absent here, the digest that is known under its path.

    Raises:
        CorpusError: it is absent, and its digest is not known.
    """
    try:
        return corpus_digest(path)
    except CorpusError:
        if path not in inputs:
            raise
        return inputs[path]
