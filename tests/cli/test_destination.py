"""Where results may be written: standard output by any name, and no place whose loss would be the loss of results."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.commands import Command

NAME = "tau_sweep@smoke"


@pytest.mark.skipif(not Path("/dev/fd/1").exists(), reason="this system has no names of descriptors")
def test_standard_output_has_several_names(ran: Command, tmp_path: Path) -> None:
    expected = ran("study", "export", NAME)
    (tmp_path / "link").symlink_to("/dev/stdout")
    for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"):
        assert ran("study", "export", NAME, "-o", name) == expected, name


def test_no_result_replaces_a_database_or_the_files_of_a_home(ran: Command, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.data") as own:
        own.execute("CREATE TABLE one (two)")
    (tmp_path / "link.csv").symlink_to(".ablate/ablate.db")
    stage = next((tmp_path / ".ablate/artifacts").glob("*/*/*/*"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    export, bundle = ("study", "export", NAME, "-o"), ("study", "bundle", NAME, "-o")
    for command, place, problem in (
        (export, ".ablate/ablate.db", "is a database"),
        (export, "link.csv", "is a database"),
        (export, "other.data", "is a database"),
        (export, ".ablate/ablate.db-wal", "belongs to a database"),
        (export, "other.data-journal", "belongs to a database"),
        (export, str(stage), f"is a place of the home {tmp_path}/.ablate"),
        (("study", "table", NAME, "-o"), ".ablate/checkpoints/new", f"is a place of the home {tmp_path}/.ablate"),
        (bundle, ".ablate/ablate.db", "is a database"),
        (("study", "report", NAME, "-o"), ".ablate/artifacts/new", f"is a place of the home {tmp_path}/.ablate"),
        (("generate", NAME, "--out"), ".ablate/artifacts", f"is a place of the home {tmp_path}/.ablate"),
    ):
        outcome = ran(*command, place)
        option = "--out" if command[0] == "generate" else "--output"
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"error: {option} {place} {problem}"), outcome.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert ran(*export, ".ablate/mine.csv").code == 0
