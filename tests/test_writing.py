from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ablate.errors import HomeError
from ablate.writing import OLD, abandoned, only_writer

if TYPE_CHECKING:
    from pathlib import Path

#: Holds the lock of a folder, begins to write it, and waits to be killed.
WRITER = """
import sys, time
from pathlib import Path
from ablate.files import replaced_folder
from ablate.writing import only_writer
target = Path(sys.argv[1])
with only_writer(target), replaced_folder(target) as folder:
    (folder / "index.html").touch()
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITER, str(tmp_path / "study")]
    writer = subprocess.Popen(
        words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert writer.stdout
    with writer:
        assert writer.stdout.readline() == b"writing\n"
        assert len(list(tmp_path.glob(".writing-*"))) == 1
        assert abandoned(tmp_path) == []
        with pytest.raises(HomeError, match="another command is writing"), only_writer(tmp_path / "study", wait=0):
            pass
        writer.kill()
    assert len(abandoned(tmp_path)) == 1
    with only_writer(tmp_path / "other", wait=0):
        assert len(abandoned(tmp_path)) == 1, "only what was left of the same folder goes"
    with only_writer(tmp_path / "study", wait=0):
        assert list(tmp_path.glob(".writing-*")) == []


def test_what_no_lock_protects_is_abandoned_after_an_hour(tmp_path: Path) -> None:
    new, old = tmp_path / ".writing-01234567-new.mp3", tmp_path / ".writing-01234567-old.mp3"
    for path in (new, old):
        path.touch()
    os.utime(old, (time.time() - OLD - 1,) * 2)
    assert abandoned(tmp_path) == [old]
