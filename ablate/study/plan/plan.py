"""Plan a study: the stages that have to run, and those that are reused."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.kinds import COLLECT, GENERATE, PROGRAM, TRAIN
from ablate.study.files.lost import lost_files, lost_line
from ablate.study.plan.jobs import in_jobs

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from pathlib import Path

    from ablate.digests import Damage
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
        damaged: the missing and damaged files of stages that are in the store, by fingerprint; they are among
            ``missing``, and their records are replaced when they have run again.
    """

    layout: Layout
    missing: Mapping[str, Stage]
    reused: Mapping[str, StageRecord]
    damaged: Mapping[str, Sequence[Damage]]

    def count(self, kind: str) -> tuple[int, int]:
        """Return how many stages of a kind have to run, and how many are reused."""
        stages = self.layout.stages()
        return (
            sum(stage.kind == kind for stage in self.missing.values()),
            sum(stages[f].kind == kind for f in self.reused),
        )

    def lost_line(self) -> str:
        """Return a line that counts the damaged files, and what runs again; empty if no file is damaged."""
        lost = {f: (self.missing[f].kind, found) for f, found in self.damaged.items()}
        return lost_line(lost) if lost else ""

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
    damaged: dict[str, tuple[Damage, ...]] = {}
    while True:
        missing = {f: stage for f, stage in stages.items() if f not in known}
        read = {source.fingerprint for stage in missing.values() for source in stage.inputs.values()}
        # what has to run again may read files that nothing would have read before
        lost = {f: found for f in known if (found := _lost(home, stages[f], records[f], is_read=f in read))}
        if not lost:
            break
        damaged |= lost
        known -= lost.keys()
    return Plan(layout, missing, {f: records[f] for f in stages if f in known}, damaged)


def _lost(home: Path, stage: Stage, record: StageRecord, *, is_read: bool) -> tuple[Damage, ...]:
    return tuple(lost_files(home, record, artifact=stage.artifact, is_read=is_read))
