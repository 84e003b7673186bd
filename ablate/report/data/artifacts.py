"""The files of a study's stages. Files that cannot be read are collected, and the report lists them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from ablate.digests import TO_MAKE_IT_AGAIN, make_again, require
from ablate.errors import DamagedFile, UnsafePath
from ablate.kinds import INSTRUMENT, LOAD
from ablate.music.storage import read_instrument, read_performances
from ablate.printable import printable
from ablate.store.folders import stage_file, stage_folder

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.arrays import FloatArray
    from ablate.music.performance import Performance
    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord


_UNREADABLE = (DamagedFile, OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, UnsafePath)


class Artifacts:
    """A reader of the files of stages.

    Args:
        home: the folder that contains the stages' artifacts.

    Attributes:
        missing: one line for each file that could not be read, or is not what was recorded with its stage.
        damaged: those of them that are not what was recorded.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.missing: list[str] = []
        self.damaged: list[str] = []

    def damage_line(self) -> str:
        """Return a line that names the first damaged file, with the steps that make it again; empty without any."""
        if not self.damaged:
            return ""
        more = f", and {len(self.damaged) - 1:,} more" if len(self.damaged) > 1 else ""
        return f"{self.damaged[0]}{more}{make_again(self.home)}"

    def _path(self, stage: StageRecord, name: str) -> Path:
        """Return the path of a file of a stage, after its digest has been compared.

        Raises:
            DamagedFile: the digest differs.
            UnsafePath: the database names something that is not inside the home.
        """
        stage_folder(self.home, stage)
        require(self.home, stage.artifact, stage.files, [name])
        return stage_file(self.home, stage, name)

    def losses(self, train: StageRecord) -> FloatArray | None:
        """Return the training loss of every step in nats per token, float32 [steps]; None if it cannot be read."""
        try:
            losses: FloatArray = np.load(self._path(train, "losses.npy"), allow_pickle=False)
        except _UNREADABLE as error:
            self._record(f"{train.artifact}/losses.npy", error)
            return None
        return losses

    def learned(self, fit: StageRecord) -> bytes | None:
        """Return what a tokenizer has learned, for its ``load``; None if it cannot be read."""
        try:
            return self._path(fit, "learned.bin").read_bytes()
        except _UNREADABLE as error:
            self._record(f"{fit.artifact}/learned.bin", error)
            return None

    def validation(self, train: StageRecord) -> FloatArray | None:
        """Return a training's validation losses, float64 [evaluations, 2]: steps done, nats per token; None if unread.

        Only for a training that validates.
        """
        try:
            losses: FloatArray = np.load(self._path(train, "validation.npy"), allow_pickle=False)
        except _UNREADABLE as error:
            self._record(f"{train.artifact}/validation.npy", error)
            return None
        return losses.reshape(-1, 2)

    def performances(self, stage: StageRecord) -> list[Performance] | None:
        """Return the performances that a stage loaded or generated; None if they cannot be read."""
        try:
            return read_performances(self._path(stage, "performances.npz"))
        except _UNREADABLE as error:
            self._record(f"{stage.artifact}/performances.npz", error)
            return None

    def instrument(self, load: StageRecord) -> int | None:
        """Return the instrument of a corpus, see :func:`ablate.music.storage.read_instrument`; None if it is unread."""
        if load.files and INSTRUMENT not in load.files:
            return 0
        try:
            return read_instrument(self._path(load, INSTRUMENT))
        except _UNREADABLE as error:
            self._record(f"{load.artifact}/{INSTRUMENT}", error)
            return None

    def references(self, study: Study) -> dict[str, Performance]:
        """Return the first piece of the reference by its title; one for each corpus where the corpus is an axis."""
        loads = {stage.fingerprint: (variant, stage) for variant, stage in reversed(study.first(LOAD))}
        references = {}
        for variant, stage in reversed(loads.values()):
            use = study.configs()[variant].get("measure", {}).get("reference", "train")
            elsewhere = study.splits.elsewhere(variant, use)
            pieces = [p for p in self.performances(stage) or () if p.name not in elsewhere]
            if pieces:
                title = "reference" if len(loads) == 1 else f"reference of {variant}"
                references[": ".join(filter(None, (title, pieces[0].name)))] = pieces[0]
        return references

    def midi_files(self, generate: StageRecord) -> list[Path]:
        """Return the MIDI files of a generation, one for each sample, in order; empty if they are missing."""
        try:
            folder = stage_folder(self.home, generate)
            names = list(generate.files) or [path.name for path in folder.glob("sample-*.mid")]
        except UnsafePath as error:
            self._record(f"{generate.artifact}/sample-*.mid", error)
            return []
        names = [name for name in names if name.startswith("sample-") and name.endswith(".mid")]
        if not names:
            self._record(f"{generate.artifact}/sample-*.mid", FileNotFoundError())
        files = []
        for name in sorted(names, key=lambda name: (len(name), name)):  # 99 before 100
            try:
                files.append(self._path(generate, name))
            except (DamagedFile, UnsafePath) as error:
                self._record(f"{generate.artifact}/{name}", error)
        return files

    def _record(self, file: str, error: Exception) -> None:
        reason = "not found" if isinstance(error, FileNotFoundError) else "damaged, or not readable"
        line = f"{printable(file)}: {error if isinstance(error, UnsafePath) else reason}"
        if isinstance(error, DamagedFile):
            line = str(error).partition(TO_MAKE_IT_AGAIN)[0].removeprefix(f"{self.home}/")
            if line not in self.damaged:
                self.damaged.append(line)
        if line not in self.missing:
            self.missing.append(line)


def thin_losses(losses: FloatArray, points: int = 300, longest: int = 0) -> tuple[FloatArray, FloatArray]:
    """Reduce a loss curve to at most ``points`` points, each the mean over a block of neighbouring steps.

    Args:
        losses: of every step.
        points: the most points of the longest curve.
        longest: the steps of the longest curve that is drawn with this one, so that all have the same blocks.

    Returns:
        the last step (from 1) and the mean loss of each block.
    """
    width = max(1, -(-max(len(losses), longest) // points))
    starts = np.arange(0, len(losses), width)
    ends = np.minimum(starts + width, len(losses))
    return ends.astype(float), np.add.reduceat(losses, starts) / (ends - starts)
