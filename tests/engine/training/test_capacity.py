from __future__ import annotations

from typing import Any

import pytest
import torch
from support.engine_material import job

from ablate.engine.training import train
from ablate.engine.training.capacity import LARGEST_GROUP, count_fitting, count_within, training_bytes


@pytest.mark.parametrize(
    ("free", "each", "expected"), [(100, 10, 8), (100, 81, 1), (5, 100, 1), (10**12, 1, LARGEST_GROUP), (9, 0, 7)]
)
def test_a_group_takes_a_share_of_the_free_memory_and_has_a_model(free: int, each: int, expected: int) -> None:
    assert count_within(free, each) == expected


def test_a_cpus_memory_is_no_limit() -> None:
    assert count_fitting(job(), "cpu") == LARGEST_GROUP


def test_the_memory_is_that_of_a_fused_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model by itself keeps other things in memory; the trial is real, and the numbers of the card are not."""
    trained: list[int] = []
    allocated = iter([100, 350])
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: next(allocated))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: next(allocated))
    real = train.FusedTrainer

    def noted(starts: Any, device: Any) -> Any:
        trained.append(len(starts))
        return real(starts, device)

    monkeypatch.setattr(train, "FusedTrainer", noted)
    assert training_bytes(job(), "cpu") == 250
    assert trained == [1, 1]


@pytest.mark.gpu
def test_larger_models_take_more_memory() -> None:
    """In bytes: how many fit depends on the card."""
    one, some, many = (training_bytes(job(batch=rows, window=50, steps=2), "cuda") for rows in (1, 1025, 2049))
    assert 0 < one < some
    assert many - some == pytest.approx(some - one, rel=0.2)
    assert 1 <= count_fitting(job(), "cuda") <= LARGEST_GROUP
