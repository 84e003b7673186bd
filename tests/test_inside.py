from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.errors import UnsafePath
from ablate.inside import inside, remove_inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a home beside a folder "outside" with a file, with links that lead into and out of it."""
    home, outside = tmp_path / "home", tmp_path / "outside"
    (home / "real").mkdir(parents=True)
    (home / "real/file").touch()
    outside.mkdir()
    (outside / "file").touch()
    (home / "in").symlink_to(home / "real")
    (home / "out").symlink_to(outside)
    (home / "file").symlink_to(outside / "file")
    (home / "circle").symlink_to(home / "circle")
    os.mkfifo(home / "pipe")
    return home


def test_a_path_below_the_folder_is_returned(tmp_path: Path) -> None:
    assert inside(tmp_path, "artifacts/train/ab/cd") == tmp_path / "artifacts" / "train" / "ab" / "cd"


OUTSIDE = ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "C:\\x", "a\\..\\..\\x", "a\0b", "a\ud800b"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_every_other_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePath):
        inside(tmp_path, name)


def test_links_may_stay_inside_and_must_not_lead_out(root: Path) -> None:
    assert inside(root, "in/file") == root / "in" / "file"
    for name in ("out", "out/file", "out/missing", "file"):
        with pytest.raises(UnsafePath, match="through a link"):
            inside(root, name)
    with pytest.raises(UnsafePath, match=r"circle/file' cannot be a path"):
        inside(root, "circle/file")


def test_a_pipe_that_would_wait_for_ever_is_refused(root: Path) -> None:
    with pytest.raises(UnsafePath, match="neither a file nor a folder"):
        inside(root, "pipe")


@given(st.text(max_size=20))
def test_whatever_the_name_the_path_is_below_the_folder(name: str) -> None:
    root = Path("/a/folder")
    try:
        path = inside(root, name)
    except UnsafePath:
        return
    assert root in path.resolve().parents


def test_removing_ends_at_links(root: Path) -> None:
    outside = root.parent / "outside"
    (root / "real/deep").mkdir()
    (root / "real/deep/link").symlink_to(outside)
    assert remove_inside(root, "real/deep")
    for name in ("out", "file", "circle", "pipe"):
        assert remove_inside(root, name)
        assert not os.path.lexists(root / name)
    assert not remove_inside(root, "real/deep"), "it is gone already"
    assert [path.name for path in outside.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["in/file", "out/file", "in/..", *OUTSIDE])
def test_nothing_is_removed_behind_a_link_or_outside(root: Path, name: str) -> None:
    with pytest.raises(UnsafePath):
        remove_inside(root, name)
    assert (root / "real/file").exists()
    assert (root.parent / "outside/file").exists()
