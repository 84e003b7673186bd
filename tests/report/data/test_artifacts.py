"""The files of a study's stages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support import store_material

from ablate.report.data.artifacts import Artifacts, thin_losses

if TYPE_CHECKING:
    from pathlib import Path


def test_thinned_losses_are_block_means() -> None:
    step, loss = thin_losses(np.arange(10.0), points=4)
    assert step.tolist() == [3, 6, 9, 10]
    assert loss.tolist() == [1, 4, 7, 9]
    assert thin_losses(np.arange(3.0))[1].tolist() == [0, 1, 2]


@pytest.mark.parametrize("artifact", ["{outside}", "../outside", "artifacts/../../outside", "."])
def test_files_that_the_database_names_outside_the_home_are_not_read(tmp_path: Path, artifact: str) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    for folder in (home, outside):
        folder.mkdir()
        np.save(folder / "losses.npy", np.ones(3, np.float32))
        (folder / "sample-00.mid").touch()
    stage = store_material.stage("generate x", artifact=artifact.format(outside=outside))
    artifacts = Artifacts(home)
    assert artifacts.losses(stage) is None
    assert artifacts.midi_files(stage) == []
    assert len(artifacts.missing) == 2
    assert all("table ablate_stages, row generate x: " in line for line in artifacts.missing)


def test_a_link_is_no_sample_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    home, stage = tmp_path / "home", store_material.stage("generate x", artifact="artifacts/x")
    folder = home / "artifacts/x"
    folder.mkdir(parents=True)
    (tmp_path / "secret").touch()
    (folder / "sample-00.mid").symlink_to(tmp_path / "secret")
    (folder / "sample-01.mid").touch()
    os.mkfifo(folder / "sample-02.mid")
    os.mkfifo(folder / "losses.npy")
    artifacts = Artifacts(home)
    assert artifacts.midi_files(stage) == [folder / "sample-01.mid"]
    assert artifacts.losses(stage) is None
    (folder / "sample-00.mid").unlink()
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert artifacts.midi_files(stage) == []
