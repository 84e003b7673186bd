from __future__ import annotations

import pytest
from support.engine_material import job

from ablate.engine.training.capacity import LARGEST_GROUP, count_fitting, count_within, training_bytes


@pytest.mark.parametrize(
    ("free", "each", "expected"), [(100, 10, 8), (100, 81, 1), (5, 100, 1), (10**12, 1, LARGEST_GROUP), (9, 0, 7)]
)
def test_a_group_takes_a_share_of_the_free_memory_and_has_a_model(free: int, each: int, expected: int) -> None:
    assert count_within(free, each) == expected


def test_a_cpus_memory_is_no_limit() -> None:
    assert count_fitting(job(), "cpu") == LARGEST_GROUP


@pytest.mark.gpu
def test_larger_models_take_more_memory() -> None:
    """In bytes: how many fit depends on the card."""
    small, large = (training_bytes(job(batch=rows, window=50, steps=2), "cuda") for rows in (1, 4096))
    assert 0 < 100 * small < large
    assert 1 <= count_fitting(job(), "cuda") <= LARGEST_GROUP
