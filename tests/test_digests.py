"""Digests of files: what they notice, and what they leave alone."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from ablate.digests import damages, digest, digests, is_digest, require
from ablate.errors import DamagedFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two files of a stage, and a folder in it."""
    folder = tmp_path / "a"
    (folder / "out").mkdir(parents=True)
    (folder / "one.npy").write_bytes(b"first")
    (folder / "two.npy").write_bytes(b"other")
    (folder / "out/log").write_bytes(b"text")
    return tmp_path


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[2] ^= 1
    path.write_bytes(data)


def into_link(path: Path) -> None:
    path.rename(path.with_name("kept"))
    path.symlink_to("kept")


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def swap(path: Path) -> None:
    other = path.with_name("two.npy")
    for one, two in ((path, path.with_name("t")), (other, path), (path.with_name("t"), other)):
        one.rename(two)


def test_a_digest_has_the_size_and_the_sha256(home: Path) -> None:
    expected = "5:a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"
    assert digest(home / "a/one.npy") == expected
    assert is_digest(expected)
    assert not is_digest(expected.upper())
    found = digests(home / "a")
    assert list(found) == ["one.npy", "out/", "two.npy"]
    assert found["one.npy"] == expected
    (home / "a/out/log").rename(home / "a/out/other")
    assert digests(home / "a")["out/"] != found["out/"]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (flip, "is not what was written: its digest differs"),
        (swap, "is not what was written: its digest differs"),
        (lambda path: os.truncate(path, 2), "has 2 bytes and not 5"),
        (lambda path: os.truncate(path, 0), "is empty"),
        (lambda path: path.unlink(), "is missing"),
        (into_link, "is a link and no file"),
        (into_folder, "is a folder and no file"),
    ],
)
def test_every_damage_is_found(home: Path, damage: Callable[[Path], None], problem: str) -> None:
    files = digests(home / "a")
    assert list(damages(home, "a", files)) == []
    require(home, "a", files)
    began = time.time()
    damage(home / "a/one.npy")
    first = next(damages(home, "a", files))
    assert first == ("a/one.npy", problem)
    # a change is noticed by the times of the file, without reading those that are older
    assert first in list(damages(home, "a", files, since=began))
    with pytest.raises(DamagedFile, match=r"one.npy .*; to make it again, .*: ablate db check --repair --home "):
        require(home, "a", files)
    require(home, "a", files, ["unknown.npy"])


def test_a_file_that_is_older_than_its_record_is_not_read(home: Path) -> None:
    files = digests(home / "a")
    flip(home / "a/one.npy")
    assert list(damages(home, "a", files, since=time.time() + 60)) == []
    (home / "a/one.npy").write_bytes(b"longer than before")
    assert [each.problem for each in damages(home, "a", files, since=time.time() + 60)] == ["has 18 bytes and not 5"]


@pytest.mark.parametrize("name", ["../one.npy", "/etc/passwd", "..", "x/y", "a\0b"])
def test_a_recorded_name_never_leads_elsewhere(home: Path, name: str) -> None:
    (found,) = damages(home, "a", {name: f"5:{'0' * 64}"})
    assert found.problem == "is not recorded as a file"
    (found,) = damages(home, "a", {"one.npy": "no digest"})
    assert found.problem == "is not recorded as a file"


def test_a_digest_is_taken_again_after_a_change(home: Path) -> None:
    before = digest(home / "a/one.npy")
    time.sleep(0.1)
    assert digest(home / "a/one.npy") == digest(home / "a/one.npy") == before
    flip(home / "a/one.npy")
    assert digest(home / "a/one.npy") != before
