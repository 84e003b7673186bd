from __future__ import annotations

import pytest
import torch
from support.engine_material import member

from ablate.engine.fusion.capacity import MOST, at_most, fits


@pytest.mark.parametrize(
    ("free", "each", "expected"), [(100, 10, 8), (100, 81, 1), (5, 100, 1), (10**12, 1, MOST), (9, 0, 7)]
)
def test_a_stack_takes_a_share_of_the_free_memory_and_has_a_member(free: int, each: int, expected: int) -> None:
    assert at_most(free, each) == expected


def test_a_cpus_memory_is_not_asked() -> None:
    assert fits(member(), "cpu") == MOST


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_larger_members_fit_less_often() -> None:
    small, large = (fits(member(batch=rows, window=50, steps=2), "cuda") for rows in (1, 4096))
    assert 1 <= large < small <= MOST
