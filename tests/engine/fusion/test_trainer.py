"""Models trained as a fused group, against the same models trained alone. On a GPU too, where there is one."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import weakref
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from support.engine_material import Noisy, examples, recipe, train_as
from support.fusion_material import DEVICES, MODELS, SMALL, job, off, trained
from torch.nn import functional

from ablate.engine.fusion import trainer as fusion_trainer
from ablate.engine.fusion.eligibility import fusion_groups
from ablate.engine.fusion.random import FusedStreams
from ablate.engine.fusion.steps import FusedSteps, model_losses
from ablate.engine.fusion.trainer import FusedTrainer
from ablate.engine.training import train as training
from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingResult
from ablate.engine.training.start import load_start
from ablate.engine.training.train import train, train_fused
from ablate.engine.training.windows import IGNORED, Example
from ablate.errors import StageError, TrainingDiverged
from ablate.testing.material import ClockConditioner

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


# A fused model agrees with itself alone


@DEVICES
@given(data=st.data())
@limits(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_gradients_of_random_fused_models_are_those_of_each_model_alone(device: str, data: st.DataObject) -> None:
    """In fp32, within 1e-5 of the largest; a GPU has other functions, and adds in another order than the CPU here."""
    tolerance = 1e-5 if device == "cpu" else 1e-4
    model = data.draw(st.sampled_from(list(SMALL)))
    jobs = data.draw(st.integers(1, 4))
    rows, window = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 20))
    conditioners = data.draw(st.sampled_from([[], [ClockConditioner()], [Noisy(), ClockConditioner()]]))
    options = {"layers": data.draw(st.integers(1, 3))}
    if model != "transformer":
        options |= {"hidden": data.draw(st.integers(1, 19)), "embedding": data.draw(st.integers(1, 9))}
    wide = [
        Example(each.tokens, each.conditions * len(conditioners)) for each in examples(data.draw(st.integers(1, 3)))
    ]
    alike = [
        job(model, seed, options=options, conditioners=conditioners, examples=wide, batch=rows, window=window, steps=2)
        for seed in range(jobs)
    ]
    starts = [load_start(each) for each in alike]
    assert [group.indices for group in fusion_groups(dict(enumerate(starts)))] == [list(range(jobs))]
    together = FusedTrainer(starts, torch.device(device))
    together._steps._windows.load(1, 1)
    together._steps._windows.load_perturbed(1)
    batch = together._steps._windows.batch()
    logits = together._network(
        together.weights, batch.tokens, batch.conditions, FusedStreams(jobs, batch.tokens.device)
    )
    gradients = torch.autograd.grad(model_losses(logits, batch.targets).sum(), list(together.weights.values()))
    for m, start in enumerate(starts):
        own = start.windows.batch(1, conditioners, alike[m].seeds.labels)
        assert own.tokens.equal(batch.tokens[m].cpu())
        assert own.targets.equal(batch.targets[m].cpu())
        logits_rtv, _ = start.model.train()(own.tokens, own.conditions)
        functional.cross_entropy(logits_rtv.flatten(0, 1), own.targets.flatten(), ignore_index=IGNORED).backward()
        for gradient, weight in zip(gradients, start.model.parameters(), strict=True):
            scale = max(float(weight.grad.abs().max()), 1.0)
            assert float((gradient[m].cpu() - weight.grad).abs().max()) <= tolerance * scale


@MODELS
def test_a_fused_model_draws_and_learns_what_it_does_alone(model: str) -> None:
    """On a CPU, where both draw alike; with dropout, perturbed conditions and random states: within 1e-4."""
    options: dict[str, Any] = {"dropout": 0.3}
    if model != "transformer":
        options["initial_state"] = "random"
    jobs = [job(model, seed, options=options, conditioners=[Noisy()]) for seed in (1, 5, 9)]
    alone, together = train(jobs), trained(jobs)
    for one, other in zip(alone, together, strict=True):
        assert isinstance(one, TrainingResult)
        assert (other.together, other.tokens_seen, other.finished) == (3, one.tokens_seen, True)
        assert (other.parameters, other.product_weights) == (one.parameters, one.product_weights)
        assert list(other.weights) == list(one.weights)
        assert off(one, other) < 1e-4


@DEVICES
@MODELS
def test_who_else_is_in_the_group_does_not_matter(model: str, device: str) -> None:
    """Whatever differs between models: seeds, data, learning rates, decay, clipping, dropout, initial states."""
    first = job(model, 1, options={"dropout": 0.2})
    others = [
        job(model, 5, learning_rate=0.1, recipe=recipe(schedule="step", decay=0.5, decay_every=7), clip=0.0),
        job(model, 6, examples=examples(2, 40), clip=1e-3, options={"dropout": 0.6}),
        job(model, 7, options={} if model == "transformer" else {"initial_state": "random", "dropout": 0.1}),
    ]
    (alone,) = trained([first], device=device)
    beside = trained([*others, first], device=device)
    assert [result.together for result in beside] == [4] * 4
    # on a GPU a library may choose another kernel for 4 models than for 1
    assert off(alone, beside[3]) < (1e-4 if device == "cpu" else 1e-3)
    assert len({result.losses[-1] for result in beside}) == 4


@DEVICES
@MODELS
def test_the_same_group_gives_the_same_bits(model: str, device: str) -> None:
    jobs = [job(model, seed, options={"dropout": 0.2}) for seed in (1, 2)]
    once, again = trained(jobs, device=device), trained(jobs, device=device)
    for one, other in zip(once, again, strict=True):
        assert one.losses == other.losses
        assert all(one.weights[name].equal(other.weights[name]) for name in one.weights)


@MODELS
def test_learning_rates_decay_and_clipping_are_each_jobs_own(model: str) -> None:
    changes: list[dict[str, Any]] = [
        {"clip": 0.0},
        {"clip": 0.02},
        {"recipe": recipe(schedule="step", decay=0.5, decay_every=5)},
        {"learning_rate": 0.02},
    ]
    jobs = [job(model, 1, **each) for each in changes]
    for one, other in zip(train(jobs), trained(jobs), strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4


@DEVICES
def test_bf16_stays_near_fp32(device: str) -> None:
    """Nearer than the training moves; how near in a single step depends on the kernels that a device has."""
    fp32, bf16 = (trained([job(precision=p, steps=60)] * 2, device=device)[0] for p in ("fp32", "bf16"))
    assert fp32.losses != bf16.losses
    learned = np.mean(fp32.losses[:10]) - np.mean(fp32.losses[-10:])
    assert abs(np.mean(fp32.losses[-10:]) - np.mean(bf16.losses[-10:])) < 0.1 * learned
    assert all(tensor.dtype == torch.float32 for tensor in bf16.weights.values())


# What goes wrong with one of them


@DEVICES
@MODELS
def test_a_job_that_diverges_leaves_the_others_untouched(model: str, device: str) -> None:
    """To the bit, beside a group of the same size: for another size, a library may choose another kernel."""
    steps = CHECK_EVERY + 2  # so that the others go on without it
    good, steady = [job(model, seed, steps=steps) for seed in (1, 2)], job(model, 3, steps=steps)
    bad = job(model, 3, learning_rate=1e38, clip=0.0, steps=steps)
    news: list[int] = []
    results = train_fused([good[0], bad, good[1]], device, on_progress=lambda index, _: news.append(index))
    assert isinstance(results[1], TrainingDiverged)
    assert "the training loss is" in str(results[1])
    assert "(now 1e+38)" in str(results[1])
    assert set(news) == {0, 2}
    expected = trained([good[0], steady, good[1]], device=device)
    for one, other in zip((expected[0], expected[2]), (results[0], results[2]), strict=True):
        assert isinstance(other, TrainingResult)
        assert one.losses == other.losses
        assert all(one.weights[name].equal(other.weights[name]) for name in one.weights)


def test_a_group_of_diverged_models_ends_at_once() -> None:
    stops = itertools.count()
    jobs = [job(learning_rate=1e38, clip=0.0, steps=400)] * 2
    results = train_fused(jobs, should_stop=lambda: next(stops) > 1e4)
    assert all(isinstance(result, TrainingDiverged) for result in results)
    assert next(stops) <= CHECK_EVERY + 1


def test_the_last_update_is_looked_at_too() -> None:
    (result,) = train_fused([job(learning_rate=1e39, steps=1)])
    assert "a weight is no longer a number after step 1 of 1" in str(result)


def test_a_group_that_does_not_fit_is_halved(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    whole = trained([job(seed=seed) for seed in range(5)])
    sizes: list[int] = []

    class Tight(FusedTrainer):
        def __init__(self, starts: Any, device: Any) -> None:
            sizes.append(len(starts))
            if len(starts) > 2:
                raise torch.OutOfMemoryError("too much")
            super().__init__(starts, device)

    monkeypatch.setattr(training, "FusedTrainer", Tight)
    news: list[int] = []
    halves = trained([job(seed=seed) for seed in range(5)], on_progress=lambda index, _: news.append(index))
    assert sizes == [5, 2, 3, 1, 2]
    assert [result.together for result in halves] == [2, 2, 1, 2, 2]
    assert set(news) == set(range(5))
    assert all(off(one, other) < 1e-4 for one, other in zip(whole, halves, strict=True))
    assert [record.getMessage() for record in caplog.records] == [
        "5 models do not fit into the memory of cpu together; trying 2",
        "3 models do not fit into the memory of cpu together; trying 1",
    ]


def test_a_job_that_does_not_fit_alone_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(training, "FusedTrainer", full)
    monkeypatch.setattr(training, "Trainer", full)
    for fused in (True, False):
        (result,) = train_as([job()], fused=fused)
        assert isinstance(result, StageError)
        assert str(result).startswith("out of memory on cpu: try a smaller training.batch (now 3)")


def test_memory_that_runs_out_later_costs_no_more_than_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [job(seed=seed, steps=45, checkpoint=tmp_path / f"{seed}") for seed in range(2)]
    steps: list[tuple[int, int]] = []

    class TooLate(FusedSteps):
        def _run_step(self, step: int) -> None:
            steps.append((len(self._jobs), step))
            if len(self._jobs) > 1 and step == 40:
                raise torch.OutOfMemoryError("too much")
            super()._run_step(step)

    monkeypatch.setattr(fusion_trainer, "FusedSteps", TooLate)
    halves = trained(jobs, checkpoint_seconds=0)
    assert (1, CHECK_EVERY) in steps
    assert (1, 0) not in steps
    monkeypatch.undo()
    whole = trained([dataclasses.replace(each, checkpoint=None) for each in jobs])
    assert all(off(one, other) < 1e-4 for one, other in zip(whole, halves, strict=True))


def test_nothing_of_a_group_is_left_when_it_is_done_or_did_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the garbage collector, which knows nothing of a GPU's memory and comes when it likes."""
    seen: list[weakref.ref[FusedTrainer]] = []

    class Full(FusedTrainer):
        def __init__(self, starts: Any, device: Any) -> None:
            super().__init__(starts, device)
            seen.append(weakref.ref(self))

    class Failing(FusedSteps):
        def _run_step(self, step: int) -> None:
            if len(self._jobs) > 1 and step == 2:
                raise torch.OutOfMemoryError("too much")
            super()._run_step(step)

    monkeypatch.setattr(fusion_trainer, "FusedSteps", Failing)
    monkeypatch.setattr(training, "FusedTrainer", Full)
    gc.disable()
    try:
        trained([job(seed=seed, steps=5) for seed in range(2)])
    finally:
        gc.enable()
    assert len(seen) == 3
    assert [reference() for reference in seen] == [None] * 3


def test_news_come_of_every_job_with_the_speed_of_all() -> None:
    news: list[tuple[int, Progress]] = []
    results = trained([job(seed=seed, steps=60) for seed in (1, 2)], on_progress=lambda *told: news.append(told))
    assert [(index, progress.step) for index, progress in news] == [(i, s) for s in (25, 50, 60) for i in (0, 1)]
    assert all(progress.together == 2 and progress.tokens_per_second > 0 for _, progress in news)
    assert [progress.loss for _, progress in news] == [results[index].losses[p.step - 1] for index, p in news]


def test_the_hosts_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    trained([job(options={"dropout": 0.5}, steps=3)])
    assert torch.get_rng_state().equal(before)
