"""The study files in the documentation are study files, and its Python runs."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from support.checkout import ROOT
from support.study_parts import PAGE, PARTS, WHOLE, made_whole

from ablate.report.figures.gallery import FIGURES
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command


def test_the_first_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "whole.toml").write_text(WHOLE, encoding="utf-8")
    assert len(read_study(str(tmp_path / "whole.toml")).variants()) == 3


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.strip().splitlines()[-1][:40])
def test_the_others_are_parts_of_one(part: str, tmp_path: Path) -> None:
    given: dict[str, Any] = tomllib.loads(part)
    path = tmp_path / "part.toml"
    path.write_text(made_whole(part), encoding="utf-8")
    study = read_study(str(path))
    assert study.design == given.get("design", "factorial")
    assert study.variants()


def test_a_conditional_axis_has_as_many_variants_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "part.toml").write_text(made_whole(next(part for part in PARTS if "when" in part)), encoding="utf-8")
    assert len(read_study(str(tmp_path / "part.toml")).variants()) == 3
    assert "That is three variants." in PAGE


def test_what_the_page_says_of_a_design_is_so(tmp_path: Path) -> None:
    part = next(part for part in PARTS if "leave_one_out" in part)
    (tmp_path / "part.toml").write_text(made_whole(part), encoding="utf-8")
    names = [variant.name for variant in read_study(str(tmp_path / "part.toml")).variants()]
    assert ", ".join(f"`{name}`" for name in names) in PAGE


@pytest.mark.slow
def test_the_page_of_results_runs(
    ran: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import matplotlib as mpl

    assert ran("study", "run", "tau_sweep", "--profile", "smoke", "--name", "tau_sweep", "--no-report").code == 0
    assert ran("study", "export", "tau_sweep", "-o", str(tmp_path / "measurements.csv")).code == 0
    page = (ROOT / "docs/guides/results-in-python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    names: dict[str, Any] = {}
    exec("".join(blocks), names)
    assert len(blocks) == 14
    assert r"\begin{table}" in names["tex"]
    assert names["by_training"].shape == (2, 5), "two replicates of five variants"
    assert len(names["against_baseline"]) == 4 * names["against_baseline"]["feature"].nunique()
    assert "against tau=1.0" in capsys.readouterr().out
    assert len(names["piece"]) == 549
    assert (tmp_path / "sample.mp3").stat().st_size > 1000
    assert (tmp_path / "forest.pdf").stat().st_size > 5000
    said = re.findall(r"`([a-z-]+)`", page.partition("There are ")[2].partition(";")[0])
    assert said == list(FIGURES)
