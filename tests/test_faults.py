"""The campaign of faults is long; these tests show that it sees what was lost, and that nothing of it is left."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from faults import table
from faults.files import WAYS, damage
from faults.home import Ended, Home, contents, session
from faults.kills import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(smoke_home: Path, tmp_path: Path) -> Iterator[Home]:
    with Home("factorial", shutil.copytree(smoke_home, tmp_path / "home")) as made:
        yield made


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("DELETE FROM ablate_measurements WHERE id = (SELECT max(id) FROM ablate_measurements)", "measurements"),
        ("UPDATE ablate_measurements SET value = value + 1e-12 WHERE id = 1", "measurements"),
        ("UPDATE ablate_runs SET state = 'pending' WHERE id = 1", "runs"),
        ("UPDATE ablate_histograms SET edges = '[]' WHERE id = 1", "histograms"),
        ("UPDATE trials SET state = 'FAIL' WHERE trial_id = 1", "trials"),
    ],
)
def test_each_change_of_a_row_is_seen(home: Home, change: str, part: str) -> None:
    before = contents(home.folder)
    assert not home.differences(before)
    with contextlib.closing(sqlite3.connect(home.database)) as opened, opened:
        assert opened.execute(change).rowcount == 1
    assert part in home.differences(before)


@pytest.mark.parametrize("way", WAYS)
def test_each_change_of_a_file_is_seen(home: Home, way: str) -> None:
    before = contents(home.folder)
    files = sorted((home.folder / "artifacts").rglob("*.npz"))
    damage(files[0], way, files[1:2], random.Random(1))
    assert "files" in home.differences(before)


def test_a_traceback_and_a_wrong_exit_code_are_problems() -> None:
    assert not Ended(1, "", "error: no", 1.0).problem(0, 1)
    assert "exit code 1: error: no" in Ended(1, "", "error: no", 1.0).problem(0)
    assert "traceback" in Ended(1, "", "Traceback (most recent call last):\nX", 1.0).problem(1)
    assert "hung" in Ended(None, "", "", 1.0).problem(0)


def test_nothing_outlives_a_command(tmp_path: Path) -> None:
    with Home("factorial", tmp_path / "home") as home, home.started() as process:
        assert session(process.pid)
    assert not session(process.pid)
    assert process.returncode == -9


def test_every_kind_has_studies_of_the_campaign() -> None:
    for kind in KINDS:
        assert all((table.PAGE.parents[2] / f"tools/faults/studies/{study}.toml").is_file() for study in kind.studies)


def test_the_rows_are_written_between_the_markers_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- faults -->\nold\n<!-- end of faults -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(table, "PAGE", page)
    order = ["kills", "locks"]
    table.write_table([("locks", "the database is locked", 12, 3, 0)], order)
    table.write_table([("kills", "SIGKILL", 7, 2, 1)], order)
    table.write_table([("kills", "SIGKILL", 8, 2, 0)], order)
    text = page.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert rows == ["| SIGKILL | `kills` | 8 | 2 | 0 |", "| the database is locked | `locks` | 12 | 3 | 0 |"]
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
