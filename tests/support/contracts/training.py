"""Optimizers and schedules: one that keeps its contract, and many that break it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch

import ablate

counter = itertools.count(1)


class Momentum(ablate.Optimizer):
    fusible = True

    def build(self, groups: Any) -> Any:
        return torch.optim.SGD([dict(group) for group in groups], momentum=0.5, fused=True)


class LeavesOut(Momentum):
    def build(self, groups: Any) -> Any:
        return super().build([groups[0]])


class Climbs(Momentum):
    def build(self, groups: Any) -> Any:
        return torch.optim.SGD([dict(group) for group in groups], maximize=True)


class Explodes(torch.optim.SGD):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                weight.data.fill_(float("inf"))


class BecomesInfinite(Momentum):
    def build(self, groups: Any) -> Any:
        return Explodes([dict(group) for group in groups])


class Still(torch.optim.SGD):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        pass


class DoesNothing(Momentum):
    def build(self, groups: Any) -> Any:
        return Still([dict(group) for group in groups])


class OwnRate(torch.optim.SGD):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                weight.data.sub_(0.01 * weight.grad)


class IgnoresTheRate(Momentum):
    def build(self, groups: Any) -> Any:
        return OwnRate([dict(group) for group in groups])


class Forgetful(torch.optim.SGD):
    """Counts its steps outside its state."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        self.count = getattr(self, "count", 0) + 1
        for group in self.param_groups:
            for weight in group["params"]:
                weight.data.sub_(float(group["lr"]) * weight.grad / self.count)


class Forgets(Momentum):
    def build(self, groups: Any) -> Any:
        return Forgetful([dict(group) for group in groups])


class KeepsText(torch.optim.SGD):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        super().step()
        for group in self.param_groups:
            for weight in group["params"]:
                self.state[weight]["note"] = "text"


class CannotBeSaved(Momentum):
    def build(self, groups: Any) -> Any:
        return KeepsText([dict(group) for group in groups])


class FixesTheTensor(Momentum):
    """Reads a tensor's value once, where the engine changes it."""

    def build(self, groups: Any) -> Any:
        if isinstance(groups[0]["lr"], torch.Tensor):
            groups = [{**group, "lr": group["lr"].clone()} for group in groups]
            built = super().build(groups)
            return Frozen(built.param_groups)
        return super().build(groups)


class Frozen(torch.optim.SGD):
    def __init__(self, groups: Any) -> None:
        super().__init__(groups, momentum=0.5)
        self.first = float(self.param_groups[0]["lr"])

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            group["lr"] = self.first
        super().step()


class Falling(ablate.Schedule):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return learning_rate * np.linspace(1, 0.1, steps)


class OneMore(Falling):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return super().rates(learning_rate, steps + 1)


class AsList(Falling):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return list(super().rates(learning_rate, steps))


class Single(Falling):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return super().rates(learning_rate, steps).astype(np.float32)


class BelowZero(Falling):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return super().rates(learning_rate, steps) - learning_rate / 2


class AllZero(Falling):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return 0 * super().rates(learning_rate, steps)


class RestlessRates(Falling):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return super().rates(learning_rate, steps) * next(counter)


class OwnLearningRate(Falling):
    def rates(self, learning_rate: float, steps: int) -> Any:
        return super().rates(1e-3, steps)


KEEPS = {"OptimizerContract": Momentum, "ScheduleContract": Falling}
#: The contract, its test that must fail, the component, and what the message must say.
BREAKS: list[tuple[str, str, Any, str]] = [
    ("OptimizerContract", "test_learns", LeavesOut, "exactly once"),
    ("OptimizerContract", "test_learns", Climbs, "the loss rose"),
    ("OptimizerContract", "test_learns", BecomesInfinite, "no longer finite"),
    ("OptimizerContract", "test_learns", DoesNothing, "does not move"),
    ("OptimizerContract", "test_learns", Falling, "not an ablate.Optimizer"),
    ("OptimizerContract", "test_rate_decides", IgnoresTheRate, "at a learning rate of 0"),
    ("OptimizerContract", "test_state_continues", Forgets, "other numbers"),
    ("OptimizerContract", "test_state_continues", CannotBeSaved, "cannot be saved"),
    ("OptimizerContract", "test_fusible", FixesTheTensor, "with a tensor as learning rate"),
    ("ScheduleContract", "test_rates", Momentum, "not an ablate.Schedule"),
    ("ScheduleContract", "test_rates", OneMore, "shape"),
    ("ScheduleContract", "test_rates", AsList, "not a NumPy array"),
    ("ScheduleContract", "test_rates", Single, "float32"),
    ("ScheduleContract", "test_rates", BelowZero, "negative"),
    ("ScheduleContract", "test_rates", AllZero, "are 0"),
    ("ScheduleContract", "test_arguments_decide", RestlessRates, "other rates"),
    ("ScheduleContract", "test_arguments_decide", OwnLearningRate, "learning_rate"),
]
