"""Every optimizer and every setting of ``[training]``: formulas, and bits that survive interruptions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import OPTIMIZERS, RECIPE, SCHEDULES, VOCABULARY, examples, recipe, settings, train_as
from support.recipe_material import MODERN, PLAIN, after, bare, job, only
from torch.nn import functional

from ablate.engine import checkpoint
from ablate.engine.training.average import average_factor
from ablate.engine.training.job import TrainingResult
from ablate.engine.training.train import train
from ablate.engine.training.windows import IGNORED, Example, Windows

if TYPE_CHECKING:
    from pathlib import Path


def assert_same(one: TrainingResult, other: TrainingResult) -> None:
    assert one.losses == other.losses
    assert one.validation == other.validation
    assert (one.kept_step, one.tokens_seen) == (other.kept_step, other.tokens_seen)
    assert all(one.weights[name].equal(other.weights[name]) for name in one.weights)


RECIPES = [
    *((optimizer, "constant", MODERN) for optimizer in OPTIMIZERS),
    *(("adam", schedule, {}) for schedule in SCHEDULES),
    *(("adamw", "warmup_cosine", {name: MODERN[name]}) for name in ("accumulate", "label_smoothing", "ema")),
    ("adamw", "warmup_cosine", {"validate_every": 4}),
    ("adamw", "one_cycle", {"validate_every": 4, "keep": "best", "ema": 0.5}),
    ("sgd", "inverse_sqrt", {"validate_every": 4, "patience": 1}),
]


@pytest.mark.parametrize(("optimizer", "schedule", "changes"), RECIPES)
def test_an_interrupted_training_equals_a_whole_one_to_the_bit(
    tmp_path: Path, optimizer: str, schedule: str, changes: dict[str, Any]
) -> None:
    if optimizer == "muon" and not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    made = recipe(optimizer, schedule, decay=0.5, decay_every=5, warmup=0.3)
    whole = only(job(made, **changes))
    kept = job(made, checkpoint=tmp_path / "checkpoint", **changes)
    for steps in (0, 4, 1, 5, 7):
        only(kept, should_stop=after(steps))
    resumed = only(kept)
    assert resumed.finished
    assert_same(resumed, whole)


def test_a_training_beside_others_equals_one_alone() -> None:
    jobs = [job(recipe(name), seed, **MODERN) for seed, name in enumerate(("adamw", "sgd", "adam"))]
    for one, other in zip(train(jobs), jobs, strict=True):
        assert isinstance(one, TrainingResult)
        assert_same(one, only(other))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns(optimizer: str) -> None:
    if optimizer == "muon" and not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    tune = np.tile([3, 1, 4, 1, 5, 9, 2, 6], 20)
    rate = 0.3 if optimizer == "sgd" else 0.02
    learns = job(
        recipe(optimizer), conditioners=[], examples=[Example(tune)], steps=60, learning_rate=rate, options=PLAIN
    )
    losses = only(learns).losses
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


def test_a_schedule_that_returns_something_else_is_an_error() -> None:
    class TooShort(type(RECIPE.schedule)):  # type: ignore[misc]
        def rates(self, learning_rate: float, steps: int) -> Any:
            return np.full(steps - 1, learning_rate)

    broken = dataclasses.replace(RECIPE, schedule=TooShort())
    for fused in (False, True):
        (result,) = train_as([job(broken)], fused=fused)
        assert str(result) == "TooShort: rates must return 24 finite numbers of at least 0"


# Accumulation


@pytest.mark.parametrize("length", [60, 9])
@pytest.mark.parametrize("fused", [False, True])
def test_accumulated_batches_equal_one_larger_batch(length: int, *, fused: bool) -> None:
    """Also where windows are padded, so that the batches of a step have different numbers of targets."""
    how: dict[str, Any] = {"conditioners": [], "options": PLAIN, "examples": bare(examples(3, length))}
    (parts,) = train_as([job(batch=2, accumulate=3, **how)], fused=fused)
    (whole,) = train_as([job(batch=6, **how)], fused=fused)
    assert isinstance(parts, TrainingResult)
    assert isinstance(whole, TrainingResult)
    assert np.allclose(parts.losses, whole.losses, atol=1e-5)
    assert all(torch.allclose(parts.weights[name], whole.weights[name], atol=1e-4) for name in parts.weights)
    assert parts.tokens_seen == whole.tokens_seen == 24 * 6 * 12


def test_the_windows_of_a_step_are_those_of_the_larger_batch() -> None:
    parts, whole = (
        Windows(bare(examples()), settings(steps=5, batch=batch, accumulate=count), 7)
        for batch, count in ((2, 3), (6, 1))
    )
    assert np.array_equal(parts.starts.reshape(5, 6), whole.starts)
    batch = parts.batch(4, [], 0)
    assert parts.targets(slice(4, 5)).tolist() == [int((batch.targets != IGNORED).sum())]


def test_every_batch_of_a_step_draws_its_own_random_numbers() -> None:
    drawn: list[float] = []

    class Draws(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(VOCABULARY, VOCABULARY)

        def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            drawn.append(float(torch.rand(())))
            return self.table(tokens), state

    only(dataclasses.replace(job(accumulate=3, steps=4), build=Draws))
    assert len(set(drawn)) == 12


# Label smoothing, averages


def test_label_smoothing_spreads_a_share_of_the_target() -> None:
    learns = job(label_smoothing=0.3, conditioners=[], options=PLAIN, steps=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(learns.seeds.init)
        model = learns.build()
    batch = Windows(learns.examples, learns.settings, learns.seeds.windows).batch(0, [], 0)
    log_p = functional.log_softmax(model(batch.tokens, [])[0].detach().double(), -1)
    picked = log_p.gather(-1, batch.targets[..., None])[..., 0]
    expected = -(0.7 * picked + 0.3 * log_p.mean(-1)).mean()
    assert only(learns).losses == pytest.approx([float(expected)], rel=1e-5)


def test_the_average_is_that_of_all_steps_with_decaying_weights() -> None:
    """A training of k steps ends with the weights that a longer one has after its step k."""
    how: dict[str, Any] = {"conditioners": [], "options": PLAIN}
    steps = [only(job(steps=k, **how)).weights for k in range(1, 7)]
    factors = [0.6 ** (6 - k) for k in range(1, 7)]
    averaged = only(job(steps=6, ema=0.6, **how))
    for name, average in averaged.weights.items():
        expected = sum(f * each[name].double() for f, each in zip(factors, steps, strict=True)) / sum(factors)
        assert torch.allclose(average.double(), expected, atol=1e-6), name
    assert averaged.losses == only(job(steps=6, **how)).losses


def test_the_first_weights_are_their_own_average() -> None:
    assert average_factor(0.999, 1) == pytest.approx(1.0)
    assert average_factor(0.0, 5) == 1.0
    assert average_factor(0.9, 1000) == pytest.approx(0.1)


def test_a_checkpoint_holds_everything(tmp_path: Path) -> None:
    kept = job(recipe("adamw"), checkpoint=tmp_path / "checkpoint", **MODERN)
    only(kept, should_stop=after(9))
    tensors, facts = checkpoint.load_tensors(tmp_path / "checkpoint")
    assert facts["step"] == 9
    assert {name.partition(".")[0] for name in tensors} == {
        *("model", "optimizer", "average", "best", "losses", "history"),
    }
    assert tensors["history"][:, 0].tolist() == [4.0, 8.0]
