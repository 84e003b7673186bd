"""Finding the MIDI files of folders."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import scale

from ablate.errors import CorpusError
from ablate.files import MIDI_SUFFIXES
from ablate.music.corpus.find import find_midi
from ablate.music.corpus.read import read_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(scale())


def names(root: Path) -> list[str]:
    return [name for name, _ in find_midi(root)]


def test_every_ending_of_midi_files_is_found(tmp_path: Path) -> None:
    files = [f"song{number}{suffix.upper() if number % 2 else suffix}" for number, suffix in enumerate(MIDI_SUFFIXES)]
    write(tmp_path, *files, "song.mp3", "mid", "kar")
    assert names(tmp_path) == files
    assert {"song2", "song3"} < {piece.name for piece in read_corpus(tmp_path).performances}


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "real_data/a.mid", "music/b.mid")
    (tmp_path / "music/maestro").symlink_to("../real_data")
    assert names(tmp_path / "music") == ["b.mid", "maestro/a.mid"]
    (tmp_path / "link").symlink_to("music")
    assert names(tmp_path / "link") == ["b.mid", "maestro/a.mid"]


def test_links_make_no_loop_and_name_nothing_twice(tmp_path: Path) -> None:
    write(tmp_path, "other/x.mid", "other/deep/y.mid", "other/z.txt", "music/a.mid", "music/sub/b.mid")
    music = tmp_path / "music"
    for link, target in {
        "up": "..",
        "sub/self": "self",
        "sub/round": ".",
        "again": "sub",
        "first": "../other/deep",
        "second": "../other",
        "third": "../other",
        "a-too.mid": "a.mid",
        "x.mid": "../other/x.mid",
        "loop.txt": "loop.txt",
        "folder.mid": "../other/deep",
        "text.mid": "../other/z.txt",
        "nowhere": "../nowhere",
    }.items():
        (music / link).symlink_to(target)
    (tmp_path / "other/back").symlink_to("../music")
    found = find_midi(music)
    assert [name for name, _ in found] == ["a.mid", "first/y.mid", "second/x.mid", "sub/b.mid", "text.mid"]
    files = [file.resolve() for _, file in found]
    assert len(set(files)) == len(files)


def test_a_link_to_nothing_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, "a.mid")
    for name in ("gone.mid", "self.mid"):
        (tmp_path / name).symlink_to("gone" if name == "gone.mid" else name)
    with pytest.raises(
        CorpusError, match=r"2 of 3 files cannot be read: gone\.mid: no such file.*; self\.mid: cannot be"
    ):
        read_corpus(tmp_path)
    assert len(read_corpus(tmp_path, skip_bad=True).problems) == 2


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder with subfolders that cannot be opened, as somebody who is not the superuser."""
    is_superuser = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:  # of pytest's folders, only their owner can open one
        root = Path(folder)
        write(root, "a.mid", "secret/b.mid", "listed/deep/c.mid")
        read_corpus(root)  # what is imported late has to be imported before
        root.chmod(0o755)
        (root / "elsewhere").symlink_to("secret/folder")
        (root / "secret").chmod(0)
        (root / "listed").chmod(0o444)
        if is_superuser:
            os.seteuid(65534)
        yield root
        if is_superuser:
            os.seteuid(0)
        for name in ("secret", "listed"):
            (root / name).chmod(0o755)


def test_folders_that_cannot_be_opened_are_named(locked: Path) -> None:
    with pytest.raises(
        CorpusError,
        match=r"3 of 4 files cannot be read: elsewhere: .*Perm.*; listed/deep: cannot be opened: Perm.*; secret: ",
    ):
        read_corpus(locked)
    performances, problems, left_out = read_corpus(locked, skip_bad=True)
    assert left_out["files"] == 3
    assert [piece.name for piece in performances] == ["a"]
    assert problems[2] == "secret: left out: cannot be opened: Permission denied"
    with pytest.raises(CorpusError, match="secret: cannot be opened: Permission denied"):
        find_midi(locked / "secret")


def test_many_files_are_found_fast(tmp_path: Path) -> None:
    for folder in range(10):
        (tmp_path / f"{folder}").mkdir()
        for number in range(300):
            (tmp_path / f"{folder}/{number}.mid").touch()
    start = time.process_time()
    assert len(find_midi(tmp_path)) == 3000
    assert time.process_time() - start < 0.5
