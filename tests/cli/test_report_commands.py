"""``study report`` and ``study compare``, and what they refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

NAME = "tau_sweep@smoke"


def test_reports_and_comparisons(ran: Command, tmp_path: Path) -> None:
    folder = tmp_path / ".ablate/reports" / NAME
    for form, file in (("tex", "paper/table.tex"), ("csv", "data/effects.csv")):
        said = ran("study", "report", NAME, "--format", form)
        assert (said.code, said.out, said.err) == (0, f"report: {folder / file}\n", "")
        assert (folder / file).stat().st_size > 100
    said = ran("study", "report", NAME, "--format", "all", "--no-audio")
    assert said.out == f"report: {folder / 'index.html'}\n"
    assert not (folder / "audio").exists()
    assert (folder / "report.md").stat().st_size > 100

    said = ran("study", "compare", f"{NAME}:tau=0.6", f"{NAME}:tau=1.4")
    assert said.code == 0
    assert "they differ in: sampler" in said.out
    assert "Cannot tell tau=1.4 from tau=0.6: distance.average" in said.out.replace("\n", " ")
    asked = json.loads(
        ran("study", "compare", f"{NAME}:tau=0.6", f"{NAME}:tau=1.4", "--metric", "distance.pitch", "--json").out
    )
    assert {row["metric"] for row in asked["comparisons"]} == {"distance.pitch"}

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
        said = ran("study", *words)
        assert said.code != 0
        assert complaint in said.err
        assert "Traceback" not in said.err
        assert said.out == ""


def test_a_home_without_studies(ablate: Command) -> None:
    for words in (["report", NAME], ["compare", f"{NAME}:a", f"{NAME}:b"]):
        said = ablate("study", *words)
        assert said.code == 1
        assert "no studies have been run in .ablate" in said.err
        assert len(said.err.strip().splitlines()) == 1
