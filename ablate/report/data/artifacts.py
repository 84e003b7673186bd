"""The files behind a study. They may be gone: what could not be read is remembered, and the report says so."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from ablate.kinds import LOAD
from ablate.music.storage import read_performances

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.arrays import FloatArray
    from ablate.music.performance import Performance
    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord


_UNREADABLE = (OSError, ValueError, KeyError, zipfile.BadZipFile)


class Artifacts:
    """Reads the files of stages.

    Args:
        home: the folder that the stages' artifacts are relative to.

    Attributes:
        missing: one line for each file that could not be read.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.missing: list[str] = []

    def losses(self, train: StageRecord) -> FloatArray | None:
        """The training loss of every step in nats per token, float32 [steps]; None if it cannot be read."""
        path = self.home / train.artifact / "losses.npy"
        try:
            losses: FloatArray = np.load(path, allow_pickle=False)
        except _UNREADABLE as error:
            self._miss(f"{train.artifact}/losses.npy", error)
            return None
        return losses

    def performances(self, stage: StageRecord) -> list[Performance] | None:
        """The performances that a stage loaded or generated; None if they cannot be read."""
        try:
            return read_performances(self.home / stage.artifact / "performances.npz")
        except _UNREADABLE as error:
            self._miss(f"{stage.artifact}/performances.npz", error)
            return None

    def references(self, study: Study) -> dict[str, Performance]:
        """The first performance that was learned from, by its title; one a corpus where that is an axis."""
        loads = {stage.fingerprint: (variant, stage) for variant, stage in reversed(study.first(LOAD))}
        found = {}
        for variant, stage in reversed(loads.values()):
            held_out = set(study.held_out(variant))
            learned = [p for p in self.performances(stage) or () if p.name not in held_out]
            if learned:
                title = "reference" if len(loads) == 1 else f"reference of {variant}"
                found[": ".join(filter(None, (title, learned[0].name)))] = learned[0]
        return found

    def midi_files(self, generate: StageRecord) -> list[Path]:
        """The MIDI files of a generation, one a sample, in order; empty if they are gone."""
        folder = self.home / generate.artifact
        files = sorted(folder.glob("sample-*.mid"))
        if not files:
            self._miss(f"{generate.artifact}/sample-*.mid", FileNotFoundError())
        return files

    def _miss(self, what: str, error: Exception) -> None:
        reason = "not found" if isinstance(error, FileNotFoundError) else "damaged, or not allowed to be read"
        line = f"{what}: {reason}"
        if line not in self.missing:
            self.missing.append(line)


def thinned(losses: FloatArray, points: int = 300) -> tuple[FloatArray, FloatArray]:
    """A loss curve with at most ``points`` points, each the mean of as many neighbouring steps.

    Returns:
        the last step (from 1) of each block, and the mean loss in it.
    """
    width = max(1, -(-len(losses) // points))
    starts = np.arange(0, len(losses), width)
    ends = np.minimum(starts + width, len(losses))
    return ends.astype(float), np.add.reduceat(losses, starts) / (ends - starts)
