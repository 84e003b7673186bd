"""Fused training that is stopped and resumed, and its checkpoints. On a GPU too, where there is one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from support.engine_material import Noisy, train_as
from support.fusion_material import DEVICES, after, job, off, trained

from ablate.engine import checkpoint
from ablate.engine.fusion import trainer as fusion_trainer
from ablate.engine.fusion.steps import FusedSteps
from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingJob, TrainingResult
from ablate.engine.training.train import train_fused

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.engine.training.start import TrainingState


@DEVICES
@pytest.mark.parametrize("stops", [(CHECK_EVERY,), (0, 1, 12, 16)])
def test_an_interrupted_group_goes_on_as_if_it_were_not(tmp_path: Path, stops: tuple[int, ...], device: str) -> None:
    def made(**kept: Any) -> list[TrainingJob]:
        options = {"dropout": 0.3, "initial_state": "random"}
        return [
            job(
                *("lstm", seed),
                options=options,
                conditioners=[Noisy()],
                steps=30,
                **{key: path / str(seed) for key, path in kept.items()},
            )
            for seed in (1, 2, 3)
        ]

    for number, steps in enumerate(stops):
        parts = trained(made(checkpoint=tmp_path), should_stop=after(steps), device=device)
        assert not any(part.finished for part in parts)
        assert [len(part.losses) for part in parts] == [sum(stops[: number + 1])] * 3
    resumed, whole = trained(made(checkpoint=tmp_path), device=device), trained(made(), device=device)
    for one, other in zip(resumed, whole, strict=True):
        assert one.finished
        assert one.losses == other.losses
        assert all(one.weights[name].equal(other.weights[name]) for name in one.weights)


@pytest.mark.parametrize("first", [True, False])
def test_a_checkpoint_serves_fused_and_separate_training(tmp_path: Path, *, first: bool) -> None:
    kept = [job(seed=seed, steps=20, checkpoint=tmp_path / str(seed)) for seed in (1, 2)]
    train_as(kept, fused=first, should_stop=after(11))
    resumed = train_as(kept, fused=not first)
    for one, other in zip(resumed, trained([dataclasses.replace(each, checkpoint=None) for each in kept]), strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4


def test_jobs_at_different_steps_are_in_separate_groups(tmp_path: Path) -> None:
    kept = [job(seed=seed, checkpoint=tmp_path / str(seed)) for seed in range(4)]
    trained(kept[:2], should_stop=after(9))
    results = trained(kept)
    assert [result.together for result in results] == [2] * 4
    whole = trained([dataclasses.replace(each, checkpoint=None) for each in kept])
    assert all(off(one, other) < 1e-4 for one, other in zip(whole, results, strict=True))


def test_a_crash_costs_no_more_than_what_came_after_the_last_checkpoint(tmp_path: Path) -> None:
    kept = [job(seed=seed, steps=55, checkpoint=tmp_path / str(seed)) for seed in (1, 2)]

    def crash(index: int, progress: Progress) -> None:
        if progress.step == 2 * CHECK_EVERY:
            raise MemoryError

    with pytest.raises(MemoryError):
        train_fused(kept, on_progress=crash, checkpoint_seconds=0)
    facts = [checkpoint.load_tensors(each.checkpoint)[1] for each in kept if each.checkpoint]
    assert [each["step"] for each in facts] == [CHECK_EVERY] * 2
    resumed, whole = trained(kept), trained([dataclasses.replace(each, checkpoint=None) for each in kept])
    assert all(one.losses == other.losses for one, other in zip(resumed, whole, strict=True))


def test_saving_takes_no_more_than_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that a step moves by 1 and saving two models by 20."""
    clock, saved = [0.0], []

    class Clocked(FusedSteps):
        def _run_step(self, step: int) -> None:
            clock[0] += 1
            super()._run_step(step)

    def save(job: TrainingJob, weights: Any, state: TrainingState) -> None:
        clock[0] += 10
        saved.append(state.step)

    monkeypatch.setattr(fusion_trainer, "FusedSteps", Clocked)
    monkeypatch.setattr(fusion_trainer, "save_checkpoint", save)
    monkeypatch.setattr(fusion_trainer.time, "monotonic", lambda: clock[0])
    tiny = {"embedding": 1, "hidden": 1, "layers": 1}
    trained([job(seed=seed, steps=400, batch=1, window=1, options=tiny) for seed in (1, 2)], checkpoint_seconds=0)
    assert saved == [25, 25, 225, 225]
