"""What the gallery shows of a study, read from the home that has its results."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import ablate
from ablate.errors import AblateError
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.text.path import path_blocks
from ablate.report.text.sentences import answer as answer_of
from ablate.store.database.address import home_url
from ablate.store.store import Store
from ablate.study.plan.elsewhere import elsewhere
from gallery.fingerprint import fingerprint, laid_out, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.report.text.lines import Line
    from ablate.store.records import StageRecord


class NotReadyError(AblateError):
    """A home lacks results of a study, or has those of other settings."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A study in the gallery.

    Attributes:
        name: of the study.
        fingerprint: of the study file whose results are shown.
        version: of ablate, when the page was written.
        question: of the study file.
        corpus: the name of the corpus.
        runs: how many variants in how many replicates, for people.
        answer: one sentence of the report's verdicts.
        heading: the quantity and the baseline that the verdicts are about.
        sentences: of the report's first block, each with its verdict in words.
        steps: the report's sentences about the steps of a path; empty for other designs.
        hypothesis: the report's answer to it; empty without predictions.
        seconds: during which at least one stage ran.
        work: the seconds of all stages together.
        finished: the day of the last result.
        machine: what it ran on, for people.
    """

    name: str
    fingerprint: str
    version: str
    question: str
    corpus: str
    runs: str
    answer: str
    heading: str
    sentences: list[str]
    steps: list[str]
    hypothesis: str
    seconds: int
    work: int
    finished: str
    machine: str


def read_entry(name: str, file: Path, home: Path, registry: Registry, machine: str) -> Entry:
    """Return the entry of a study.

    Args:
        name: of the study, as it is stored.
        file: the study file.
        home: the folder with the results.
        registry: the components.
        machine: what the study ran on, for people.

    Raises:
        NotReadyError: not every run of the study file is done in this home.
        StoreError: the home has no database that can be read.
    """
    with Store(home_url(home), writing=False) as store:
        if name not in {study.name for study in store.studies()}:
            raise NotReadyError(f"{name} has not been run in {home}")
        study = Study.read(store, name)
    _check_settings(study, file, registry)
    analysis = Analysis(study, registry)
    answer = answer_of(analysis)
    block = answer.blocks[0]
    done = [stage for stage in study.stages.values() if stage.finished]
    return Entry(
        name=name,
        fingerprint=fingerprint(str(file), registry),
        version=ablate.__version__,
        question=str(study.spec.get("question", "")),
        corpus=study.record.corpus,
        runs=_runs(study),
        answer=first_sentence(block.lines, decided=_has_best(analysis)),
        heading=block.heading,
        sentences=[line.text for line in block.lines],
        steps=[line.text for steps in path_blocks(analysis) for line in steps.lines],
        hypothesis=answer.hypothesis.heading if answer.hypothesis else "",
        seconds=round(seconds_with_work(done)),
        work=round(sum(stage.seconds for stage in done)),
        finished=f"{max(stage.finished for stage in done if stage.finished):%Y-%m-%d}",
        machine=machine,
    )


def _runs(study: Study) -> str:
    replicates = max(run.replicate for run in study.runs) + 1
    spared = sum(run.state == "pruned" for run in study.runs)
    racing = f"; racing has spared {spared} of {len(study.runs)} runs" if spared else ""
    return f"{len(study.variants)} variants in {'up to ' if spared else ''}{replicates} replicates{racing}"


def first_sentence(lines: Sequence[Line], *, decided: bool) -> str:
    """Return one sentence of a block: about the best variant if that is ``decided``, or else the first verdict."""
    best = (line for line in lines if line.best and decided)
    text = next(best, lines[0]).text
    return text.partition(". ")[0].removesuffix(".") + "."


def _has_best(analysis: Analysis) -> bool:
    """Return whether some variant is excluded from being the best one in the first objective."""
    best = analysis.best.get(analysis.primary[0])
    return best is not None and len(best.candidates) < len(analysis.study.variant_levels.levels)


def seconds_with_work(stages: Iterable[StageRecord]) -> float:
    """Return the seconds during which at least one of the stages ran; pauses between commands are left out."""
    spans = sorted(
        (_begin(stage.finished, stage.seconds), stage.finished.timestamp()) for stage in stages if stage.finished
    )
    total, until = 0.0, 0.0
    for begin, end in spans:
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def _begin(finished: datetime, seconds: float) -> float:
    return finished.timestamp() - seconds


def _check_settings(study: Study, file: Path, registry: Registry) -> None:
    """Check that every run of the file is done, with the settings, components and code of today."""
    name = study.record.name
    ended = sum(run.state in ("done", "pruned") for run in study.runs)
    if ended < len(study.runs):
        raise NotReadyError(f"{name}: {ended} of {len(study.runs)} runs are done")
    layout = laid_out(str(file), registry, elsewhere(study.runs, study.stages))
    if settings(study.spec) != settings(layout.plain()):
        raise NotReadyError(f"{name} was run with other settings than {file} has now")
    stored = {(run.variant, run.replicate): run.stages for run in study.runs}
    if any(stored.get((run.variant.name, run.replicate)) != run.stages.fingerprints() for run in layout.runs):
        raise NotReadyError(f"{name} was run with other components, or another version of their code")


def to_json(entries: Iterable[Entry]) -> str:
    """Return entries as the text of a JSON file, by name."""
    rows = {entry.name: dataclasses.asdict(entry) for entry in sorted(entries, key=lambda entry: entry.name)}
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> dict[str, Entry]:
    """Return the entries in the text of a JSON file, by name."""
    return {name: Entry(**row) for name, row in json.loads(text).items()}
