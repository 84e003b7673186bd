"""The study commands, one after another on one home, as a person would use them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import sqlite3
from typing import TYPE_CHECKING, Any

import pandas as pd
from support.small_study import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from support.commands import Command

NAME = "tau_sweep@smoke"


def test_from_a_run_to_its_deletion(ran: Command, tmp_path: Path) -> None:
    listed = {row["name"]: row for row in json.loads(ran("study", "list", "--json").out)}
    assert listed["tau_sweep"]["done"] == "not run"
    assert listed[NAME]["done"] == "10 of 10"

    shown = ran("study", "show", NAME)
    assert "tau=1.0 (baseline)   done          done" in shown.out
    runs = json.loads(ran("study", "show", NAME, "--json").out)["runs"]
    assert len(runs) == 10

    planned = json.loads(ran("study", "plan", "tau_sweep", "--profile", "smoke", "--replicates", "3", "--json").out)
    assert planned["stages"]["train"] == {"run": 1, "reuse": 2}
    assert planned["estimated_seconds"] > 0

    exported = ran("study", "export", NAME)
    rows = list(csv.DictReader(io.StringIO(exported.out)))
    assert len(rows) == 5 * 2 * 2 * (3 * 7 + 6 + 1 + 2)  # variants, replicates, samples, features of the metrics
    distances = {f"distance.{feature}" for feature in ("pitch", "duration", "velocity", "average")}
    assert {row["metric"] for row in rows} == {*distances, "memorization.covered", "memorization.longest"}
    assert len(json.loads(ran("study", "export", NAME, "--format", "json").out)) == len(rows)
    assert ran("study", "export", NAME, "-o", "out.parquet").out == "600 rows in out.parquet\n"
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == len(rows)

    with sqlite3.connect(tmp_path / ".ablate/ablate.db") as connection:
        query = "SELECT COUNT(*), COUNT(DISTINCT variant) FROM ablate_results WHERE study = ?"
        assert connection.execute(query, (NAME,)).fetchone() == (600, 5)
    connection.close()

    assert ran("study", "delete", NAME, "--yes").out.startswith(f"deleted {NAME}")
    assert NAME not in ran("study", "list").out
    assert not list((tmp_path / ".ablate/artifacts").glob("*/*/*"))
    assert f"unknown study '{NAME}' in this home" in ran("study", "show", NAME).err


def test_the_list_has_the_time_of_the_last_change(ran: Command, tmp_path: Path) -> None:
    def updated() -> str:
        listed = {row["name"]: row for row in json.loads(ran("study", "list", "--json").out)}
        return str(listed[NAME]["updated"])

    with contextlib.closing(sqlite3.connect(tmp_path / ".ablate/ablate.db")) as connection, connection:
        connection.execute("UPDATE ablate_studies SET updated = '2026-01-02 03:04:05.000000'")
        connection.execute("UPDATE ablate_stages SET finished = '2026-01-02 03:04:30.000000'")
        last = "(SELECT fingerprint FROM ablate_stages WHERE kind = 'measure' LIMIT 1)"
        connection.execute(
            f"UPDATE ablate_stages SET finished = '2026-01-02 05:06:07.000000' WHERE fingerprint = {last}"
        )
    assert updated() == "2026-01-02 05:06 UTC", "its last stage"
    with contextlib.closing(sqlite3.connect(tmp_path / ".ablate/ablate.db")) as connection, connection:
        connection.execute("UPDATE ablate_studies SET updated = '2026-01-02 07:08:09.000000'")
    assert updated() == "2026-01-02 07:08 UTC", "a command that ran nothing new"


def test_run_again_says_that_nothing_ran(ran: Command) -> None:
    again = ran("study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1", "--no-report")
    assert "nothing to run: all results exist; reused 2 trainings, 10 generations, 60 measurements" in again.out
    assert "tau=1.0 (baseline)" in again.out
    more = ran(
        "study",
        "run",
        "tau_sweep",
        "--profile",
        "smoke",
        "--workers",
        "1",
        "--no-report",
        "--replicates",
        "3",
        "--json",
    )
    facts = json.loads(more.out)
    assert facts["ran"] == {"train": 1, "generate": 5, "measure": 30, "resample": 30}
    row = next(r for r in facts["comparison"] if (r["metric"], r["feature"]) == ("distance.pitch", "l1"))
    assert {"variant", "mean", "sd", "n"} <= set(row)
    assert row["n"] == 3


def test_a_report_is_drawn_again_only_for_something_new(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    words = ["study", "run", "small.toml", "--workers", "1", "--no-audio"]
    page = tmp_path / ".ablate/reports/small/index.html"
    assert f"report: {page}" in ablate(*words).out
    text = page.read_text(encoding="utf-8")
    assert "Does tau matter?" in text
    assert "This report was written without sound (--no-audio)." in text
    assert (page.parent / "figures").is_dir()
    assert len(list((page.parent / "midi").rglob("*.mid"))) >= 2
    page.write_text("as it was")
    assert f"report: {page}" in ablate(*words).out
    assert page.read_text() == "as it was"
    ablate(*words, "--replicates", "1")
    assert page.read_text() != "as it was"


def test_another_database(ablate: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    words: list[Any] = ["tau_sweep", "--profile", "smoke", "--workers", "1", "--no-report", "--store", url]
    words += ["--replicates", "1", "--set", "training.steps=2", "--set", "generation.tokens=40"]
    assert ablate("study", "run", *words).code == 0
    assert (tmp_path / "elsewhere.db").is_file()
    assert not (tmp_path / ".ablate/ablate.db").exists()
    assert NAME in ablate("study", "list", "--store", url).out


def test_plan_touches_nothing(ablate: Command, tmp_path: Path) -> None:
    outcome = ablate("study", "plan", "tau_sweep")
    assert re.search(r"train +7 +0", outcome.out)
    assert re.search(r"estimated time: \d", outcome.out)
    assert not list(tmp_path.iterdir())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_person_at_a_terminal_is_asked_before_a_long_run(
    ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["study", "run", "tau_sweep", "--profile", "smoke", "--no-report", "--workers", "1", "--replicates", "1"]
    words += ["--set", "training.steps=2", "--set", "generation.tokens=40"]
    monkeypatch.setattr("ablate.cli.study.running.run.ASK_FROM_SECONDS", 0)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    refused = ablate(*words)
    assert refused.code == 130
    assert re.search(r"This will take about \d.*Continue\?", refused.err)
    assert not list((tmp_path / ".ablate/artifacts").glob("*"))
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert ablate(*words, "--yes").code == 0


def test_fused_groups_are_counted() -> None:
    from ablate.cli.study.planning.plan import _group_sizes

    assert _group_sizes([20, 20, 1]) == "2 groups of 20, 1 alone"
    assert _group_sizes([7]) == "1 group of 7"
