from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import torch

from ablate.engine.checkpoint import load_checked, load_tensors, pack_tensors, save_checked
from ablate.errors import StageError
from ablate.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_is_written_and_replaced_with_the_folders_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["file"]


def test_others_may_read_what_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


FULL_DISK = """
import resource, sys
from pathlib import Path
from ablate.files import write_whole

path = Path(sys.argv[1])
write_whole(path, b"old" * 1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_whole(path, b"new" * 10000)
except OSError as error:
    print(error.errno)
"""


def test_without_room_the_old_file_stays_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old" * 1000


WRITE_ON = """
import itertools, signal, sys
from pathlib import Path
from ablate.files import write_whole

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
for number in itertools.count():
    write_whole(Path(sys.argv[1]), bytes([number % 256]) * 20_000_000)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "file"
    with subprocess.Popen([sys.executable, "-c", WRITE_ON, str(path)], stderr=subprocess.DEVNULL) as writer:
        while not path.exists():
            assert writer.poll() is None
            time.sleep(0.005)
        time.sleep(0.05)
        writer.send_signal(how)
    data = path.read_bytes()
    assert len(data) == 20_000_000
    assert len(set(data)) == 1
    if how == signal.SIGINT:
        assert names(tmp_path) == ["file"]


def test_tensors_and_facts_come_back(tmp_path: Path) -> None:
    shared = torch.arange(6.0)
    tensors = {
        "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        "whole": torch.tensor(3, dtype=torch.int64),
        "turned": torch.arange(6.0).reshape(2, 3).T,
        "one": shared,
        "other": shared[2:],
        "empty": torch.empty(0, 4),
        "trained": torch.nn.Parameter(torch.ones(2)),
    }
    facts = {"step": 7, "nested": {"text": "Schönberg", "list": [1.5, None, True]}}
    save_checked(tmp_path / "file", tensors, facts)
    loaded, loaded_facts = load_checked(tmp_path / "file")
    assert loaded_facts == facts
    assert loaded.keys() == tensors.keys()
    assert all(loaded[name].equal(tensors[name]) and loaded[name].dtype == tensors[name].dtype for name in tensors)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_file_that_is_not_ours_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StageError) as caught:
        load_tensors(path)
    assert str(caught.value).startswith(f"{path} is damaged or missing (")
    assert str(caught.value).endswith("); delete its folder and run the study again to recreate it")


def test_no_bit_of_a_checked_file_can_change(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save_checked(path, {"one": torch.arange(3.0)}, {"step": 7, "optimizer": {"text": '"digest":"0"'}})
    data = path.read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(StageError, match=re.escape(str(path))):
            load_checked(path)
    for content in (data[:-1], data + b"x", data[:7], b""):
        path.write_bytes(content)
        with pytest.raises(StageError):
            load_checked(path)
    path.write_bytes(data)
    assert load_checked(path)[1] == {"step": 7, "optimizer": {"text": '"digest":"0"'}}


def test_a_checked_file_is_not_taken_for_another_one(tmp_path: Path) -> None:
    save_checked(tmp_path / "one", {"w": torch.ones(2)}, {})
    (tmp_path / "one").rename(tmp_path / "two")
    with pytest.raises(StageError, match="two was saved under another name"):
        load_checked(tmp_path / "two")
    (tmp_path / "old").write_bytes(pack_tensors({"w": torch.ones(2)}, {"step": 1}))
    with pytest.raises(StageError, match="old has no digest: it is damaged, or an older ablate has written it"):
        load_checked(tmp_path / "old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StageError, match="folder cannot be read"):
        load_checked(tmp_path / "folder")
