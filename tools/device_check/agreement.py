"""Compare fused models with separate ones on the device, and both with a CPU: losses, gradients, samples, in fp32."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from support.engine_material import recipe
from support.fusion_material import SMALL, job, off, trained
from support.generation_material import UNEVEN, made, networks

from ablate.engine.training.start import load_start
from ablate.testing.material import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from ablate.engine.training.job import TrainingJob
    from device_check.check import Check

#: The largest difference of two losses in nats, as in the tests of fusion.
LOSSES_OFF = 1e-4
#: The largest difference of two gradients, relative to the largest gradient of the model.
GRADIENTS_OFF = 1e-3
SEEDS = (1, 2, 3)


def run(check: Check) -> None:
    """Compare every model that can be fused, with and without a conditioner."""
    for model in SMALL:
        for conditioners in ([], [ClockConditioner()]):
            name = f"{model}, {'a conditioner' if conditioners else 'no conditioner'}"
            _losses(check, name, [job(model, seed, conditioners=conditioners) for seed in SEEDS])
            _gradients(check, name, [_one_step(model, seed, conditioners) for seed in SEEDS])
            _samples(check, name, model, conditioners)


def _ways(check: Check) -> dict[str, dict[str, Any]]:
    """Return what the fused models of the device are compared with."""
    ways: dict[str, dict[str, Any]] = {"separate": {"device": check.device, "fused": False}}
    return ways | ({"separate on a CPU": {"device": "cpu", "fused": False}} if check.on_gpu else {})


def _losses(check: Check, name: str, jobs: Sequence[TrainingJob]) -> None:
    fused = trained(jobs, device=check.device)
    for way, how in _ways(check).items():
        distance = max(itertools.starmap(off, zip(fused, trained(jobs, **how), strict=True)))
        check.report(f"{name}: losses, fused and {way}, nats apart", distance, ok=distance < LOSSES_OFF)


def _one_step(model: str, seed: int, conditioners: Sequence[Any]) -> TrainingJob:
    """Return a job whose only update subtracts the gradients from the weights."""
    plain = recipe("sgd", momentum=0.0)
    return job(model, seed, conditioners=conditioners, recipe=plain, steps=1, learning_rate=1.0, clip=0.0)


def _gradients(check: Check, name: str, jobs: Sequence[TrainingJob]) -> None:
    fused = _gradients_of(jobs, device=check.device)
    for way, how in _ways(check).items():
        distance = max(itertools.starmap(_apart, zip(fused, _gradients_of(jobs, **how), strict=True)))
        check.report(f"{name}: gradients, fused and {way}, relative", distance, ok=distance < GRADIENTS_OFF)


def _gradients_of(jobs: Sequence[TrainingJob], **how: Any) -> list[dict[str, torch.Tensor]]:
    results = trained(jobs, **how)
    before = [load_start(each).model.state_dict() for each in jobs]
    return [
        {name: weights[name].cpu() - weight.cpu() for name, weight in result.weights.items()}
        for weights, result in zip(before, results, strict=True)
    ]


def _apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    largest = max(float(gradient.abs().max()) for gradient in other.values())
    return max(float((one[name] - other[name]).abs().max()) for name in other) / largest


def _samples(check: Check, name: str, model: str, conditioners: Sequence[Any]) -> None:
    on_device = networks(model, 3, conditioners, check.device, layers=2)
    fused = made(on_device, UNEVEN, conditioners, device=check.device)
    for way, how in _ways(check).items():
        on_device = networks(model, 3, conditioners, how["device"], layers=2)
        rows = zip(fused, made(on_device, UNEVEN, conditioners, **how), strict=True)
        differing = sum(ours != theirs for ours, theirs in rows)
        check.report(
            f"{name}: samples, fused and {way}, rows of {len(UNEVEN)} that differ", differing, ok=not differing
        )
