"""Plan a study: the stages that have to run, and those that are reused."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.inside import inside
from ablate.kinds import COLLECT, GENERATE, KINDS, PROGRAM, SAMPLES, TRAIN, WEIGHTS
from ablate.study.plan.jobs import in_jobs

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from ablate.store.records import StageRecord
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout
    from ablate.study.stage import Stage


@dataclasses.dataclass(frozen=True)
class Plan:
    """The stages that have to run and those that are reused.

    Attributes:
        layout: the study.
        missing: stages that have to run, by fingerprint, inputs before outputs.
        reused: the records of stages whose results exist, by fingerprint.
        lost: fingerprints of stages in the store whose files are gone; they are among ``missing``.
    """

    layout: Layout
    missing: Mapping[str, Stage]
    reused: Mapping[str, StageRecord]
    lost: frozenset[str]

    def count(self, kind: str) -> tuple[int, int]:
        """Return how many stages of a kind have to run, and how many are reused."""
        stages = self.layout.stages()
        return (
            sum(stage.kind == kind for stage in self.missing.values()),
            sum(stages[f].kind == kind for f in self.reused),
        )

    def width(self) -> int:
        """Return how many jobs could run side by side on a CPU; at least 1."""
        generations = in_jobs([stage for stage in self.missing.values() if stage.kind == GENERATE])
        jobs = [self.count(kind)[0] for kind in (TRAIN, PROGRAM, COLLECT)]
        return max(*jobs, len(generations), 1)


def make_plan(layout: Layout, store: Store | None, home: Path, recompute: Container[str] = ()) -> Plan:
    """Compare a study with the results in the store and the home; changes nothing.

    Args:
        layout: the study.
        store: the open store; None if there is none yet.
        home: the folder for files.
        recompute: fingerprints of stages whose results do not count.
    """
    stages = layout.stages()
    records = store.stages(stages) if store else {}
    known = {fingerprint for fingerprint in records if fingerprint not in recompute}
    lost: set[str] = set()
    while True:
        wanted = _wanted(layout, known - lost)
        # files matter if a stage that has to run reads them, and if people want them: the samples
        read = {source.fingerprint for f in wanted for source in stages[f].inputs.values()}
        read |= {f for f, stage in stages.items() if stage.kind in SAMPLES}
        gone = {f for f in (read & known) - lost if not _has_files(home, stages[f])}
        if not gone:
            break
        lost |= gone
    missing = {f: stage for f, stage in stages.items() if f in wanted}
    reused = {f: records[f] for f in stages if f in known - wanted}
    return Plan(layout, missing, reused, frozenset(lost & wanted))


def _has_files(home: Path, stage: Stage) -> bool:
    """Return whether the files of a stage are in the home; a bundle may have left out the weights of a training."""
    folder = inside(home, stage.artifact)
    return folder.is_dir() and (stage.kind != TRAIN or (folder / WEIGHTS).is_file())


def _wanted(layout: Layout, finished: set[str]) -> set[str]:
    """Return the stages that have to run: missing goals of runs, and the missing stages that they need."""
    wanted: set[str] = set()

    def need(stage: Stage) -> None:
        if stage.fingerprint in finished or stage.fingerprint in wanted:
            return
        wanted.add(stage.fingerprint)
        for source in stage.inputs.values():
            need(source)

    for run in layout.wanted:
        for stage in run.stages.stages.values():
            if KINDS[stage.kind].goal:
                need(stage)
    return wanted
