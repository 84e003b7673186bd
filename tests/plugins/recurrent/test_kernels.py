"""The pointwise part of a step of fused models, compiled: on a GPU it always is, here once to see that it can be."""

from __future__ import annotations

import logging
import re
import shutil
from typing import Any

import pytest
import torch

from ablate_recurrent import kernels
from ablate_recurrent.kernels import PointwiseKernel

MODELS, TIME, ROWS, HIDDEN = 2, 3, 4, 8
GATES = {"lstm": 4, "gru": 3}


def arguments(function: str, t: int, rows: int = ROWS) -> list[torch.Tensor]:
    """What a layer's steps hand over at a time, as views into what is there for all of them."""
    generator = torch.Generator().manual_seed(t)
    gates = GATES[function.split("_", maxsplit=1)[0]]

    def steps(size: int) -> torch.Tensor:
        whole = torch.randn(MODELS, TIME + 1, rows, size, generator=generator).bfloat16()
        return whole[:, t]

    def now(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(MODELS, *shape, generator=generator).to(dtype)

    memory = torch.randn(TIME + 1, MODELS, rows, HIDDEN, generator=generator)
    kept = list(torch.rand(TIME, 4, MODELS, rows, HIDDEN, generator=generator).bfloat16()[t])
    sums, known = steps(gates * HIDDEN), now(rows, gates * HIDDEN, dtype=torch.bfloat16)
    bias = [now(1, gates * HIDDEN, dtype=torch.bfloat16)] * (gates == 3)
    back = [steps(HIDDEN), now(rows, HIDDEN, dtype=torch.bfloat16), now(rows, HIDDEN)]
    return {
        "lstm_step": lambda: [sums, known, memory[t], memory[t + 1], steps(HIDDEN)],
        "lstm_forward": lambda: [sums, known, memory[t], memory[t + 1], steps(HIDDEN), *kept],
        "lstm_backward": lambda: [*back, memory[t + 1], memory[t], *kept, *sums.chunk(4, -1)],
        "gru_step": lambda: [sums, known, *bias, memory[t], memory[t + 1], steps(HIDDEN)],
        "gru_forward": lambda: [sums, known, *bias, memory[t], memory[t + 1], steps(HIDDEN), *kept],
        "gru_backward": lambda: [*back, memory[t], *kept, *sums.chunk(3, -1), *steps(3 * HIDDEN).chunk(3, -1)],
    }[function]()


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize(("name", "rows"), [("lstm_forward", ROWS), ("lstm_backward", 1), ("gru_backward", ROWS)])
def test_a_compiled_function_writes_what_it_writes_as_it_is_and_is_compiled_once(name: str, rows: int) -> None:
    """A single row is a batch of the course project."""
    from torch._inductor import config as inductor_config
    from torch._inductor.utils import run_and_get_code  # torch warns of itself where it is first needed

    function: PointwiseKernel = getattr(kernels, name)
    first = arguments(name, 0, rows)
    with inductor_config.patch(force_disable_caches=True):  # its key does not tell views from separate tensors
        _, (code, *_) = run_and_get_code(function.compiled, *first)
    assert not function._fails
    operations = re.findall(r"(cpp_fused_\w+) = ", code)
    assert len(operations) == 1
    # views that count as one argument, or gates side by side in a buffer: each needs more kernels on a GPU
    assert not re.search(r"_as_strided_|_cat_", operations[0])
    from torch._dynamo.utils import counters

    before = counters["stats"]["unique_graphs"]
    for t in range(TIME):
        plain, compiled = arguments(name, t, rows), arguments(name, t, rows)
        function(*plain)
        function.compiled(*compiled)
        for one, other in zip(plain, compiled, strict=True):
            assert torch.allclose(one.float(), other.float(), atol=0.02 if one.dtype == torch.bfloat16 else 1e-5)
    assert counters["stats"]["unique_graphs"] == before > 0


@pytest.mark.parametrize("hidden", [8, 20, 25])
def test_separate_tensors_keep_their_place_in_memory(hidden: int) -> None:
    """The compiler asks how far a tensor begins behind an aligned address; where it errs, every call copies."""
    whole = torch.randn(2, 3, 4 * hidden).bfloat16()
    for view in (whole[:, 1], *whole[:, 1].chunk(4, -1), whole[:, :1].expand(2, 5, -1)):
        apart = kernels._apart(view)
        assert (apart.shape, apart.stride(), apart.data_ptr()) == (view.shape, view.stride(), view.data_ptr())
        assert apart.storage_offset() == view.storage_offset()
        assert apart.untyped_storage()._cdata != view.untyped_storage()._cdata
        assert apart.equal(view)


def test_where_the_compiler_does_not_work_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[Any] = []

    class OnGpu(torch.Tensor):
        is_cuda = True

    def broken(function: Any, **options: Any) -> Any:
        def fail(*tensors: Any) -> None:
            raise kernels._dynamo_error()("no C compiler\nfound")

        return fail

    monkeypatch.setattr(torch, "compile", broken)
    function = PointwiseKernel(lambda *tensors: done.append(tensors))
    tensor = torch.zeros(2).as_subclass(OnGpu)
    with caplog.at_level(logging.WARNING):
        function(tensor)
        function(tensor)
    assert len(done) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "torch.compile does not work here, so training is slower: no C compiler found"
    ]


def test_a_compiled_function_that_computes_other_numbers_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As a wrong compiler would make it: the first call of a shape compares, and the right numbers are kept."""

    def doubling(function: Any, **options: Any) -> Any:
        def compiled(*tensors: torch.Tensor) -> None:
            function(*tensors)
            tensors[-1].mul_(1.05)

        return compiled

    monkeypatch.setattr(torch, "compile", doubling)
    function = PointwiseKernel(kernels.lstm_forward._function)
    plain, compiled = arguments("lstm_forward", 0), arguments("lstm_forward", 0)
    function._function(*plain)
    function.compiled(*compiled)
    assert all(one.equal(other) for one, other in zip(plain, compiled, strict=True))
    assert function._fails
    assert [record.getMessage() for record in caplog.records] == [
        "lstm_forward computes other numbers when compiled, for shape (2, 4, 32), so it is not: slower"
    ]


def test_numbers_are_compared_up_to_rounding() -> None:
    values = torch.tensor([0.0, 1e-6, 0.5, 3.0, float("nan"), float("inf")])
    for dtype, little in ((torch.bfloat16, 2**-7), (torch.float32, 1e-5)):
        own = values.to(dtype)
        assert kernels._agree(own * (1 + little), own)
        assert not kernels._agree(own * (1 + 20 * little), own)
        assert not kernels._agree(own.nan_to_num(0), own)
        assert not kernels._agree(own, own.nan_to_num(0, 0, 0))


def test_while_the_compiler_is_off_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("compiled for nothing")

    monkeypatch.setattr(torch, "compile", fail)
    function = PointwiseKernel(kernels.lstm_forward._function)
    plain, own = arguments("lstm_forward", 0), arguments("lstm_forward", 0)
    function._function(*plain)
    with torch.compiler.set_stance("force_eager"):
        function.compiled(*own)
    assert all(one.equal(other) for one, other in zip(plain, own, strict=True))
    assert not function._compiled
