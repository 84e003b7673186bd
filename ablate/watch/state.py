"""From records to the parts of the page: plain data, with every name escaped for people."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.kinds import (
    COLLECT,
    FIT,
    FLOOR,
    GENERATE,
    KINDS,
    LOAD,
    MEASURE,
    PREPARE,
    PRIME,
    PROGRAM,
    RESAMPLE,
    TRAIN,
    kind_of,
)
from ablate.names import replicate_name
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.store.records import RunRecord, StudyProgress, StudyRecord
    from ablate.watch.live import Live, LiveJob

#: A study with more runs is shown as numbers for each variant.
MOST_CELLS = 2_000
#: A failure names this many of its runs.
_LISTED_RUNS = 3
_ENDED = ("done", "failed", "pruned")
#: What a kind of stage does, while it does it.
DOING = {
    LOAD: "loading the music",
    FIT: "fitting the tokenizer",
    PREPARE: "preparing the music",
    PRIME: "cutting the primer",
    TRAIN: "training",
    GENERATE: "generating",
    PROGRAM: "running its program",
    COLLECT: "collecting MIDI files",
    MEASURE: "measuring",
    FLOOR: "measuring floors",
    RESAMPLE: "measuring resampled notes",
}
#: What a run waits for, by the first kind of its missing stages.
_WAITING = {TRAIN: "waiting", PROGRAM: "waiting", GENERATE: "trained, waiting", MEASURE: "generated, waiting"}


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Everything about a study at one moment.

    Attributes:
        study: its record.
        progress: of its runs.
        live: what a command works on; None if no command works on this study.
    """

    study: StudyRecord
    progress: StudyProgress
    live: Live | None

    def name(self, run: RunRecord) -> str:
        """Return the name of a run's replicate."""
        return replicate_name(self.study.spec, run.variant, run.replicate)

    def active(self) -> dict[str, LiveJob]:
        """Return the job of each stage that is worked on now, by its fingerprint."""
        found: dict[str, LiveJob] = {}
        for job in self.live.jobs if self.live else ():
            together = job.kind in KINDS and KINDS[job.kind].jobs == "together"
            found |= dict.fromkeys(job.stages if together else (job.at,), job)
        return found

    def share(self, job: LiveJob, fingerprint: str) -> tuple[float, str]:
        """Return the finished part of a stage that is worked on, and of a training its step and its loss in words."""
        training = self.live.trainings.get(fingerprint) if self.live else None
        if training is None:
            return job.fraction if fingerprint == job.at else 0.0, ""
        loss = "not a number" if training.loss is None else f"{training.loss:.3f}"
        share = min(training.step / training.steps, 1.0)
        return share, f"step {training.step:,} of {training.steps:,}, loss {loss}"


def phase(snapshot: Snapshot) -> str:
    """Return the phase of a study.

    Returns:
        ``running``; ``reporting``, while a command writes the report; ``complete``, if every run has ended; or
        ``stopped``.
    """
    if snapshot.live:
        return "reporting" if snapshot.live.reporting else "running"
    return "complete" if all(run.state in _ENDED for run in snapshot.progress.runs) else "stopped"


def head(snapshot: Snapshot) -> dict[str, Any]:
    """Return the facts at the top of the page."""
    study, progress = snapshot.study, snapshot.progress
    states = collections.Counter(run.state for run in progress.runs)
    wanted = {fingerprint for run in progress.runs for fingerprint in run.stages.values()}
    return {
        "name": printable(study.name),
        "question": printable(str(study.spec.get("question", ""))),
        "corpus": printable(study.corpus),
        "profile": printable(study.profile),
        "phase": phase(snapshot),
        "since": snapshot.live.since if snapshot.live else None,
        "done": states["done"] + states["pruned"],
        "failed": states["failed"],
        "total": len(progress.runs),
        "stages": len(wanted & progress.stages.keys()),
        "stages_total": len(wanted),
        "looked": max(progress.looked, default=0),
        "replicates": 1 + max((run.replicate for run in progress.runs), default=-1),
        "adaptive": study.spec.get("design") in ("search", "path"),
        "part": bool(study.spec.get("shards")),
    }


def rows(snapshot: Snapshot) -> dict[str, Any]:
    """Return the table of the runs, a part for each variant, and one for its columns."""
    progress, active = snapshot.progress, snapshot.active()
    of: dict[str, list[RunRecord]] = {name: [] for name, _ in progress.variants}
    for run in progress.runs:
        of[run.variant].append(run)
    counted = len(progress.runs) > MOST_CELLS
    parts: dict[str, Any] = {}
    for number, (name, baseline) in enumerate(progress.variants):
        cells = [_cell(snapshot, run, active) for run in of[name]]
        row: dict[str, Any] = {"variant": printable(name), "baseline": baseline}
        row |= {"counts": collections.Counter(cell["state"] for cell in cells)} if counted else {"cells": cells}
        parts[f"row:{number}"] = row
    replicates = sorted({run.replicate for run in progress.runs})
    parts["columns"] = [] if counted else replicates
    return parts


def _cell(snapshot: Snapshot, run: RunRecord, active: Mapping[str, LiveJob]) -> dict[str, Any]:
    """Return the state of a run: as a class (``state``), in words, with its facts and the finished part."""
    cell: dict[str, Any] = {"replicate": run.replicate, "name": snapshot.name(run), "facts": "", "share": None}
    for name, fingerprint in run.stages.items():
        kind = kind_of(name)
        if fingerprint in active and kind in KINDS and KINDS[kind].required:
            share, facts = snapshot.share(active[fingerprint], fingerprint)
            return {**cell, "state": "active", "text": DOING.get(kind, kind), "facts": facts, "share": share}
    if run.state in _ENDED:
        return {**cell, "state": run.state, "text": "spared" if run.state == "pruned" else run.state}
    if snapshot.live is None:
        return {**cell, "state": "idle", "text": "interrupted" if run.state == "interrupted" else "not started"}
    lacking = {kind_of(name) for name, fingerprint in run.stages.items() if fingerprint not in snapshot.progress.stages}
    first = next((kind for kind, facts in KINDS.items() if kind in lacking and facts.required), TRAIN)
    return {**cell, "state": "waiting", "text": "waiting" if KINDS[first].early else _WAITING.get(first, "waiting")}


def jobs(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return what is worked on now."""
    runs: dict[str, list[RunRecord]] = {}
    for run in snapshot.progress.runs:
        for fingerprint in run.stages.values():
            runs.setdefault(fingerprint, []).append(run)
    found = []
    for job in snapshot.live.jobs if snapshot.live else ():
        share, facts = snapshot.share(job, job.at)
        found.append(
            {
                "what": DOING.get(job.kind, printable(job.kind)),
                "who": _about(snapshot, runs.get(job.at, [])),
                "together": len(job.stages) if job.kind == TRAIN else 1,
                "share": share,
                "facts": facts,
            }
        )
    return found


def _about(snapshot: Snapshot, runs: Sequence[RunRecord]) -> str:
    """Return the runs of a stage: its first variant, how many others, and the replicate if it is the same."""
    if not runs:
        return ""
    variants = list(dict.fromkeys(run.variant for run in runs))
    replicates = {snapshot.name(run) for run in runs}
    others = len(variants) - 1
    more = f" and {others} other{'s' if others > 1 else ''}" if others else ""
    return f"{printable(variants[0])}{more}" + (f", replicate {min(replicates)}" if len(replicates) == 1 else "")


def failures(snapshot: Snapshot) -> list[dict[str, str]]:
    """Return each reason for failures with its runs."""
    reasons: dict[str, list[str]] = {}
    for run in snapshot.progress.runs:
        if run.state == "failed":
            reason = printable(f"{run.error_class}: {run.error}")
            reasons.setdefault(reason, []).append(f"{printable(run.variant)}, replicate {snapshot.name(run)}")
    return [
        {
            "reason": reason,
            "runs": "; ".join(names[:_LISTED_RUNS])
            + (f"; and {len(names) - _LISTED_RUNS} more" if len(names) > _LISTED_RUNS else ""),
        }
        for reason, names in reasons.items()
    ]
