"""Folders of processes are removed with them, or by the next process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from ablate.processes import process_folder

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, tempfile
from ablate.processes import process_folder
tempfile.tempdir = {folder!r}
with process_folder("mine-") as made:
    (made / "file").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="tried on Linux only")
def test_the_folder_of_a_killed_process_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "mine-no-lock").mkdir()
    with process_folder("mine-") as used:
        subprocess.run([sys.executable, "-c", KILLED.format(folder=str(tmp_path))], check=False)
        (left,) = set(tmp_path.iterdir()) - {used, tmp_path / "mine-no-lock"}
        assert (left / "file").exists()
        with process_folder("mine-") as other:
            assert not left.exists()
            assert used.exists()
    assert not used.exists()
    assert not other.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["mine-no-lock"]
