"""Steps that are recorded: the logic with a recording of our own and with torch's rules, the real one on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from support.fusion_material import Recording
from support.simulated_cuda import SimulatedCuda

from ablate.engine.fusion import cuda_graph
from ablate.engine.fusion.cuda_graph import WARMUP_RUNS, GraphRecorder, RecordedStep, graph_recorder

if TYPE_CHECKING:
    from collections.abc import Callable

CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")


def test_a_step_runs_as_it_is_and_then_as_its_recording() -> None:
    done: list[str] = []

    def record(step: Callable[[], None], generators: Any) -> Callable[[], None]:
        done.append("recorded")
        return lambda: done.append("played")

    recorded = RecordedStep(CPU, Recording(record))
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

    recorded = RecordedStep(CPU, Recording(record))
    for _ in range(WARMUP_RUNS + 3):
        recorded(lambda: done.append("run"))
    assert done == ["run"] * (WARMUP_RUNS + 3)
    (warning,) = caplog.records
    assert warning.getMessage() == (
        "a step cannot be recorded as a CUDA graph; its kernels, and those of all later steps of this process, "
        "are launched one by one, which is slower: operation not permitted when stream is capturing"
    )


@pytest.mark.parametrize("hidden", [False, True])
def test_memory_that_runs_out_while_recording_is_for_the_caller(*, hidden: bool) -> None:
    def record(step: Callable[[], None], generators: Any) -> Callable[[], None]:
        try:
            raise torch.OutOfMemoryError("too much")
        finally:
            if hidden:
                raise RuntimeError("the recording was not ended well")

    recorded = RecordedStep(CPU, Recording(record))
    for _ in range(WARMUP_RUNS):
        recorded(lambda: None)
    with pytest.raises(torch.OutOfMemoryError):
        recorded(lambda: None)


# torch's rules, simulated


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> SimulatedCuda:
    simulated = SimulatedCuda()
    monkeypatch.setattr(cuda_graph, "torch", simulated)
    recorder = GraphRecorder(CUDA)
    monkeypatch.setattr(cuda_graph, "graph_recorder", lambda device: recorder)
    return simulated


def test_every_run_and_the_recording_are_on_one_stream_after_all_that_was_before(cuda: SimulatedCuda) -> None:
    """Autograd keeps the stream of a weight's first use: a recording that has to wait for another one is invalid."""
    recorded, other = RecordedStep(CUDA), RecordedStep(CUDA)
    for step in (recorded, other):
        for _ in range(WARMUP_RUNS + 1):
            step(lambda: cuda.said.append(cuda.now.name))
    run = ["stream 1 waits for default", "stream 1", "default waits for stream 1"]
    assert cuda.said == 2 * [*run * WARMUP_RUNS, "stream 1", "replayed"]
    assert cuda.now is cuda.default


def test_a_step_that_fails_leaves_its_stream(cuda: SimulatedCuda) -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        RecordedStep(CUDA)(fail)
    assert cuda.now is cuda.default
    assert cuda.said[-1] == "default waits for stream 1"


def test_a_gpu_has_one_recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream leaves a workspace of cuBLAS behind."""
    monkeypatch.setattr(cuda_graph, "torch", SimulatedCuda())
    cuda_graph._graph_recorder.cache_clear()
    first, second = graph_recorder(torch.device("cuda")), graph_recorder(torch.device("cuda", 0))
    other = graph_recorder(torch.device("cuda", 1))
    cuda_graph._graph_recorder.cache_clear()
    assert first is second
    assert other is not first


def test_after_a_recording_that_failed_the_process_is_as_it_was(
    cuda: SimulatedCuda, caplog: pytest.LogCaptureFixture
) -> None:
    own, default = cuda.Generator(CUDA), cuda.cuda.default_generators[0]
    drawn: list[tuple[int, int]] = []

    def step() -> None:
        drawn.append((own.draw(), default.draw()))
        cuda.invalidate()

    recorded = RecordedStep(CUDA)
    for number in range(WARMUP_RUNS + 2):
        own.set_state(10 * number)
        recorded(step, [own])  # type: ignore[list-item, unused-ignore]
    recording = [(31, 104)]
    assert drawn == [(1, 101), (11, 102), (21, 103), *recording, (31, 104), (41, 105)]
    assert cuda.now is cuda.default
    assert (cuda.underway, cuda.released) == ([], [1])
    (warning,) = caplog.records
    assert warning.levelname == "WARNING"
    # the step's own error before that of ending the recording
    assert warning.getMessage().endswith(
        "slower: operation not permitted when stream is capturing; then: "
        "operation failed due to a previous error during capture"
    )
    # what was never tried would not fail, but nobody knows what else is damaged
    later = RecordedStep(CUDA)
    for _ in range(WARMUP_RUNS + 2):
        later(lambda: None)
    assert "replayed" not in cuda.said
    assert len(caplog.records) == 1


def test_an_error_of_the_step_alone_ends_the_recording_and_releases_its_memory_once(cuda: SimulatedCuda) -> None:
    def step() -> None:
        if cuda.capture:
            raise RuntimeError("not now")

    recorded = RecordedStep(CUDA)
    for _ in range(WARMUP_RUNS + 1):
        recorded(step)
    assert (cuda.underway, cuda.released) == ([], [1])


def test_after_memory_ran_out_while_recording_smaller_steps_are_still_recorded(cuda: SimulatedCuda) -> None:
    def step() -> None:
        if cuda.capture:
            raise torch.OutOfMemoryError("too much")

    recorded = RecordedStep(CUDA)
    for _ in range(WARMUP_RUNS):
        recorded(step)
    with pytest.raises(torch.OutOfMemoryError):
        recorded(step)
    assert (cuda.underway, cuda.released, cuda.now) == ([], [1], cuda.default)
    smaller = RecordedStep(CUDA)
    for _ in range(WARMUP_RUNS + 1):
        smaller(lambda: None)
    assert cuda.said[-1] == "replayed"


# A GPU


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


@pytest.mark.gpu
def test_after_a_recording_that_failed_a_gpu_still_draws_and_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    device = torch.device("cuda", 0)
    recorder = GraphRecorder(device)
    monkeypatch.setattr(cuda_graph, "graph_recorder", lambda _: recorder)
    seen: dict[bool, list[float]] = {}
    for waits in (True, False):
        stream, values = torch.Generator(device), torch.zeros(4, device=device)

        def step(values: torch.Tensor = values, stream: torch.Generator = stream, *, waits: bool = waits) -> None:
            values.add_(torch.empty_like(values).normal_(generator=stream))
            if waits:
                float(values.sum())  # a recording must not wait

        recorded = RecordedStep(device if waits else CPU)
        for number in range(WARMUP_RUNS + 3):
            stream.manual_seed(number)
            recorded(step, [stream])
        seen[waits] = values.tolist()
    assert seen[True] == seen[False]
    assert not recorder.usable
    assert torch.randn(3, device=device).isfinite().all()
    assert torch.cuda.current_stream(device) == torch.cuda.default_stream(device)
