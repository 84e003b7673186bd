"""Fused trainings with every recipe equal separate ones up to rounding."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import OPTIMIZERS, recipe
from support.fusion_material import MODELS
from support.fusion_material import job as bare_job
from support.recipe_material import MODERN, after, job

from ablate.engine import checkpoint
from ablate.engine.training.job import TrainingJob, TrainingResult
from ablate.engine.training.train import train, train_fused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FUSIBLE = [name for name, spec in OPTIMIZERS.items() if name != "muon"]


def pairs(jobs: Sequence[TrainingJob], together: int, **how: Any) -> list[tuple[TrainingResult, TrainingResult]]:
    """Each job's result alone and fused, which is done as ``how`` says."""
    found = []
    for one, other in zip(train(jobs), train_fused(jobs, **how), strict=True):
        assert isinstance(one, TrainingResult)
        assert isinstance(other, TrainingResult)
        assert (one.together, other.together) == (1, together)
        found.append((one, other))
    return found


def assert_close(one: TrainingResult, other: TrainingResult, error: float = 1e-3) -> None:
    assert len(one.losses) == len(other.losses)
    assert np.allclose(one.losses, other.losses, atol=error)
    assert (one.kept_step, one.tokens_seen) == (other.kept_step, other.tokens_seen)
    assert [step for step, _ in one.validation] == [step for step, _ in other.validation]
    assert np.allclose(one.validation, other.validation, atol=error)
    assert list(one.weights) == list(other.weights)
    for name, weight in one.weights.items():
        assert torch.allclose(weight, other.weights[name], atol=10 * error), name


@pytest.mark.parametrize(
    ("optimizer", "changes"),
    [
        ("adamw", {"weight_decay": 0.5}),
        ("sgd", {"accumulate": 3}),
        ("adam", {"label_smoothing": 0.2}),
        ("adamw", {"ema": 0.7}),
        ("sgd", {"validate_every": 5, "keep": "best"}),
        *((name, MODERN) for name in FUSIBLE),
    ],
)
def test_every_setting_and_every_fusible_optimizer(optimizer: str, changes: dict[str, Any]) -> None:
    made = recipe(optimizer, "warmup_cosine", warmup=0.2)
    for one, other in pairs([job(made, seed, **changes) for seed in (1, 2)], together=2):
        assert_close(one, other)


@MODELS
def test_every_model(model: str) -> None:
    made = recipe("adamw", "one_cycle")
    how = {name: value for name, value in MODERN.items() if name not in ("validate_every", "keep", "patience")}
    for one, other in pairs([bare_job(model, seed, recipe=made, **how) for seed in (1, 2)], together=2):
        assert_close(one, other)


def test_models_of_a_group_differ_in_their_recipes() -> None:
    """Optimizers, schedules, decay, smoothing and averages are each job's own."""
    shared = recipe("adamw", "warmup_cosine")
    jobs = [
        job(recipe("adam"), 1),
        job(shared, 2, weight_decay=0.5),
        job(shared, 3, ema=0.9),
        job(recipe("sgd", "step", decay=0.5, decay_every=5), 4, label_smoothing=0.3),
    ]
    for one, other in pairs(jobs, together=4):
        assert_close(one, other)


def test_each_model_ends_by_itself() -> None:
    how: dict[str, Any] = {"steps": 40, "learning_rate": 0.03, "validate_every": 5}
    jobs = [
        job(seed=1, patience=1, keep="best", **how),
        job(seed=2, patience=3, **how),
        job(seed=3, **how),
        job(seed=4, keep="best", **{**how, "learning_rate": 1e-4}),
    ]
    news: list[tuple[int, int]] = []
    found = pairs(jobs, together=4, on_progress=lambda index, told: news.append((index, told.step)))
    for one, other in found:
        assert_close(one, other)
    steps = [len(other.losses) for _, other in found]
    assert steps[0] < steps[1] < steps[2] == steps[3] == 40
    assert max(step for index, step in news if index == 0) == steps[0]


def test_a_group_that_has_ended_as_a_whole_stops() -> None:
    asked = []

    def never() -> bool:
        asked.append(1)
        return False

    how: dict[str, Any] = {"steps": 400, "learning_rate": 0.03, "validate_every": 5, "patience": 1}
    results = train_fused([job(seed=seed, **how) for seed in (1, 2)], should_stop=never)
    longest = max(len(result.losses) for result in results if isinstance(result, TrainingResult))
    assert len(asked) == longest < 100


@pytest.mark.parametrize("optimizer", FUSIBLE)
def test_an_interrupted_group_equals_a_whole_one(tmp_path: Path, optimizer: str) -> None:
    made = recipe(optimizer, "inverse_sqrt")
    how = {**MODERN, "learning_rate": 0.03, "patience": 2}
    kept = [job(made, seed, checkpoint=tmp_path / str(seed), **how) for seed in (1, 2, 3)]
    for steps in (0, 4, 1, 3, 9):
        train_fused(kept, should_stop=after(steps))
    whole = train_fused([dataclasses.replace(each, checkpoint=None) for each in kept])
    for one, other in zip(train_fused(kept), whole, strict=True):
        assert isinstance(one, TrainingResult)
        assert isinstance(other, TrainingResult)
        assert one.finished
        assert_close(one, other, error=1e-4)


def test_a_model_that_has_ended_is_resumed_as_it_was(tmp_path: Path) -> None:
    """Its checkpoint is that of its end, whatever the others of its group have done since."""
    how: dict[str, Any] = {"steps": 40, "learning_rate": 0.03, "validate_every": 5}
    kept = [
        job(seed=1, patience=1, checkpoint=tmp_path / "1", **how),
        job(seed=3, checkpoint=tmp_path / "3", **how),
    ]
    whole = train_fused([dataclasses.replace(each, checkpoint=None) for each in kept])
    assert isinstance(whole[0], TrainingResult)
    ends = len(whole[0].losses)
    train_fused(kept, should_stop=after(ends + 7))
    steps = [checkpoint.load_tensors(tmp_path / name)[1]["step"] for name in ("1", "3")]
    assert steps == [ends, ends + 7]
    for one, other in zip(train_fused(kept), whole, strict=True):
        assert isinstance(one, TrainingResult)
        assert isinstance(other, TrainingResult)
        assert_close(one, other, error=1e-4)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_an_optimizer_that_cannot_be_fused_trains_models_one_by_one() -> None:
    results = train_fused([job(recipe("muon"), 1), job(recipe("adam"), 2), job(recipe("adam"), 3)])
    assert [result.together for result in results if isinstance(result, TrainingResult)] == [1, 2, 2]
