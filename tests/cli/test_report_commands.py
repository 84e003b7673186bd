"""``study report`` and ``study compare``, and what they refuse."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

from support.small_study import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

NAME = "tau_sweep@smoke"
#: Floors are not asked about.
NO_FLOORS = "floors = { draws = 0, shuffles = 0, pieces = 1 }\n"


def test_reports_and_comparisons(ran: Command, tmp_path: Path) -> None:
    folder = tmp_path / ".ablate/reports" / NAME
    for form, file in (("tex", "paper/table.tex"), ("csv", "data/effects.csv")):
        outcome = ran("study", "report", NAME, "--format", form)
        assert (outcome.code, outcome.out, outcome.err) == (0, f"report: {folder / file}\n", "")
        assert (folder / file).stat().st_size > 100
    outcome = ran("study", "report", NAME, "--format", "all", "--no-audio")
    assert outcome.out == f"report: {folder / 'index.html'}\n"
    assert not (folder / "audio").exists()
    assert (folder / "report.md").stat().st_size > 100

    outcome = ran("study", "compare", f"{NAME}:tau=0.6", f"{NAME}:tau=1.4")
    assert outcome.code == 0
    assert "they differ in: sampler" in outcome.out
    assert "\ntau=1.4 - tau=0.6\n quantity " in outcome.out, "the only comparison is above its table"
    assert "Cannot tell tau=1.4 from tau=0.6: distance.average" in outcome.out.replace("\n", " ")
    facts = json.loads(
        ran("study", "compare", f"{NAME}:tau=0.6", f"{NAME}:tau=1.4", "--metric", "distance.pitch", "--json").out
    )
    assert {row["metric"] for row in facts["comparisons"]} == {"distance.pitch"}

    for words, complaint in (
        (["report", "tau_swep@smoke"], "did you mean 'tau_sweep@smoke'?"),
        (["report", NAME, "--format", "pdf"], "'pdf' is not one of"),
        (["compare", NAME, "tau_swep@smoke"], "did you mean 'tau_sweep@smoke'?"),
        (["compare", f"{NAME}:tau=0.6", f"{NAME}:tau=0.9"], "'tau=0.9'"),
        (
            ["compare", f"{NAME}:tau=0.6", f"{NAME}:tau=1.4", "--metric", "distance.pich"],
            "did you mean 'distance.pitch'?",
        ),
    ):
        outcome = ran("study", *words)
        assert outcome.code != 0
        assert complaint in outcome.err
        assert "Traceback" not in outcome.err
        assert outcome.out == ""


def test_a_profile_names_the_study_that_was_run_with_it(ran: Command, tmp_path: Path) -> None:
    profile = ("--profile", "smoke")
    table = tmp_path / ".ablate/reports" / NAME / "paper/table.tex"
    assert ran("study", "report", "tau_sweep", *profile, "--format", "tex").out == f"report: {table}\n"
    assert ran("study", "show", "tau_sweep", *profile).out == ran("study", "show", NAME).out
    assert ran("study", "export", "tau_sweep", *profile).out == ran("study", "export", NAME).out
    pair = ran("study", "compare", "tau_sweep:tau=0.6", "tau_sweep:tau=1.4", *profile)
    assert pair.code == 0
    assert pair.out == ran("study", "compare", f"{NAME}:tau=0.6", f"{NAME}:tau=1.4").out
    assert ran("generate", "tau_sweep", *profile, "--out", "music", "--count", "1").code == 0
    assert [file.name for file in (tmp_path / "music").iterdir()] == [f"{NAME}-tau=1.0-r0-00.mid"]

    for words, complaint in (
        (
            ["report", "tau_swep", *profile],
            "unknown study 'tau_swep@smoke' in this home; did you mean 'tau_sweep@smoke'?",
        ),
        (["show", "tau_sweep", "--profile", "smok"], "did you mean 'tau_sweep@smoke'?"),
        (
            ["report", "tau_sweep"],
            "'tau_sweep' has not been run in .ablate; did you mean 'tau_sweep@smoke'? To run it: ",
        ),
        (["export", "tau_sweep", "--profile", "default"], "'tau_sweep' has not been run in .ablate; did you mean "),
        (["delete", "primed", "--yes"], "'primed' has not been run in .ablate. To run it: ablate study run primed"),
        (["show", NAME, *profile], f"--profile smoke: the name {NAME} already states how the study was run"),
        (
            ["compare", f"{NAME}:tau=0.6", "tau_sweep:tau=1.4", *profile],
            f"the name {NAME} already states how the study was run",
        ),
    ):
        refused = ran("study", *words)
        assert refused.code != 0
        (line,) = refused.err.splitlines()
        assert complaint in line

    assert ran("study", "delete", "tau_sweep", *profile, "--yes").out.startswith(f"deleted {NAME}")


def test_a_home_without_studies(ablate: Command) -> None:
    for words in (["report", NAME], ["compare", f"{NAME}:a", f"{NAME}:b"]):
        outcome = ablate("study", *words)
        assert outcome.code == 1
        assert "no studies have been run in /" in outcome.err
        assert len(outcome.err.strip().splitlines()) == 1


def test_the_table_of_a_paper(ran: Command, tmp_path: Path) -> None:
    words = ("study", "table", "tau_sweep", "--profile", "smoke", "--quantity", "distance.average", "--columns", "2")
    shown = ran(*words, "--label", "tau=0.6", "cold", "--tex-label", "tau=1.0", r"$\tau=1$", "--intervals", "none")
    assert shown.code == 0
    assert "\ncold & " in shown.out
    assert "\n$\\tau=1$ \\emph{(baseline)} & " in shown.out
    assert shown.err.startswith("note: left out: 6 of 7 judged quantities: distance.pitch, ")
    written = ran(*words, "--no-floors", "-o", "paper.tex")
    assert (written.code, written.out) == (0, "table: paper.tex\n")
    assert r"\begin{table}" in (tmp_path / "paper.tex").read_text(encoding="utf-8")
    for more, said in (
        (("--span", "--columns", "1"), "error: span: only a paper of two columns"),
        (("--label", "tau=0.6", "a", "--label", "tau=0.6", "b"), "error: 'tau=0.6' has two labels; leave out one"),
        (("--quantity", "distance.averge"), "error: unknown quantity 'distance.averge' in this study; did you mean"),
        (("-o", "none/paper.tex"), "error: cannot write none/paper.tex (No such file or directory)"),
    ):
        refused = ran(*words, *more)
        assert refused.code != 0
        assert refused.err.splitlines()[-1].startswith(said)


def test_a_table_that_fits_into_no_paper_costs_no_report(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(NO_FLOORS + SMALL, encoding="utf-8")
    ran = ablate("study", "run", "small.toml", "--workers", "1", "--no-report")
    assert ran.code == 0, ran.err
    with contextlib.closing(sqlite3.connect(tmp_path / ".ablate/ablate.db")) as database, database:
        database.execute("UPDATE ablate_measurements SET value = 1e90 WHERE metric = 'distance.pitch'")
    outcome = ablate("study", "report", "small", "--no-audio")
    assert outcome.code == 0, outcome.err
    table = (tmp_path / ".ablate/reports/small/paper/table.tex").read_text()
    assert table.startswith("% there is no table: width: 397 pt is too narrow for the column 'distance.pitch'")
    alone = ablate("study", "report", "small", "--format", "tex")
    assert (alone.code, "397 pt is too narrow" in alone.err) == (2, True)
