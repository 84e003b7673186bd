"""Conditioners and samplers: one that keeps its contract, and many that break it."""

from __future__ import annotations

import itertools
import types
from typing import Any

import numpy as np
import torch

import ablate
from ablate.testing.material import ClockConditioner

counter = itertools.count()


class NoFeatures(ClockConditioner):
    width = 0


class UnknownDefault(ClockConditioner):
    def __init__(self) -> None:
        self.labels = {"level": float("nan")}


class NumberAsLabel(ClockConditioner):
    def __init__(self) -> None:
        labels: Any = {1: 0.5}
        self.labels = labels


class NeedsLabels(ClockConditioner):
    def from_performance(self, performance: ablate.Performance, times: Any) -> Any:
        return self.from_labels(performance.labels, times)


class ObservesDoubles(ClockConditioner):
    def from_performance(self, performance: ablate.Performance, times: Any) -> Any:
        return super().from_performance(performance, times).astype(np.float64)


class ObservesFlat(ClockConditioner):
    def from_performance(self, performance: ablate.Performance, times: Any) -> Any:
        return super().from_performance(performance, times)[:, 0]


class ObservesInfinity(ClockConditioner):
    def from_performance(self, performance: ablate.Performance, times: Any) -> Any:
        return super().from_performance(performance, times) + np.float32(np.inf)


class ObservesInPlace(ClockConditioner):
    def from_performance(self, performance: ablate.Performance, times: Any) -> Any:
        performance.notes["start"] = 0
        return super().from_performance(performance, times)


class ObservesRestlessly(ClockConditioner):
    def from_performance(self, performance: ablate.Performance, times: Any) -> Any:
        return super().from_performance(performance, times) + np.float32(next(counter))


class AsksAcrossTime(ClockConditioner):
    def from_labels(self, labels: Any, times: Any) -> Any:
        return super().from_labels(labels, times - times.mean() if len(times) else times)


class AsksFirstRowOnly(ClockConditioner):
    def from_labels_batched(self, labels: Any) -> Any:
        return lambda times: np.repeat(self.from_labels(labels[0], times[:1]), len(times), axis=0)


class AsksForOneLess(ClockConditioner):
    def from_labels(self, labels: Any, times: Any) -> Any:
        return super().from_labels(labels, times)[1:]


class DisturbsShape(ClockConditioner):
    def perturb(self, values: Any, others: Any, rng: np.random.Generator) -> Any:
        return values[:1]


class DisturbsType(ClockConditioner):
    def perturb(self, values: Any, others: Any, rng: np.random.Generator) -> Any:
        return values + rng.random(values.shape)


class DisturbsBeyond(ClockConditioner):
    def perturb(self, values: Any, others: Any, rng: np.random.Generator) -> Any:
        return values + np.float32(np.nan)


class DisturbsRestlessly(ClockConditioner):
    def perturb(self, values: Any, others: Any, rng: np.random.Generator) -> Any:
        return values + np.float32(next(counter))


class Linear(torch.nn.Linear):
    spare: torch.nn.Parameter


class SpareWeight(ClockConditioner):
    def module(self, embedding: int) -> torch.nn.Module:
        module = Linear(self.width, embedding)
        module.spare = torch.nn.Parameter(torch.ones(1))
        return module


class FixedWidth(ClockConditioner):
    def module(self, embedding: int) -> torch.nn.Module:
        return torch.nn.Linear(self.width, 7)


class FunctionAsModule(ClockConditioner):
    def module(self, embedding: int) -> Any:
        return lambda values: values.repeat(1, 1, embedding)[..., :embedding]


class Exploding(ClockConditioner):
    def module(self, embedding: int) -> torch.nn.Module:
        module = torch.nn.Linear(self.width, embedding)
        torch.nn.init.constant_(module.weight, float("inf"))
        return module


class TooFewPositions(ClockConditioner):
    width = 1
    categories = types.MappingProxyType({"level": ("low", "high", "highest")})

    def __init__(self) -> None:
        self.labels = {"level": 0.0}

    def from_labels(self, labels: Any, times: Any) -> Any:
        return np.full((len(times), 1), labels["level"], np.float32)

    def module(self, embedding: int) -> torch.nn.Module:
        return Positions(2, embedding)


class Positions(torch.nn.Embedding):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return super().forward(values[..., 0].long())


class AddsNothing(ablate.Sampler):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits


class Doubles(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return 2 * logits


class DropsOne(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits[:, 1:]


class ToDouble(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits.double()


class ForbidsAll(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return torch.full_like(logits, float("-inf"))


class NotANumber(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits - logits


class Revives(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits.nan_to_num(neginf=-9.0)


class NeedsHistory(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits + history[:, -1:]


class InPlace(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits.mul_(2)


class RewritesHistory(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        history.fill_(0)
        return logits


class MixesRows(AddsNothing):
    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits + logits[:, :1].mean()


KEEPS = {"ConditionerContract": ClockConditioner, "SamplerContract": AddsNothing}
#: The contract, its test that must fail, the component, and what the message must say.
BREAKS: list[tuple[str, str, Any, str]] = [
    ("ConditionerContract", "test_labels", NoFeatures, "width is 0"),
    ("ConditionerContract", "test_labels", UnknownDefault, "is nan"),
    ("ConditionerContract", "test_labels", NumberAsLabel, "not a string"),
    ("ConditionerContract", "test_from_performance", NeedsLabels, "level"),
    ("ConditionerContract", "test_from_performance", ObservesDoubles, "float64"),
    ("ConditionerContract", "test_from_performance", ObservesFlat, "tokens"),
    ("ConditionerContract", "test_from_performance", ObservesInfinity, "not finite"),
    ("ConditionerContract", "test_from_performance", ObservesInPlace, "changed in place"),
    ("ConditionerContract", "test_from_performance", ObservesRestlessly, "other numbers"),
    ("ConditionerContract", "test_from_labels", AsksAcrossTime, "token by token"),
    ("ConditionerContract", "test_from_labels", AsksForOneLess, "tokens"),
    ("ConditionerContract", "test_from_labels_batched", AsksFirstRowOnly, "row by row"),
    ("ConditionerContract", "test_generates", TooFewPositions, "index out of range"),
    ("ConditionerContract", "test_perturb", DisturbsShape, "changed"),
    ("ConditionerContract", "test_perturb", DisturbsType, "float64"),
    ("ConditionerContract", "test_perturb", DisturbsBeyond, "not finite"),
    ("ConditionerContract", "test_perturb", DisturbsRestlessly, "other numbers"),
    ("ConditionerContract", "test_module", SpareWeight, "no gradient reaches spare"),
    ("ConditionerContract", "test_module", FixedWidth, "shape"),
    ("ConditionerContract", "test_module", FunctionAsModule, "returns a function"),
    ("ConditionerContract", "test_module", Exploding, "not finite"),
    ("SamplerContract", "test_something_is_possible", DropsOne, "changed"),
    ("SamplerContract", "test_something_is_possible", ToDouble, "float64"),
    ("SamplerContract", "test_something_is_possible", ForbidsAll, "no possible token"),
    ("SamplerContract", "test_something_is_possible", NotANumber, "NaN"),
    ("SamplerContract", "test_something_is_possible", Revives, "became possible"),
    ("SamplerContract", "test_something_is_possible", NeedsHistory, "size"),
    ("SamplerContract", "test_input_is_unchanged", InPlace, "logits were changed"),
    ("SamplerContract", "test_input_is_unchanged", RewritesHistory, "history was changed"),
    ("SamplerContract", "test_rows_are_independent", MixesRows, "the other rows"),
    ("SamplerContract", "test_identity", Doubles, "identity"),
]
