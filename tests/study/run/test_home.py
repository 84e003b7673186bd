from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import HomeError
from ablate.store.database.address import home_url
from ablate.study.run.home import only_command, open_home

if TYPE_CHECKING:
    from pathlib import Path


def test_one_run_a_home(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    with (
        only_command(home, home_url(home), "first"),
        pytest.raises(HomeError, match="is in use: study first runs there"),
        only_command(home, "sqlite://", "second"),
    ):
        pass
    with only_command(home, home_url(home), "second"):
        pass


@pytest.mark.parametrize("url", ["sqlite:///{}", "sqlite+pysqlite:///{}"])
def test_one_run_a_database_however_it_is_spelt(tmp_path: Path, url: str) -> None:
    one, other = open_home(tmp_path / "one"), open_home(tmp_path / "other")
    database = tmp_path / "shared.db"
    with (
        only_command(one, f"sqlite:///{database}", "first"),
        pytest.raises(HomeError, match="study first runs there"),
        only_command(other, url.format(database), "second"),
    ):
        pass


def test_what_a_killed_run_left_half_written_is_swept_away(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    (home / "checkpoints").mkdir()
    (home / "checkpoints/.writing-1-abc.safetensors").touch()
    (home / "checkpoints/abc.safetensors").touch()
    (home / "artifacts/train/ab/.writing-1-abc").mkdir(parents=True)
    (home / "artifacts/train/ab/abcd").mkdir()
    with only_command(home, home_url(home), "next"):
        assert [path.name for path in (home / "checkpoints").iterdir()] == ["abc.safetensors"]
        assert [path.name for path in (home / "artifacts/train/ab").iterdir()] == ["abcd"]
