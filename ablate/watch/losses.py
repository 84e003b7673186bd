"""The loss curves of trainings: of running ones from the command, of finished ones from their files, read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.kinds import TRAIN
from ablate.printable import printable
from ablate.report.data.artifacts import Artifacts, thin_losses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate.store.records import RunRecord, StageRecord
    from ablate.watch.live import Live
    from ablate.watch.state import Snapshot

#: The most points of a curve, curves of a figure, and figures of a page; what is left out is counted.
POINTS, MOST_CURVES, MOST_FIGURES = 64, 12, 48


class Losses:
    """The curves of a study.

    Args:
        home: the folder with the files of its trainings.
    """

    def __init__(self, home: Path) -> None:
        self._artifacts = Artifacts(home)
        self._finished: dict[str, list[tuple[int, float]]] = {}

    def figures(self, snapshot: Snapshot, stages: Mapping[str, StageRecord]) -> dict[str, Any]:
        """Return a part for each figure: the trainings of one variant, or of variants that share their trainings.

        Args:
            snapshot: of the study.
            stages: its finished stages with files, by fingerprint.
        """
        shared: dict[str, list[RunRecord]] = {}
        for run in snapshot.progress.runs:
            if TRAIN in run.stages:
                shared.setdefault(run.stages[TRAIN], []).append(run)
        groups: dict[tuple[str, ...], list[str]] = {}
        for fingerprint, runs in shared.items():
            groups.setdefault(tuple(dict.fromkeys(run.variant for run in runs)), []).append(fingerprint)
        parts: dict[str, Any] = {}
        drawn = 0
        for variants, trainings in groups.items():
            lines = [
                {"replicate": snapshot.name(shared[each][0]), **line}
                for each in trainings
                if (line := self._line(each, stages, snapshot.live))
            ]
            if lines and drawn < MOST_FIGURES:
                more = len(lines) - MOST_CURVES
                title = printable(variants[0]) + _others(len(variants) - 1, len(groups))
                parts[f"loss:{drawn}"] = {"title": title, "lines": lines[:MOST_CURVES], "more": max(more, 0)}
            drawn += bool(lines)
        parts["losses"] = {"more": max(drawn - MOST_FIGURES, 0)}
        return parts

    def _line(self, fingerprint: str, stages: Mapping[str, StageRecord], live: Live | None) -> dict[str, Any] | None:
        running = live.trainings.get(fingerprint) if live else None
        if running and running.points:
            shown = running.points[:: 1 + len(running.points) // POINTS]
            # the last point too: it is the one that people look at
            points = [*shown, *(running.points[-1:] if shown[-1] != running.points[-1] else ())]
            return {"points": _short(points), "running": True, "steps": running.steps}
        if fingerprint not in stages:
            return None
        if fingerprint not in self._finished:
            self._finished[fingerprint] = self._read(stages[fingerprint])
        points = self._finished[fingerprint]
        return {"points": _short(points), "running": False, "steps": points[-1][0]} if points else None

    def _read(self, stage: StageRecord) -> list[tuple[int, float]]:
        """Return the curve of a finished training; empty if its file cannot be read, which the report states."""
        losses = self._artifacts.losses(stage)
        if losses is None or not len(losses):
            return []
        steps, means = thin_losses(losses, POINTS)
        return [(int(step), float(mean)) for step, mean in zip(steps, means, strict=True)]


def _others(others: int, groups: int) -> str:
    if not others:
        return ""
    if groups == 1:
        return " and all other variants, which share the trainings"
    return f" and {others} other{'s' if others > 1 else ''}"


def _short(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    return [(step, round(loss, 4)) for step, loss in points if abs(loss) < 1e9]
