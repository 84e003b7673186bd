"""Tables as the runs table of Weights & Biases is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import AblateError
from ablate.study.judge.judge import Request, judged_study
from ablate.study.judge.sources.wandb_table import wandb_source

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "Name,State,Notes,User,Tags,Created,Runtime,Sweep,method,lr,seed,epochs,val.loss,_step\n"


def row(state: str, method: str, rate: float, seed: int, loss: float | str) -> str:
    return f'"r-{method}-{seed}",{state},-,me,,2026-01-01T00:00:00Z,12{seed},,{method},{rate},{seed},20,{loss},19\n'


ROWS = [
    *(row("finished", "ours", 0.1, seed, 0.5 + seed / 100) for seed in range(4)),
    *(row("finished", "lstm", 0.01, seed, 0.6 + seed / 90) for seed in range(3)),
    row("crashed", "lstm", 0.01, 3, ""),
]


def test_settings_and_results_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "wandb.csv"
    path.write_text(HEADER + "".join(ROWS))
    study = judged_study(wandb_source(path), Request())
    assert [variant.levels for variant in study.runs.variants] == [{"method": "ours"}, {"method": "lstm"}]
    assert list(study.metrics) == ["val.loss"]
    assert study.runs.paired
    assert study.notes[:5] == (
        "left out, crashed runs: 1",
        "taken for settings: method, lr, seed, epochs; to choose: --variant, --metric",
        "no axes, because they have one value: epochs",
        "no axes, because they follow from method: lr",
        "baseline: ours, the first variant; to choose another one: --baseline",
    )
    rates = judged_study(wandb_source(path, metrics=("val.loss", "lr")), Request())
    assert list(rates.metrics) == ["val.loss", "lr"]


def test_tables_without_finished_runs_or_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wandb.csv"
    for text, message in (
        (HEADER + ROWS[-1], "has no finished run (1 in all)"),
        (
            "Name,State,loss\na,finished,1\nb,finished,2\n",
            "no column looks like a setting; name it with --variant (loss)",
        ),
    ):
        path.write_text(text)
        with pytest.raises(AblateError) as caught:
            wandb_source(path)
        assert message in str(caught.value)
