from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from ablate.errors import AblateError
from ablate.files import read_file, remove, replaced_folder, unfinished, write_folder_whole, write_whole
from ablate.music.midi import read_bytes
from ablate.study.bundle.archive import Archive
from ablate.study.file.text.toml import read_text
from ablate.study.judge.reading import read_table


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_written_and_replaced_with_the_folders_above_it(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    write_folder_whole(target, {"one": b"1", "two": lambda file: file.writelines([b"2", b"3"])})
    assert contents(target) == {"one": b"1", "two": b"23"}
    write_folder_whole(target, {"three": b"3"})
    assert contents(tmp_path) == {"a/b/three": b"3"}
    assert [path.name for path in target.parent.iterdir()] == ["b"]


def test_a_new_folder_can_begin_with_the_old_files(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    for name in ("one", "two"):
        with replaced_folder(target, keep=True) as folder:
            (folder / name).mkdir()
            (folder / name / "file").write_bytes(name.encode())
    assert contents(target) == {"one/file": b"one", "two/file": b"two"}


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "folder"
    write_folder_whole(target, {"old": b"old"})

    def write(file: IO[bytes]) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(type(error)):
        write_folder_whole(target, {"new": b"new", "other": write})
    assert contents(tmp_path) == {"folder/old": b"old"}
    assert len(list(tmp_path.iterdir())) == 1


def test_an_old_folder_is_there_again_if_the_new_one_cannot_be_renamed(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    write_folder_whole(target, {"old": b"old"})
    with pytest.raises(FileNotFoundError), replaced_folder(target) as folder:
        folder.rmdir()
    assert contents(tmp_path) == {"folder/old": b"old"}


REPLACE_ON = """
import itertools, sys
from pathlib import Path
from typing import IO
from ablate.files import write_folder_whole

for number in itertools.count():
    write_folder_whole(Path(sys.argv[1]), {name: bytes([number % 256]) * 100_000 for name in "abcdef"})
"""


def test_an_old_folder_that_cannot_be_put_back_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "file").write_text("old")
    rename = Path.rename

    def only_away(self: Path, to: Path) -> Path:
        if to == target:
            raise PermissionError(13, "no way back")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", only_away)
    with pytest.raises(PermissionError), replaced_folder(target) as folder:
        (folder / "file").write_text("new")
    assert not target.exists()
    (left,) = tmp_path.rglob("file")
    assert left.read_text() == "old"


def test_a_killed_writer_leaves_no_part_of_a_folder_and_its_litter_can_be_removed(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    with subprocess.Popen([sys.executable, "-c", REPLACE_ON, str(target)]) as writer:
        while not target.exists():
            assert writer.poll() is None
            time.sleep(0.005)
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
    for path in unfinished(tmp_path):
        remove(path)
    # killed between its two renames, it leaves neither the old folder nor the new one
    assert {path.name for path in tmp_path.iterdir()} <= {"folder"}
    if target.exists():
        found = contents(target)
        assert sorted(found) == list("abcdef")
        assert len(set(found.values())) == 1


def test_files_and_their_folder_are_flushed_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: set[int] = set()
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        flushed.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    write_whole(tmp_path / "file", b"1")
    assert flushed == {path.stat().st_ino for path in (tmp_path, tmp_path / "file")}
    flushed.clear()
    with replaced_folder(tmp_path / "folder") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_bytes(b"1")
    made = [tmp_path, tmp_path / "folder", *(tmp_path / "folder").rglob("*")]
    assert flushed == {path.stat().st_ino for path in made}


def test_a_folder_that_cannot_be_opened_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def windows(path: Path, flags: int) -> int:
        if Path(path).is_dir():
            raise PermissionError(path)
        return opened(path, flags)

    monkeypatch.setattr(os, "open", windows)
    write_folder_whole(tmp_path / "folder", {"file": b"1"})
    assert contents(tmp_path) == {"folder/file": b"1"}


def test_links_pipes_and_what_they_lead_to_stay_out_of_new_folders(tmp_path: Path) -> None:
    target, outside = tmp_path / "folder", tmp_path / "outside"
    for folder in (target, outside):
        folder.mkdir()
        (folder / "file").write_bytes(folder.name.encode())
    (target / "link").symlink_to(outside)
    (target / "file link").symlink_to(outside / "file")
    os.mkfifo(target / "pipe")
    with replaced_folder(target, keep=True) as folder:
        (folder / "new").touch()
    assert contents(tmp_path) == {"folder/file": b"folder", "folder/new": b"", "outside/file": b"outside"}
    remove(target)
    target.symlink_to(outside)
    with replaced_folder(target, keep=True) as folder:
        (folder / "new").touch()
    assert contents(tmp_path) == {"folder/new": b"", "outside/file": b"outside"}, "a link is replaced"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "outside"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "link").symlink_to("pipe.toml")
    for path, kind in ((tmp_path / "pipe.toml", "pipe"), (tmp_path / "link", "pipe"), (Path("/dev/zero"), "device")):
        with pytest.raises(OSError, match=f"it is a {kind} and no file"):
            read_file(path)
        for read in (read_bytes, read_text, read_table, Archive):
            with pytest.raises(AblateError, match=f"it is a {kind} and no file"):
                read(path)
    end, start = os.pipe()
    os.write(start, b"of a shell")
    os.close(start)
    if Path("/dev/fd").exists():
        assert read_file(Path(f"/dev/fd/{end}")) == b"of a shell"
    os.close(end)
