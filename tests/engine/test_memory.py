from __future__ import annotations

import pytest
import torch

from ablate.engine.memory import is_out_of_memory


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (torch.OutOfMemoryError("too much"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("operation not permitted when stream is capturing"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_memory_that_runs_out_is_known_by_what_is_said(error: Exception, *, is_memory: bool) -> None:
    assert is_out_of_memory(error) == is_memory
