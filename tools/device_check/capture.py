"""Check that steps are recorded as CUDA graphs, and that a step that cannot be recorded runs after a message.

On a CPU a pretended recorder runs each step in place of a recording.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from support.fusion_material import SMALL, Recording, job

from ablate.engine.devices import on_device
from ablate.engine.fusion.cuda_graph import WARMUP_RUNS, GraphRecorder, RecordedStep, graph_recorder
from ablate.engine.fusion.trainer import FusedTrainer
from ablate.engine.training.start import load_start
from device_check.check import warnings_of_ablate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.engine.fusion.cuda_graph import Recorder
    from device_check.check import Check


def run(check: Check) -> None:
    """Train each kind of model with and without recordings; at last make a recording fail."""
    kind = "recorded" if check.on_gpu else "recorded (pretended on a CPU)"
    for model in SMALL:
        for precision in ("fp32",) if check.tiny else ("fp32", "bf16"):
            _recorded_equals_stepped(check, f"{model}, {precision}: {kind}", model, precision)
    _continues_unrecorded(check)


def _recorded_equals_stepped(check: Check, name: str, model: str, precision: str) -> None:
    with warnings_of_ablate() as messages:
        recorded, step = _train(check, model, precision, _recorder(check))
    is_recorded = step._replay is not None  # noqa: SLF001 - nothing public tells it
    check.report(name, messages or is_recorded, ok=is_recorded and not messages)
    stepped, _ = _train(check, model, precision, None)
    distance = max(float((recorded[key] - stepped[key]).detach().abs().max()) for key in stepped)
    check.report(f"{name}: weights, from those of single steps", distance, ok=distance == 0)


def _train(
    check: Check, model: str, precision: str, recorder: Recorder | None
) -> tuple[dict[str, torch.Tensor], RecordedStep]:
    """Train fused models, and return their weights and the step that ran."""
    jobs = [job(model, seed, precision=precision, options={"dropout": 0.3}) for seed in (1, 2, 3)]
    with torch.random.fork_rng(devices=[check.device] if check.on_gpu else []), on_device(check.device):
        trainer = FusedTrainer([load_start(each) for each in jobs], torch.device(check.device))
        # a step on a CPU has no recorder of its own, so this one is stepped through
        step = RecordedStep(torch.device(check.device if recorder else "cpu"), recorder)
        trainer._steps._recorded_step = step  # noqa: SLF001 - no option turns recording off
        trainer.train(lambda index, progress: None, lambda: False, 1e9)
    return trainer.weights, step


def _recorder(check: Check) -> Recorder:
    if check.on_gpu:
        return graph_recorder(torch.device(check.device))
    return Recording(lambda step, generators: step)


def _continues_unrecorded(check: Check) -> None:
    """Run a step that waits for the device, which a recording must not."""
    device = torch.device(check.device)
    values, runs = torch.zeros(4, device=device), WARMUP_RUNS + 3

    def step() -> None:
        float(values.add_(1).sum())

    with warnings_of_ablate() as messages:
        recorded = RecordedStep(device, _failing_recorder(check))
        for _ in range(runs):
            recorded(step)
    check.report("a step that waits: the message", messages, ok=len(messages) == 1)
    check.report(f"a step that waits: runs of {runs} that counted", values.tolist(), ok=values.tolist() == [runs] * 4)
    draws = torch.randn(3, device=device)
    check.report("after that, draws are numbers", draws.tolist(), ok=bool(draws.isfinite().all()))


def _failing_recorder(check: Check) -> Recorder:
    """Return a recorder of its own: none is used again after a recording that failed."""
    if check.on_gpu:
        return GraphRecorder(torch.device("cuda", torch.cuda.current_device()))
    return Recording(_refuse)


def _refuse(*step_and_generators: Any) -> Callable[[], None]:  # noqa: ARG001 - it refuses every step
    raise RuntimeError("pretended: the step waits for the device")
