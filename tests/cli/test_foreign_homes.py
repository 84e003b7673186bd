"""Homes that somebody else made, or that were damaged: what their databases and links name outside them stays."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

NAME = "tau_sweep@smoke"


def change(home: Path, statement: str, *values: str) -> list[str]:
    """Change the database of a home; return the first column of the rows that the statement gives."""
    with contextlib.closing(sqlite3.connect(home / "ablate.db")) as connection, connection:
        return [row[0] for row in connection.execute(statement, values)]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder beside the home, with files that have the names of results."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("precious.safetensors", "sample-00.mid", "losses.npy", ".writing-mine"):
        (folder / name).write_text("precious")
    return folder


def intact(folder: Path) -> bool:
    return sorted(path.name for path in folder.iterdir() if path.read_text() == "precious") == [
        ".writing-mine",
        "losses.npy",
        "precious.safetensors",
        "sample-00.mid",
    ]


PLACES = [
    "{outside}",
    "../outside",
    "artifacts/load/../../../outside",
    ".",
    "..",
    "",
    "artifacts",
    "artifacts/generate",
]


@pytest.mark.parametrize("artifact", PLACES)
def test_deleting_goes_by_the_fingerprint_and_not_by_the_folder(
    ran: Command, tmp_path: Path, outside: Path, artifact: str
) -> None:
    home, text = tmp_path / ".ablate", artifact.format(outside=outside)
    (home / "artifacts/train/ff" / ("f" * 64)).mkdir(parents=True)
    change(home, "UPDATE ablate_stages SET artifact = ? WHERE kind IN ('generate', 'train')", text)
    deleted = ran("study", "delete", NAME, "--yes")
    assert (deleted.code, deleted.out) == (0, f"deleted {NAME}, 14 result folders\n")
    assert deleted.err.count(f"note: left alone: {text}, which is not the folder of the stage") == (10 if text else 0)
    assert intact(outside)
    assert [path.name for path in home.glob("artifacts/*/*/*")] == ["f" * 64], "that of another study"
    assert change(home, "SELECT name FROM ablate_studies") == []


@pytest.mark.parametrize(
    "fingerprint", ["../../outside/precious", "{outside}/precious", "../../outside", "..", ".", ""]
)
def test_a_fingerprint_that_is_a_path_leads_nowhere(
    ran: Command, tmp_path: Path, outside: Path, fingerprint: str
) -> None:
    home, text = tmp_path / ".ablate", fingerprint.format(outside=outside)
    first = change(home, "SELECT min(fingerprint) FROM ablate_stages WHERE kind = 'train'")[0]
    for table in ("ablate_run_stages", "ablate_stages"):
        change(home, f"UPDATE {table} SET fingerprint = ? WHERE fingerprint = ?", text, first)
    (home / "checkpoints/of_another.safetensors").touch()
    assert ran("study", "delete", NAME, "--yes").code == 0
    assert intact(outside)
    assert (home / "checkpoints/of_another.safetensors").exists()
    assert [path.name for path in home.glob("artifacts/*/*/*")] == [first], "it is no result of this database"


def test_links_are_removed_and_not_followed(ran: Command, tmp_path: Path, outside: Path) -> None:
    home = tmp_path / ".ablate"
    folders = sorted(home.glob("artifacts/generate/*/*"))
    shutil.rmtree(folders[0])
    folders[0].symlink_to(outside)
    (folders[1] / "sample-00.mid").unlink()
    (folders[1] / "sample-00.mid").symlink_to(outside / "sample-00.mid")
    for name in (f"reports/{NAME}", "checkpoints/.writing-1", "run.json", "ablate.db.run.json"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).symlink_to(outside / "precious.safetensors" if name.endswith("json") else outside)
    assert ran("study", "delete", NAME, "--yes").code == 0
    assert intact(outside)
    left = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_symlink()]
    assert left == []
    assert list(home.glob("artifacts/*/*/*")) == []


@pytest.mark.parametrize("name", ["artifacts", "checkpoints", "reports", "logs", "audio", "ablate.db"])
def test_nothing_is_written_through_a_link_at_the_top_of_a_home(
    ran: Command, tmp_path: Path, outside: Path, name: str
) -> None:
    home, moved = tmp_path / ".ablate", outside / "moved"
    if not (home / name).exists():
        (home / name).mkdir()
    (home / name).rename(moved)
    (home / name).symlink_to(moved)
    before = sorted(moved.rglob("*"))
    for words in (["run", "tau_sweep", "--profile", "smoke", "--workers", "1"], ["delete", NAME, "--yes"]):
        refused = ran("study", *words)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith(f"error: .ablate/{name} is a link, and nothing is written through links")
        assert refused.err.count("\n") == 1
    assert sorted(moved.rglob("*")) == before


def test_a_link_further_down_ends_the_deletion_there(ran: Command, tmp_path: Path) -> None:
    home = tmp_path / ".ablate"
    (home / "artifacts/train").rename(tmp_path / "train")
    (home / "artifacts/train").symlink_to(tmp_path / "train")
    deleted = ran("study", "delete", NAME, "--yes")
    assert deleted.code == 0
    assert f"is behind the link {home / 'artifacts/train'}, which is not followed" in deleted.err
    assert len(list((tmp_path / "train").glob("*/*"))) == 2


@pytest.mark.parametrize("artifact", ["{outside}", "../outside"])
def test_files_outside_are_neither_bundled_nor_used(ran: Command, tmp_path: Path, outside: Path, artifact: str) -> None:
    home, text = tmp_path / ".ablate", artifact.format(outside=outside)
    change(home, "UPDATE ablate_stages SET artifact = ? WHERE kind = 'train'", text)
    generated = ran("generate", NAME, "--out", "music")
    assert generated.code == 1
    assert generated.err.startswith("error: table ablate_stages, row ")
    assert f"'{text}' is no path inside" in generated.err
    assert not (tmp_path / "music").exists()
