"""The files of single runs, as arrays and performances."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import load_file

import ablate
from ablate.errors import AblateError, HomeError, UnknownName, UsageError
from ablate.report.data.run_files import RunFiles
from ablate.report.data.study import Study
from ablate.store.records import RunRecord, StudyRecord, VariantRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

STUDY = "tau_sweep@smoke"


@pytest.fixture(scope="module")
def home(smoke_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(smoke_home, tmp_path_factory.mktemp("files") / "home")


@pytest.fixture(scope="module")
def files(home: Path) -> RunFiles:
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        return RunFiles(Study.read(store, STUDY), home)


def test_the_files_of_a_run(files: RunFiles) -> None:
    losses = files.losses()
    assert losses.training.dtype == np.float32
    assert len(losses.training) == 40
    assert losses.validation.shape == (0, 2)
    samples = files.samples("tau=0.6", 1)
    assert all(isinstance(sample, ablate.Performance) and len(sample) for sample in samples)
    tokens = files.tokens("tau=0.6", 1)
    assert tokens.shape[0] == len(samples) == 2
    assert tokens.dtype == np.int64
    assert set(load_file(files.weights()))
    assert files.weights("tau=0.6") == files.weights("tau=1.4"), "they share a training"
    assert files.weights(replicate=1) != files.weights()


def test_what_does_not_exist(files: RunFiles) -> None:
    with pytest.raises(UnknownName, match=r"unknown variant 'tau=1' of study 'tau_sweep@smoke'; did you mean"):
        files.samples("tau=1")
    with pytest.raises(UsageError, match=r"replicate 2: 'tau=1.0' has replicates 0 to 1"):
        files.losses(replicate=2)


def test_files_that_are_gone_or_damaged(files: RunFiles, home: Path) -> None:
    files.weights("tau=1.2", 1).unlink()
    with pytest.raises(HomeError, match=r"'tau=1.2', replicate 1: .*weights.safetensors is missing; to make"):
        files.weights("tau=1.2", 1)
    for path in home.glob("artifacts/generate/*/*/tokens.npy"):
        path.write_bytes(b"no array")
    with pytest.raises(HomeError, match=r"tokens.npy has 8 bytes and not .* this: ablate db check --repair --home "):
        files.tokens()


def test_files_of_an_older_ablate_that_are_gone_or_damaged(files: RunFiles, home: Path) -> None:
    for stage in files._study.stages.values():
        object.__setattr__(stage, "files", {})
    for path in home.glob("artifacts/train/*/*/losses.npy"):
        path.write_bytes(b"")
    with pytest.raises(HomeError, match=r"losses.npy cannot be read; run the study again, or bring it from its bundle"):
        files.losses()
    for path in home.glob("artifacts/train/*/*/weights.safetensors"):
        path.unlink()
    with pytest.raises(HomeError, match=r"weights.safetensors is gone; run the study again"):
        files.weights()


def test_runs_without_such_results(tmp_path: Path) -> None:
    judged = RunRecord("ours", 0, {"measure loss": "a"}, {}, "done")
    failed = RunRecord("ours", 1, {"train": "b"}, {}, "failed", "TrainingDiverged", "the loss became NaN")
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        store.put_study(StudyRecord("mine", {}, "", "", 0), [VariantRecord("ours", "f", {}, True)], [judged, failed])
        files = RunFiles(Study.read(store, "mine"), tmp_path)
    with pytest.raises(AblateError, match="study 'mine' has no samples: ablate did not make its results"):
        files.samples()
    with pytest.raises(AblateError, match="no weights, because the run is failed, the loss became NaN"):
        files.weights(replicate=1)
