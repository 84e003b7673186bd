"""The estimate of measuring: every kind of metric counts, and more measurements count for more."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ablate
from ablate.engine.devices import one_thread
from ablate.kinds import FLOOR, MEASURE, RESAMPLE
from ablate.registry import get_registry
from ablate.study.file.study_file import read_study
from ablate.study.plan import measuring
from ablate.study.plan.layout import lay_out
from ablate.study.plan.measuring import MeasuringTrial
from ablate.study.plan.music.corpora import PlannedMusic
from ablate.study.work.load import Split

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

    from ablate.study.stage import Stage

SETS = ["setdistance.pitch_count"]


def stages(folder: Path, text: str, *metrics: str) -> list[Stage]:
    """The measurements and floors of the first run of a study with these metrics."""
    # the first metric is the objective, which likelihood of training pieces cannot be
    listed = "\n".join(f'[metric."{name}"]' for name in ("distance.velocity", *metrics))
    path = folder / "measured.toml"
    path.write_text(text.replace('[metric."distance.pitch"]\n[metric."distance.velocity"]', listed), encoding="utf-8")
    run = lay_out(read_study(str(path)), get_registry(), "cpu").runs[0]
    measured = [stage for stage in run.stages.stages.values() if stage.kind in (MEASURE, FLOOR, RESAMPLE)]
    return [stage for stage in measured if stage.config["metric"]["name"] in metrics]


def made_piece(seed: int, notes: int) -> ablate.Performance:
    rng = np.random.default_rng(seed)
    return ablate.Performance.from_notes(
        (int(rng.integers(40, 80)), int(rng.integers(30, 90)), 0.2 * i, 0.2 * i + float(rng.uniform(0.1, 0.9)))
        for i in range(notes)
    )


def seconds(*asked: Stage) -> float:
    with one_thread():
        return MeasuringTrial("cpu", get_registry(), PlannedMusic(get_registry())).seconds(asked)


@pytest.mark.parametrize("metric", ["distance.pitch", "memorization.longest", "likelihood.nll", *SETS])
def test_every_stage_of_every_kind_of_metric_takes_time(
    metric: str, tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if metric in SETS:  # which may refuse the only piece of the study's corpus
        split = Split([made_piece(seed, 60) for seed in range(6)], [], [])
        monkeypatch.setattr(PlannedMusic, "split", lambda self, load, rule: split)
    found = stages(tmp_path, tiny_text, metric)
    assert found
    assert all(seconds(stage) > 0 for stage in found)


def test_more_samples_and_more_draws_take_longer(
    tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # every measurement takes a second, so that numbers of measurements are what is compared
    monkeypatch.setattr(measuring, "_timed", lambda work: work() and 1.0)
    by_kind = {stage.kind: stage for stage in stages(tmp_path, tiny_text, "distance.pitch")}
    measure, resample, floor = (by_kind[kind] for kind in (MEASURE, RESAMPLE, FLOOR))
    assert seconds(measure) == 2  # samples
    assert seconds(resample) == 2 * resample.config["draws"]
    assert seconds(floor) == 3 * floor.config["pieces"] + floor.config["shuffles"]
    assert seconds(measure, resample) == seconds(measure) + seconds(resample)


def test_a_plan_finds_a_feature_that_the_metric_does_not_have(ablate: Command, tmp_path: Path, tiny_text: str) -> None:
    (tmp_path / "tiny.toml").write_text(tiny_text, encoding="utf-8")
    wrong = ablate("study", "plan", "tiny.toml", "--set", "objective.feature=averge", "--device", "cpu")
    assert wrong.code == 1
    problem = "objective: metric 'distance.velocity' has no feature 'averge'; did you mean 'average'? (it has: "
    assert problem in wrong.err


def test_a_metric_is_timed_once(tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[Any] = []
    monkeypatch.setattr(measuring, "_timed", lambda work: timed.append(work()) or 1.0)
    found = [stage for stage in stages(tmp_path, tiny_text, "likelihood.nll") if stage.kind == MEASURE]
    again = dataclasses.replace(found[0], config=dict(found[0].config))
    seconds(*found, again)
    assert len(timed) == 2  # the metric itself, and passes of the network


def test_a_metric_that_fails_counts_as_nothing(tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(work: Any) -> float:
        raise ValueError("cannot measure")

    monkeypatch.setattr(measuring, "_timed", failing)
    assert seconds(*stages(tmp_path, tiny_text, "distance.pitch")) == 0
