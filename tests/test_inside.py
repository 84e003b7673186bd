from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.errors import UnsafePath
from ablate.inside import inside


def test_a_path_below_the_folder_is_returned(tmp_path: Path) -> None:
    assert inside(tmp_path, "artifacts/train/ab/cd") == tmp_path / "artifacts" / "train" / "ab" / "cd"


OUTSIDE = ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "C:\\x", "a\\..\\..\\x", "a\0b", "a\ud800b"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_every_other_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePath):
        inside(tmp_path, name)


def test_links_may_stay_inside_and_must_not_lead_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "home", tmp_path / "outside"
    (root / "real").mkdir(parents=True)
    outside.mkdir()
    (root / "in").symlink_to(root / "real")
    (root / "out").symlink_to(outside)
    assert inside(root, "in/file") == root / "in" / "file"
    with pytest.raises(UnsafePath, match="through a link"):
        inside(root, "out/file")


@given(st.text(max_size=20))
def test_whatever_the_name_the_path_is_below_the_folder(name: str) -> None:
    root = Path("/a/folder")
    try:
        path = inside(root, name)
    except UnsafePath:
        return
    assert root in path.resolve().parents
