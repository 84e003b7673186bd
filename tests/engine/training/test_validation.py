"""Validation: its loss, the weights that are kept, and the end of a training."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import RECIPE, VOCABULARY, examples, recipe, train_as
from support.recipe_material import PLAIN, after, bare, job, only
from torch.nn import functional

from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingJob, TrainingResult
from ablate.engine.training.train import train_fused
from ablate.engine.training.validation import History, ValidationWindows, is_due
from ablate.engine.training.windows import IGNORED, Example
from ablate.errors import InvalidOptions, StageError, TrainingDiverged
from ablate.options import validate
from ablate.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

OVERFITS: dict[str, Any] = {"steps": 40, "learning_rate": 0.03, "validate_every": 5}


def untrained(learns: TrainingJob, weights: dict[str, torch.Tensor]) -> Any:
    with torch.random.fork_rng(devices=[]):
        model = learns.build()
    model.load_state_dict(weights)
    return model.eval()


def loss_of(model: Any, learns: TrainingJob) -> float:
    """The mean over all targets of all pieces, window by window, in double precision."""
    losses: list[torch.Tensor] = []
    assert learns.validation is not None
    for example in learns.validation:
        assert isinstance(example, Example)
        tokens = torch.from_numpy(example.tokens)
        for first in range(0, len(tokens) - 1, learns.settings.window):
            end = min(first + learns.settings.window, len(tokens) - 1)
            conditions = [torch.from_numpy(values[None, first:end]) for values in example.conditions]
            with torch.no_grad():
                logits, _ = model(tokens[None, first:end], conditions)
            losses.append(functional.cross_entropy(logits[0].double(), tokens[first + 1 : end + 1], reduction="none"))
    return float(torch.cat(losses).mean())


@pytest.mark.parametrize("changes", [{}, {"ema": 0.7, "label_smoothing": 0.2}, {"keep": "best"}])
def test_the_loss_is_that_of_the_weights_that_are_kept(changes: dict[str, Any]) -> None:
    learns = job(validate_every=7, **changes)
    result = only(learns)
    assert [step for step, _ in result.validation] == [7, 14, 21, 24]
    assert result.validation_loss == pytest.approx(loss_of(untrained(learns, result.weights), learns), rel=1e-5)


def test_validation_changes_nothing_else() -> None:
    """Not the weights, nor the random numbers, nor the mode of the network."""
    with_it, without = only(job(validate_every=1)), only(job())
    assert with_it.losses == without.losses
    assert all(with_it.weights[name].equal(without.weights[name]) for name in without.weights)
    assert without.validation == ()
    assert without.validation_loss is None


def test_the_best_weights_are_those_after_their_step() -> None:
    learns = job(conditioners=[], options=PLAIN, keep="best", **OVERFITS)
    result = only(learns)
    best = min(result.validation, key=lambda each: each[1])
    assert result.kept_step == best[0] < 40
    assert result.validation_loss == best[1]
    assert len(result.losses) == 40
    there = only(dataclasses.replace(learns, settings=dataclasses.replace(learns.settings, steps=best[0])))
    assert all(result.weights[name].equal(there.weights[name]) for name in result.weights)


@pytest.mark.parametrize("fused", [False, True])
def test_the_best_weights_survive_an_interruption_after_them(tmp_path: Path, *, fused: bool) -> None:
    how: dict[str, Any] = {"conditioners": [], "options": PLAIN, "keep": "best", **OVERFITS}
    whole = only(job(**how), fused=fused)
    kept = job(checkpoint=tmp_path / "checkpoint", **how)
    only(kept, fused=fused, should_stop=after(whole.kept_step + 7))
    resumed = only(kept, fused=fused)
    assert resumed.kept_step == whole.kept_step
    assert all(resumed.weights[name].equal(whole.weights[name]) for name in whole.weights)


@pytest.mark.parametrize("keep", ["last", "best"])
def test_patience_ends_a_training(keep: str) -> None:
    how: dict[str, Any] = {"conditioners": [], "options": PLAIN, **OVERFITS}
    whole, stopped = only(job(**how)), only(job(patience=2, keep=keep, **how))
    steps = [step for step, _ in stopped.validation]
    best = min(stopped.validation, key=lambda each: each[1])[0]
    assert stopped.finished
    assert len(stopped.losses) == steps[-1] == best + 2 * 5 < 40
    assert stopped.losses == whole.losses[: steps[-1]]
    assert stopped.kept_step == (best if keep == "best" else steps[-1])
    assert stopped.tokens_seen == steps[-1] * 3 * 12


def test_the_last_news_are_those_of_the_end() -> None:
    news: list[Progress] = []
    stopped = only(
        job(patience=3, conditioners=[], options=PLAIN, **OVERFITS), on_progress=lambda _, told: news.append(told)
    )
    assert news[-1].step == len(stopped.losses) != CHECK_EVERY


def test_validation_needs_pieces() -> None:
    message = "training.validate_every is set, but there are no validation pieces; set split.validation"
    for missing in (None, []):
        for fused in (False, True):
            (result,) = train_as([dataclasses.replace(job(validate_every=5), validation=missing)], fused=fused)
            assert isinstance(result, StageError)
            assert str(result) == message
    with pytest.raises(StageError, match="no validation example has two tokens"):
        only(dataclasses.replace(job(validate_every=5), validation=[Example(np.array([1]))]))


class Silent(torch.nn.Module):
    """Gives numbers in training and NaN in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(VOCABULARY, VOCABULARY)

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        return self.table(tokens) * (1 if self.training else math.nan), state


def test_without_any_number_there_are_no_best_weights() -> None:
    silent = dataclasses.replace(job(validate_every=5, keep="best", conditioners=[]), build=Silent)
    with pytest.raises(TrainingDiverged, match="no validation loss is a number up to step 24 of 24"):
        only(silent)


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({"keep": "best"}, ["keep"]),
        ({"patience": 1}, ["patience"]),
        ({"keep": "best", "patience": 3}, ["keep", "patience"]),
    ],
)
def test_what_needs_validations_says_so(values: dict[str, Any], keys: list[str]) -> None:
    with pytest.raises(InvalidOptions) as caught:
        validate(TrainingSettings, values)
    text = "needs validations; set validate_every to the steps between them"
    assert caught.value.problems == [(key, text) for key in keys]
    validate(TrainingSettings, {**values, "validate_every": 5})


def test_every_token_but_the_first_of_a_piece_is_a_target_once() -> None:
    pieces = [Example(np.arange(first, first + length)) for first, length in ((0, 1), (10, 2), (20, 13), (50, 8))]
    windows = ValidationWindows(pieces, window=6, rows=3)
    seen = np.concatenate([batch.targets[batch.targets != IGNORED].numpy() for batch in windows])
    assert seen.tolist() == [11, *range(21, 33), *range(51, 58)]
    assert windows.batches == 2
    assert windows.batch(1).tokens.shape == (2, 6)
    inputs = [batch.tokens[batch.targets != IGNORED].numpy() for batch in windows]
    assert (np.concatenate(inputs) + 1).tolist() == seen.tolist()


def test_a_full_batch_has_rows_without_targets() -> None:
    windows = ValidationWindows(bare(examples(1, 20)), window=6, rows=3)
    assert windows.batch(1).tokens.shape == (1, 6)
    full = windows.batch(1, full=True)
    assert full.tokens.shape == (3, 6)
    assert bool((full.targets[1:] == IGNORED).all())
    assert bool((windows.batch(9, full=True).targets == IGNORED).all())


def test_patience_counts_validations_since_the_best() -> None:
    history = History()
    assert not history.is_exhausted(1)
    assert [history.add(step, loss) for step, loss in ((5, 3.0), (10, math.nan), (15, 2.0), (20, 2.0))] == [
        *(True, False, True, False)
    ]
    assert history.best == (15, 2.0)
    assert [history.is_exhausted(patience) for patience in (0, 1, 2)] == [False, True, False]
    again = History.of(history.tensor())
    assert str(again.losses) == str(history.losses)
    assert History([(1, math.nan), (2, math.inf)]).is_exhausted(2)


def test_a_validation_follows_the_last_step() -> None:
    assert [step for step in range(1, 12) if is_due(step, 11, 4)] == [4, 8, 11]
    assert not any(is_due(step, 11, 0) for step in range(1, 12))


def test_models_of_one_group_may_differ_in_all_but_the_period() -> None:
    jobs = [job(RECIPE, 1, keep="best", validate_every=4), job(recipe("sgd"), 2, validate_every=4, patience=1)]
    results = train_fused(jobs)
    assert all(isinstance(result, TrainingResult) and result.together == 2 for result in results)
    other = train_fused([jobs[0], job(validate_every=5)])
    assert all(isinstance(result, TrainingResult) and result.together == 1 for result in other)
