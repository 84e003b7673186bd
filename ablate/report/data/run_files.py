"""The files of single runs as arrays and performances: losses, samples, tokens, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from ablate.digests import require
from ablate.errors import AblateError, DamagedFile, HomeError, UnknownName, UsageError
from ablate.kinds import GENERATE, PROGRAM, SAMPLES, TRAIN, WEIGHTS
from ablate.music.storage import read_performances
from ablate.store.folders import stage_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ablate.arrays import FloatArray, IntArray
    from ablate.music.performance import Performance
    from ablate.report.data.study import Study
    from ablate.store.records import RunRecord, StageRecord

T = TypeVar("T")


class Losses(NamedTuple):
    """The losses of one training, in nats per token.

    Attributes:
        training: of every step, float32 [steps].
        validation: float64 [evaluations, 2], the steps done and the loss of the validation pieces; [0, 2] without any.
    """

    training: FloatArray
    validation: FloatArray


class RunFiles:
    """A reader of the files of a study's runs.

    Args:
        study: the study.
        home: the folder that contains the files.

    Its methods take the name of a variant, by default the baseline, and a replicate. They raise

    - UnknownName: no such variant;
    - UsageError: no such replicate;
    - AblateError: the run has no such result;
    - HomeError: the file is gone or damaged.
    """

    def __init__(self, study: Study, home: Path) -> None:
        self._study, self._home = study, home

    def losses(self, variant: str = "", replicate: int = 0) -> Losses:
        """Return the losses of the training of a run."""
        run, stage = self._stage(variant, replicate, (TRAIN,), "training")
        training: FloatArray = self._read(run, stage, "losses.npy", _load)
        validates = "validation_loss" in stage.result
        empty: FloatArray = np.empty((0, 2))
        validation = self._read(run, stage, "validation.npy", _load).reshape(-1, 2) if validates else empty
        return Losses(training, validation)

    def samples(self, variant: str = "", replicate: int = 0) -> list[Performance]:
        """Return the samples of a run, with their primers marked and their labels set."""
        run, stage = self._stage(variant, replicate, SAMPLES, "samples")
        if not stage.result.get("samples"):
            raise AblateError(f"study '{self._study.record.name}' has no samples: its programs write numbers only")
        return self._read(run, stage, "performances.npz", read_performances)

    def tokens(self, variant: str = "", replicate: int = 0) -> IntArray:
        """Return the tokens that a run generated, int64 [samples, time], without primers."""
        run, stage = self._stage(variant, replicate, (GENERATE,), "generated tokens")
        tokens: IntArray = self._read(run, stage, "tokens.npy", _load)
        return tokens

    def weights(self, variant: str = "", replicate: int = 0) -> Path:
        """Return the path of the weights of a run, a file of safetensors."""
        run, stage = self._stage(variant, replicate, (TRAIN,), "weights")
        return self._read(run, stage, WEIGHTS, _existing)

    def outputs(self, variant: str = "", replicate: int = 0) -> Path:
        """Return the folder with everything that the program of a run wrote."""
        run, stage = self._stage(variant, replicate, (PROGRAM,), "outputs of programs")
        return self._read(run, stage, "out", _existing_folder)

    def _run(self, variant: str, replicate: int) -> RunRecord:
        name = variant or self._study.baseline
        if name not in self._study.names:
            raise UnknownName("variant", name, self._study.names, where=f"of study '{self._study.record.name}'")
        runs = {run.replicate: run for run in self._study.runs if run.variant == name}
        if replicate not in runs:
            listing = f"replicates {min(runs)} to {max(runs)}" if runs else "no replicates"
            raise UsageError(f"replicate {replicate}: '{name}' has {listing}")
        return runs[replicate]

    def _stage(self, variant: str, replicate: int, kinds: Sequence[str], what: str) -> tuple[RunRecord, StageRecord]:
        """Return a run and its stage of one of the kinds."""
        run = self._run(variant, replicate)
        name = next((kind for kind in kinds if kind in run.stages), "")
        stage = self._study.stage(run, name)
        if not name:
            raise AblateError(f"study '{self._study.record.name}' has no {what}: ablate did not make its results")
        if stage is None:
            reason = f", {run.error}" if run.error else ""
            raise AblateError(f"{_shown(run)} no {what}, because the run is {run.state}{reason}")
        return run, stage

    def _read(self, run: RunRecord, stage: StageRecord, name: str, read: Callable[[Path], T]) -> T:
        path = stage_file(self._home, stage, name)
        try:
            require(self._home, stage.artifact, stage.files, [name])
            return read(path)
        except DamagedFile as error:
            raise HomeError(f"{_shown(run)} {error}") from error
        except FileNotFoundError:
            reason = "is gone"
        except (OSError, ValueError, KeyError, EOFError):
            reason = "cannot be read"
        raise HomeError(f"{_shown(run)} {path} {reason}; run the study again, or bring it from its bundle")


def _shown(run: RunRecord) -> str:
    return f"'{run.variant}', replicate {run.replicate}:"


def _load(path: Path) -> Any:
    return np.load(path, allow_pickle=False)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError
    return path


def _existing_folder(path: Path) -> Path:
    if not path.is_dir():
        raise FileNotFoundError
    return path
