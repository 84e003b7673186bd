"""The folder that a driver and its jobs share."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ablate_slurm.session import prefix_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_home_keeps_its_number_when_it_is_moved_and_a_copy_has_another_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    number = prefix_of(home)
    assert prefix_of(home) == number
    home.rename(tmp_path / "moved")
    assert prefix_of(tmp_path / "moved") == number
    shutil.copytree(tmp_path / "moved", tmp_path / "copy")
    copied = prefix_of(tmp_path / "copy")
    assert copied != number
    assert prefix_of(tmp_path / "copy") == copied
    assert prefix_of(tmp_path / "moved") == number
