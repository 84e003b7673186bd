"""Models: one that keeps its contract, and many that break it."""

from __future__ import annotations

import itertools
from typing import Any

import torch

import ablate

counter = itertools.count()


class Network(torch.nn.Module):
    """A small network that keeps the contract; those below differ in one thing each."""

    def __init__(self, vocabulary: int, conditioners: Any) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, 8)
        self.conditions = torch.nn.ModuleList(conditioner.module(8) for conditioner in conditioners)
        self.lstm = torch.nn.LSTM(8, 8, batch_first=True)
        self.out = torch.nn.Linear(8, vocabulary)

    def inputs(self, tokens: torch.Tensor, conditions: Any) -> torch.Tensor:
        added = [module(values) for module, values in zip(self.conditions, conditions, strict=True)]
        return sum(added, start=self.embedding(tokens))

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        hidden, state = self.lstm(self.inputs(tokens, conditions), state)
        return self.out(hidden), state


class FusibleNetwork(Network, ablate.Fusible):
    """Models one after another: the simplest fused form."""

    kind: Any = None

    @classmethod
    def fuse(cls, models: Any, precision: str) -> Any:
        assert precision in {"bf16", "fp32"}
        if cls.kind is FusedFailsInBf16:
            return FusedFailsInBf16(models, precision)
        return cls.kind(models) if cls.kind else FusedNetworks(models)


class FusedNetworks(ablate.FusedModels):
    """Fused models that keep the contract; those below differ in one thing each."""

    def __init__(self, models: Any) -> None:
        self.models = models

    def alone(self, weights: Any, m: int, *inputs: Any) -> Any:
        own = {name: weight[m] for name, weight in weights.items()}
        return torch.func.functional_call(self.models[m], own, inputs)

    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = [
            self.alone(weights, m, tokens[m], [values[m] for values in conditions])[0] for m in range(len(tokens))
        ]
        return torch.stack(logits)

    def stepper(self, weights: Any) -> Any:
        def step(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            parts = []
            for m in range(len(tokens)):
                own = None if state is None else tuple(each[:, m] for each in state)
                told = [values[m][:, None] for values in conditions]
                parts.append(self.alone(weights, m, tokens[m][:, None], told, own))
            logits = torch.stack([part[0][:, 0] for part in parts])
            return logits, tuple(torch.stack(each, dim=1) for each in zip(*(part[1] for part in parts), strict=True))

        return step


class FusedLast(FusedNetworks):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        return super().__call__(weights, tokens, conditions, random)[:, :, -1]


class FusedSwapped(FusedNetworks):
    def alone(self, weights: Any, m: int, *inputs: Any) -> Any:
        return super().alone(weights, (m + 1) % len(self.models), *inputs)


class FusedWithoutBias(FusedNetworks):
    def alone(self, weights: Any, m: int, *inputs: Any) -> Any:
        return super().alone({**weights, "out.bias": weights["out.bias"].detach()}, m, *inputs)


class FusedLearnsOtherwise(FusedNetworks):
    def alone(self, weights: Any, m: int, *inputs: Any) -> Any:
        bias = weights["out.bias"]
        return super().alone({**weights, "out.bias": 2 * bias - bias.detach()}, m, *inputs)


class FusedSharesStreams(FusedNetworks):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        noise = random.normal((1,), [1.0] * len(tokens))
        return super().__call__(weights, tokens, conditions, random) + noise.sum()


class FusedAverages(FusedNetworks):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return logits + 0 * logits.mean(dim=0, keepdim=True)


class FusedSharesGradients(FusedNetworks):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return Leaky.apply(logits)  # type: ignore[no-any-return, no-untyped-call]


class Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(logits)
        return logits.clone()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        (logits,) = ctx.saved_tensors
        return grad + 0 * logits.sum()  # type: ignore[no-any-return]


class FusedFailsInBf16(FusedNetworks):
    def __init__(self, models: Any, precision: str = "fp32") -> None:
        super().__init__(models)
        self.factor = 1 if precision == "fp32" else 2

    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        return super().__call__(weights, tokens, conditions, random) * self.factor


class FusedDrawsItself(FusedNetworks):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return torch.nn.functional.dropout(logits, 0.5, training=self.models[0].training)


class FusedWaits(FusedNetworks):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return logits + 0 * float(logits.sum())


class FusedReadsTheHost(FusedNetworks):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return logits * torch.tensor([1.0, 1.0]).to(logits.device)[0]


class FusedStateIsBare(FusedNetworks):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)

        def bare(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, after = step(tokens, conditions, state)
            return logits, list(after)

        return bare


class FusedStepsInHalf(FusedNetworks):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)
        return lambda *given: (step(*given)[0].half(), step(*given)[1])


class FusedStepsForgetfully(FusedNetworks):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)
        return lambda tokens, conditions, state: step(tokens, conditions)


class FusedStateGrows(FusedNetworks):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)

        def grown(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, after = step(tokens, conditions, state and state[:2])
            return logits, (*after, torch.zeros(len(state[2]) + 1 if state else 1))

        return grown


class DropsOut(Network, ablate.Fusible):
    """Draws in training, in a way that its fused form has to repeat."""

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = super().forward(tokens, conditions, state)
        return torch.nn.functional.dropout(logits, 0.5, training=self.training), state

    @classmethod
    def fuse(cls, models: Any, precision: str) -> Any:
        assert precision in {"bf16", "fp32"}

        class InEvaluation(FusedNetworks):
            def alone(self, weights: Any, m: int, *inputs: Any) -> Any:
                self.models[m].eval()
                return super().alone(weights, m, *inputs)

        return InEvaluation(models)


class HasBuffer(FusibleNetwork):
    def __init__(self, vocabulary: int, conditioners: Any) -> None:
        super().__init__(vocabulary, conditioners)
        self.register_buffer("seen", torch.zeros(1))


def fused_by(kind: Any) -> Any:
    """Return a model whose fused form is of that class."""
    return type(kind.__name__, (FusibleNetwork,), {"kind": kind})


class NoModule:
    def __init__(self, vocabulary: int, conditioners: Any) -> None:
        pass


class LogitsOfLast(Network):
    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = super().forward(tokens, conditions, state)
        return logits[:, -1], state


class LogitsOverflow(Network):
    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = super().forward(tokens, conditions, state)
        return logits / 0, state


class AlwaysDropsOut(Network):
    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = super().forward(tokens, conditions, state)
        return torch.nn.functional.dropout(logits, 0.5), state


class SeesTheFuture(Network):
    def inputs(self, tokens: torch.Tensor, conditions: Any) -> torch.Tensor:
        embedded = super().inputs(tokens, conditions)
        return embedded + embedded.mean(dim=1, keepdim=True)


class SeesFutureConditions(Network):
    def inputs(self, tokens: torch.Tensor, conditions: Any) -> torch.Tensor:
        return super().inputs(tokens, [values.mean(dim=1, keepdim=True) for values in conditions])


class ForgetsState(Network):
    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        return super().forward(tokens, conditions)


class NormalisesOverRows(Network):
    def inputs(self, tokens: torch.Tensor, conditions: Any) -> torch.Tensor:
        embedded = super().inputs(tokens, conditions)
        return embedded - embedded.mean(dim=0, keepdim=True)


class IgnoresConditions(Network):
    def inputs(self, tokens: torch.Tensor, conditions: Any) -> torch.Tensor:
        return torch.Tensor(self.embedding(tokens))


class SpareLayer(Network):
    def __init__(self, vocabulary: int, conditioners: Any) -> None:
        super().__init__(vocabulary, conditioners)
        self.spare = torch.nn.Linear(2, 2)


class InfiniteGradient(Network):
    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = super().forward(tokens, conditions, state)
        return logits + (self.out.bias * 0).sqrt(), state


class SameForEverySeed(Network):
    def __init__(self, vocabulary: int, conditioners: Any) -> None:
        torch.manual_seed(7)
        super().__init__(vocabulary, conditioners)


class OwnStream(Network):
    def __init__(self, vocabulary: int, conditioners: Any) -> None:
        super().__init__(vocabulary, conditioners)
        torch.nn.init.constant_(self.out.bias, float(next(counter)))


class StepsOtherwise(Network, ablate.Steppable):
    def stepper(self, precision: str) -> Any:
        def step(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, state = self(tokens[:, None], [values[:, None] for values in conditions], state)
            return logits[:, 0] * (1 if precision == "fp32" else 2), state

        return step


class StepsForgetfully(Network, ablate.Steppable):
    def stepper(self, precision: str) -> Any:
        def step(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            return self(tokens[:, None], [values[:, None] for values in conditions])[0][:, 0], state

        return step


KEEPS = {"ModelContract": FusibleNetwork}
#: The contract, its test that must fail, the component, and what the message must say.
BREAKS: list[tuple[str, str, Any, str]] = [
    ("ModelContract", "test_logits", NoModule, "gives a NoModule"),
    ("ModelContract", "test_logits", LogitsOfLast, "logits are"),
    ("ModelContract", "test_logits", LogitsOverflow, "not finite"),
    ("ModelContract", "test_logits", AlwaysDropsOut, "second call"),
    ("ModelContract", "test_causal", SeesTheFuture, "before it comes"),
    ("ModelContract", "test_causal", SeesFutureConditions, "before it comes"),
    ("ModelContract", "test_state_continues", ForgetsState, "differ"),
    ("ModelContract", "test_rows_do_not_meet", NormalisesOverRows, "beside it"),
    ("ModelContract", "test_gradients", IgnoresConditions, "no gradient reaches conditions.0.weight"),
    ("ModelContract", "test_gradients", SpareLayer, "no gradient reaches spare.weight"),
    ("ModelContract", "test_gradients", InfiniteGradient, "not finite in out.bias"),
    ("ModelContract", "test_seed_decides", SameForEverySeed, "another seed gave the same"),
    ("ModelContract", "test_stepper", StepsOtherwise, "in bf16 the stepper's logits are off"),
    ("ModelContract", "test_stepper", StepsForgetfully, "in fp32 the stepper's logits are off"),
    ("ModelContract", "test_fused", fused_by(FusedLast), "the fused logits are"),
    ("ModelContract", "test_fused", fused_by(FusedSwapped), "model 0's logits are off"),
    ("ModelContract", "test_fused", fused_by(FusedWithoutBias), "no gradient reaches out.bias"),
    ("ModelContract", "test_fused", fused_by(FusedLearnsOtherwise), "model 0's gradient of out.bias is off"),
    (
        "ModelContract",
        "test_fused_models_are_independent",
        fused_by(FusedSharesStreams),
        "depends on the other fused models",
    ),
    (
        "ModelContract",
        "test_fused_models_are_independent",
        fused_by(FusedAverages),
        "is too: something is added up over models",
    ),
    (
        "ModelContract",
        "test_fused_models_are_independent",
        fused_by(FusedSharesGradients),
        "gradient of .* is too: something",
    ),
    ("ModelContract", "test_fusible", HasBuffer, "buffers is not fused"),
    ("ModelContract", "test_fused_in_bf16", fused_by(FusedFailsInBf16), "in bf16 model 0's logits are off"),
    ("ModelContract", "test_fused_random", DropsOut, "draws random numbers in training, but none when fused"),
    ("ModelContract", "test_fused_random", fused_by(FusedDrawsItself), "draw from torch's own stream"),
    ("ModelContract", "test_fused_stays_on_its_device", fused_by(FusedWaits), "meta"),
    ("ModelContract", "test_fused_stays_on_its_device", fused_by(FusedReadsTheHost), "touches a tensor on the cpu"),
    ("ModelContract", "test_fused_stepper", fused_by(FusedStateIsBare), "state is a list, not a tuple"),
    ("ModelContract", "test_fused_stepper", fused_by(FusedStepsInHalf), "not float32"),
    ("ModelContract", "test_fused_stepper", fused_by(FusedStepsForgetfully), "at time 1 model 0's logits are off"),
    ("ModelContract", "test_fused_stepper", fused_by(FusedStateGrows), "changes its shape"),
    ("ModelContract", "test_seed_decides", OwnStream, "the same seed gave other"),
]
