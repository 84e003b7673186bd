"""Models, optimizers, schedules and samplers that misbehave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

import ablate
from support.misbehaving.common import FEW, RAISING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Network(nn.Module):
    """A small network whose output a function may change."""

    def __init__(self, vocabulary: int, change: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.table, self.change = nn.Embedding(vocabulary, vocabulary), change

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> Any:
        del conditions, state
        return self.change(self.table(tokens)), None


def _always(work: Callable[[], Any]) -> Callable[..., Any]:
    return lambda *_: work()


#: What a network does to its logits, by name.
MODELS: dict[str, Callable[..., Any]] = {
    **{f"forward-{name}": _always(work) for name, work in RAISING.items()},
    "forward-none": _always(lambda: None),
    "forward-nan": lambda logits: logits * float("nan"),
    "forward-narrow": lambda logits: logits[..., :5],
    "forward-short": lambda logits: logits[:, :3],
}


def models() -> Iterator[Any]:
    for name, change in MODELS.items():
        build = lambda options, vocabulary, conditioners, c=change: Network(vocabulary, c)  # noqa: E731
        yield ablate.ModelSpec(name=f"wild-{name}", summary=name, build=build)
    for name, work in FEW.items():
        yield ablate.ModelSpec(name=f"wild-build-{name}", summary=name, build=_always(work))
    yield ablate.ModelSpec(name="wild-build-none", summary=".", build=_always(lambda: None))


class Optimizer(ablate.Optimizer):
    def __init__(self, build: Callable[[Any], Any]) -> None:
        self._build = build

    def build(self, groups: Any) -> Any:
        return self._build(groups)


class _Stepping(torch.optim.SGD):
    def __init__(self, groups: Any, work: Callable[[], Any]) -> None:
        super().__init__(groups)
        self._work = work

    def step(self, closure: Any = None) -> Any:
        del closure
        return self._work()


#: What an optimizer builds from the groups of weights, by name.
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    **{f"groups-{name}": _always(work) for name, work in RAISING.items()},
    **{f"step-{name}": lambda groups, w=work: _Stepping(groups, w) for name, work in FEW.items()},
    "groups-none": _always(lambda: None),
    "groups-numbers": _always(lambda: [1, 2]),
    "groups-some": lambda groups: torch.optim.SGD(groups[0]["params"][:1]),
}


def optimizers() -> Iterator[Any]:
    for name, build in OPTIMIZERS.items():
        yield ablate.OptimizerSpec(name=f"wild-{name}", summary=name, build=lambda options, b=build: Optimizer(b))
    for name, work in FEW.items():
        yield ablate.OptimizerSpec(name=f"wild-build-{name}", summary=name, build=_always(work))


class Schedule(ablate.Schedule):
    def __init__(self, rates: Callable[[float, int], Any]) -> None:
        self._rates = rates

    def rates(self, learning_rate: float, steps: int) -> Any:
        return self._rates(learning_rate, steps)


#: The learning rates of a schedule, by name.
SCHEDULES: dict[str, Callable[..., Any]] = {
    **{name: _always(work) for name, work in RAISING.items()},
    "none": _always(lambda: None),
    "text": _always(lambda: "abc"),
    "short": lambda rate, steps: np.full(steps - 1, rate),
    "nan": lambda rate, steps: np.full(steps, np.nan),
    "negative": lambda rate, steps: np.full(steps, -rate),
}


def schedules() -> Iterator[Any]:
    for name, rates in SCHEDULES.items():
        yield ablate.ScheduleSpec(name=f"wild-{name}", summary=name, build=lambda options, r=rates: Schedule(r))
    for name, work in FEW.items():
        yield ablate.ScheduleSpec(name=f"wild-build-{name}", summary=name, build=_always(work))


class Sampler(ablate.Sampler):
    def __init__(self, change: Callable[[torch.Tensor], Any]) -> None:
        self._change = change

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> Any:
        """Return what the function makes of the logits, once there is a history."""
        return self._change(logits) if history.shape[1] > 2 else logits


#: What a sampler does to the logits, by name.
SAMPLERS: dict[str, Callable[..., Any]] = {
    **{name: _always(work) for name, work in RAISING.items()},
    "none": _always(lambda: None),
    "numbers": _always(lambda: 1.0),
    "narrow": lambda logits: logits[:, :5],
    "one-row": lambda logits: logits[0],
    "nan": lambda logits: logits * float("nan"),
    "forbids-all": lambda logits: logits - float("inf"),
}


def samplers() -> Iterator[Any]:
    for name, change in SAMPLERS.items():
        yield ablate.SamplerSpec(name=f"wild-{name}", summary=name, build_rows=lambda rows, c=change: Sampler(c))
    for name, work in FEW.items():
        yield ablate.SamplerSpec(name=f"wild-build-{name}", summary=name, build_rows=_always(work))
