"""Steps that are recorded: the logic with a recording of our own, the real one on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from ablate.engine.fusion.cuda_graph import WARMUP_RUNS, RecordedStep

if TYPE_CHECKING:
    from collections.abc import Callable

CPU = torch.device("cpu")


def test_a_step_runs_as_it_is_and_then_as_its_recording() -> None:
    done: list[str] = []

    def record(step: Callable[[], None], generators: Any) -> Callable[[], None]:
        done.append("recorded")
        return lambda: done.append("played")

    recorded = RecordedStep(CPU, record)
    for _ in range(WARMUP_RUNS + 2):
        recorded(lambda: done.append("run"))
    assert done == ["run"] * WARMUP_RUNS + ["recorded", "played", "played"]


def test_without_a_recorder_a_step_stays_as_it_is() -> None:
    done: list[str] = []
    recorded = RecordedStep(CPU)
    for _ in range(WARMUP_RUNS + 2):
        recorded(lambda: done.append("run"))
    assert done == ["run"] * (WARMUP_RUNS + 2)


def test_a_step_that_cannot_be_recorded_says_so_once_and_runs_on(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def record(step: Callable[[], None], generators: Any) -> Callable[[], None]:
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    recorded = RecordedStep(CPU, record)
    for _ in range(WARMUP_RUNS + 3):
        recorded(lambda: done.append("run"))
    assert done == ["run"] * (WARMUP_RUNS + 3)
    (record_said,) = caplog.records
    assert record_said.getMessage().endswith(
        "its kernels are launched one by one: operation not permitted when stream is capturing"
    )


@pytest.mark.parametrize("hidden", [False, True])
def test_memory_that_runs_out_while_recording_is_for_the_caller(*, hidden: bool) -> None:
    def record(step: Callable[[], None], generators: Any) -> Callable[[], None]:
        try:
            raise torch.OutOfMemoryError("too much")
        finally:
            if hidden:
                raise RuntimeError("the recording was not ended well")

    recorded = RecordedStep(CPU, record)
    for _ in range(WARMUP_RUNS):
        recorded(lambda: None)
    with pytest.raises(torch.OutOfMemoryError):
        recorded(lambda: None)


@pytest.mark.gpu
def test_a_recorded_step_on_a_gpu_does_what_the_step_does() -> None:
    """Streams too: seeded before a step, they give the numbers that the step alone would draw."""
    device = torch.device("cuda")
    seen: dict[bool, list[list[float]]] = {}
    for recorded in (True, False):
        stream, values = torch.Generator(device), torch.zeros(4, device=device)

        def add(values: torch.Tensor = values, stream: torch.Generator = stream) -> None:
            values.add_(torch.empty_like(values).normal_(generator=stream))

        step = RecordedStep(device if recorded else CPU)
        for number in range(WARMUP_RUNS + 4):
            stream.manual_seed(number)
            step(add, [stream])
            seen.setdefault(recorded, []).append(values.tolist())
        assert (step._replay is not None) == recorded
    assert seen[True] == seen[False]
