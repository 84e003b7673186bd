"""``ablate judge`` of tables: an ordinary study of the home."""

from __future__ import annotations

import io
import json
import re
import shlex
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from support.checkout import ROOT

import ablate as package

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

#: Differences from the baseline that every replicate has, up to 0.01.
EFFECTS = {"ours": 0.0, "lstm": 0.5, "gru": -0.2, "same": 0.0}
WORDS = ("--variant", "method", "--replicate", "seed", "--baseline", "ours", "--direction", "loss=lower")


def table(seeds: int = 8) -> str:
    rows = [
        f"{method},{seed},{1 + effect + (seed * 7 % 5) / 10 + (seed * len(method) % 3 - 1) / 100:.4f},{seed}"
        for method, effect in EFFECTS.items()
        for seed in range(seeds)
    ]
    return "\n".join(["method,seed,loss,other", *rows, ""])


UNDIRECTED = "verdicts are higher and lower; for better and worse: --direction"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    path.write_text(table())
    return path


def test_a_table_becomes_a_study(ablate: Command, results: Path, tmp_path: Path) -> None:
    outcome = ablate("judge", "results.csv", *WORDS, "--margin", "loss=0.05")
    assert outcome.code == 0
    assert "lstm is worse than ours: loss +0.5" in outcome.out
    assert "gru is better than ours: loss −0.2" in outcome.out  # noqa: RUF001 - as it is printed
    assert "same and ours are alike in every replicate" in outcome.out
    assert outcome.err.splitlines() == [
        "results.csv: guessed: metrics = loss, other",
        "results.csv: paired: equal values of seed are one replicate of all variants (0, 1, 2, 3, 4, 5, 6, 7)",
        "results.csv: primary metric: loss; another one: --metric",
        f"results.csv: no direction for other: {UNDIRECTED} other=lower",
        "writing the report",
    ]
    page = (tmp_path / ".ablate/reports/results/index.html").read_text()
    assert "Results of others, judged: results.csv" in page
    assert "ablate judge results.csv --replicate seed --variant method" in page
    for absent in ("Training and costs", "Possible confounds", "resampling", "round trip", "Study seed"):
        assert absent not in page

    assert "32 of 32" in ablate("study", "list").out
    assert "results of others in results.csv, paired" in ablate("study", "show", "results").out
    compared = ablate("study", "compare", "results:ours", "results:gru").out
    assert compared.startswith("they differ in: method\nPaired: replicate k of both belongs together")
    assert "gru is better than ours" in compared
    assert len(ablate("study", "export", "results").out.splitlines()) == 1 + 64
    assert ablate("study", "report", "results", "--format", "tex").code == 0
    assert package.load_results("results", tmp_path / ".ablate").frame()["value"].size == 64
    refused = ablate("generate", "results", "--out", "music")
    assert (refused.code, "has no trained models" in refused.err) == (1, True), refused.err
    assert ablate("study", "delete", "results", "--yes").code == 0
    assert "results" not in ablate("study", "list").out


def test_a_primary_metric_that_was_chosen_after_a_look_is_said(ablate: Command, results: Path) -> None:
    words = ("judge", results.name, *WORDS, "--no-report")
    told = "When these results were judged before, the primary metric was"
    assert told not in ablate(*words).out
    assert told not in ablate(*words).out, "the same one again"
    for _ in range(2):
        assert f"{told} loss." in ablate(*words, "--metric", "other", "--metric", "loss").out
    assert f"{told} other." in ablate(*words).out


def test_judging_again_reuses_or_replaces(ablate: Command, results: Path, tmp_path: Path) -> None:
    words = ("judge", "results.csv", *WORDS, "--no-report")
    first = ablate(*words)
    assert "study 'results' has 32 new results" in first.out
    assert "writing the report" not in first.err
    assert "nothing has changed" in ablate(*words).out
    results.write_text(table(12))
    assert "study 'results' now has these 48 results instead of the earlier ones" in ablate(*words).out
    looks = json.loads(ablate(*words, "--json").out)
    assert looks["saved"] == "unchanged"
    assert {row["n"] for row in looks["effects"]} == {12}
    assert "The looks before this one have spent" in ablate(*words).out

    other = tmp_path / "elsewhere" / "results.csv"
    other.parent.mkdir()
    other.write_text(table(5))
    refused = ablate("judge", str(other), *WORDS)
    assert refused.code == 2
    assert "this home has a study 'results', which judged results.csv; give this one a name of its own with --name" in (
        refused.err
    )
    assert ablate("judge", str(other), *WORDS, "--no-report", "--name", "other").code == 0
    other.write_text(table(12))
    assert ablate("judge", str(other), *WORDS, "--no-report").code == 0, "the same results at another path"


def test_a_study_file_does_not_replace_judged_results(ablate: Command, results: Path, tmp_path: Path) -> None:
    assert ablate("judge", "results.csv", *WORDS, "--no-report", "--name", "tau_sweep@smoke").code == 0
    refused = ablate("study", "run", "tau_sweep", "--profile", "smoke", "--no-report")
    assert refused.code == 2
    assert "has the results that 'ablate judge' read from results.csv" in refused.err


def _exported(ablate: Command) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(ablate("study", "export", "results").out))


def test_missing_results_are_missing_runs(ablate: Command, tmp_path: Path) -> None:
    lines = [line for line in table().splitlines() if line[:6] not in ("lstm,5", "lstm,6")]
    (tmp_path / "results.csv").write_text("\n".join(line for line in lines))
    outcome = ablate("judge", "results.csv", *WORDS, "--no-report")
    assert "there are missing replicates of lstm (2)" in outcome.out
    shown = ablate("study", "show", "results").out
    assert "lstm has no seed 5, 6: each comparison uses the replicates that all of its variants have" in " ".join(
        shown.split()
    )
    assert "failed: lstm, replicate 5; lstm, replicate 6: NoResult: not in the results" in shown
    assert "replicate 7   replicate 5   replicate 6" in " ".join(shown.split("\n")), "the seeds"
    for frame in (package.load_results("results", tmp_path / ".ablate").frame(), _exported(ablate)):
        seeds = frame[frame["metric"] == "other"]  # a column that repeats the seed
        assert list(seeds["replicate_label"].astype(int)) == list(seeds["value"])
    ablate("study", "report", "results")
    page = (tmp_path / ".ablate/reports/results/index.html").read_text()
    missing = page[page.index("Runs without a full result") :]
    assert re.findall(r">(\d)</td>", missing)[:2] == ["5", "6"]


def test_independent_runs_are_judged_as_groups(ablate: Command, tmp_path: Path) -> None:
    rows = [f"{m},{100 * i + s},{1 + i / 2 + s % 4 / 50}" for i, m in enumerate(("ours", "lstm")) for s in range(6 + i)]
    (tmp_path / "results.csv").write_text("\n".join(["method,seed,loss", *rows]))
    outcome = ablate("judge", "results.csv", "--direction", "loss=lower", "--no-report")
    assert "lstm is worse than ours: loss +0.5" in outcome.out
    assert "7 and 6 independent runs" in outcome.out
    assert "Verdicts compare independent runs" in outcome.out
    compared = ablate("study", "compare", "results:ours", "results:lstm").out
    assert "Not paired: they are independent runs" in compared
    assert "not paired" in ablate("study", "show", "results").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("judge",), "nothing to judge; give one of TABLE, --optuna, --mlflow, --wandb-csv"),
        (("judge", "results.csv", "--optuna", "x.db", "s"), "TABLE and --optuna cannot be combined"),
        (("judge", "no.csv"), "no.csv: cannot be read: No such file or directory"),
        (("judge", "."), "is a folder"),
        (("judge", "results.csv", "--baseline", "our"), "did you mean 'ours'?"),
        (("judge", "results.csv", "--direction", "loss"), "write it as key.path=value"),
    ],
)
def test_refusals_are_one_line(ablate: Command, results: Path, words: tuple[str, ...], message: str) -> None:
    outcome = ablate(*words)
    assert outcome.code != 0
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("judge", "No difference that matters between gru and ours"),
        ("judge-trackers", "hidden=256 is better than hidden=64"),
        pytest.param("judge-midi", "wild is worse than ours: distance.average", marks=pytest.mark.slow),
    ],
)
def test_the_commands_of_the_pages_run(ablate: Command, tmp_path: Path, name: str, verdict: str) -> None:
    page = (ROOT / f"docs/guides/{name}.md").read_text(encoding="utf-8")
    if name == "judge":
        (tmp_path / "results.csv").write_text(re.findall(r"```text\n(method,.*?)```", page, re.DOTALL)[0])
    for script in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(script, {})
    options = {"judge": "results.csv", "judge-trackers": "--optuna", "judge-midi": "--midi"}
    *_, command = re.findall(rf"^ablate (judge {options[name]}.*)$", page, re.MULTILINE)
    outcome = ablate(*shlex.split(command), "--no-report")
    assert outcome.code == 0, outcome.err
    assert verdict in outcome.out
    for shown in re.findall(r"```text\n(results.csv: .*?)^report:", page, re.DOTALL | re.MULTILINE):
        printed = " ".join((outcome.err + outcome.out).split())
        assert [part for part in " ".join(shown.split()).split(" ... ") if part not in printed] == []
