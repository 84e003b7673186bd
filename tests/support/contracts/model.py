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
    """Models one after another: fused models must compute the same."""

    kind: Any = None

    @classmethod
    def fuse(cls, models: Any, precision: str) -> Any:
        assert precision in {"bf16", "fp32"}
        if cls.kind is FusedFailsInBf16:
            return FusedFailsInBf16(models, precision)
        return cls.kind(models) if cls.kind else OneByOne(models)


class OneByOne(ablate.FusedModels):
    """Fused models that keep the contract; each class below differs in one thing."""

    def __init__(self, models: Any) -> None:
        self.models = models

    def alone(self, weights: Any, v: int, *inputs: Any) -> Any:
        own = {name: weight[v] for name, weight in weights.items()}
        return torch.func.functional_call(self.models[v], own, inputs)

    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = [
            self.alone(weights, v, tokens[v], [values[v] for values in conditions])[0] for v in range(len(tokens))
        ]
        return torch.stack(logits)

    def stepper(self, weights: Any) -> Any:
        def step(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            parts = []
            for v in range(len(tokens)):
                own = None if state is None else tuple(each[:, v] for each in state)
                told = [values[v][:, None] for values in conditions]
                parts.append(self.alone(weights, v, tokens[v][:, None], told, own))
            logits = torch.stack([part[0][:, 0] for part in parts])
            return logits, tuple(torch.stack(each, dim=1) for each in zip(*(part[1] for part in parts), strict=True))

        return step


class FusedOfLast(OneByOne):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        return super().__call__(weights, tokens, conditions, random)[:, :, -1]


class FusedOfOthers(OneByOne):
    def alone(self, weights: Any, v: int, *inputs: Any) -> Any:
        return super().alone(weights, (v + 1) % len(self.models), *inputs)


class FusedWithoutBias(OneByOne):
    def alone(self, weights: Any, v: int, *inputs: Any) -> Any:
        return super().alone({**weights, "out.bias": weights["out.bias"].detach()}, v, *inputs)


class FusedLearnsOtherwise(OneByOne):
    def alone(self, weights: Any, v: int, *inputs: Any) -> Any:
        bias = weights["out.bias"]
        return super().alone({**weights, "out.bias": 2 * bias - bias.detach()}, v, *inputs)


class FusedSharesDraws(OneByOne):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        noise = random.normal((1,), [1.0] * len(tokens))
        return super().__call__(weights, tokens, conditions, random) + noise.sum()


class FusedAveragesModels(OneByOne):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return logits + 0 * logits.mean(dim=0, keepdim=True)


class FusedSharesGradients(OneByOne):
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


class FusedFailsInBf16(OneByOne):
    def __init__(self, models: Any, precision: str = "fp32") -> None:
        super().__init__(models)
        self.factor = 1 if precision == "fp32" else 2

    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        return super().__call__(weights, tokens, conditions, random) * self.factor


class FusedDrawsItself(OneByOne):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return torch.nn.functional.dropout(logits, 0.5, training=self.models[0].training)


class FusedWaits(OneByOne):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return logits + 0 * float(logits.sum())


class FusedReadsTheHost(OneByOne):
    def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
        logits = super().__call__(weights, tokens, conditions, random)
        return logits * torch.tensor([1.0, 1.0]).to(logits.device)[0]


class FusedStateIsBare(OneByOne):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)

        def bare(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, after = step(tokens, conditions, state)
            return logits, list(after)

        return bare


class FusedStepsInHalf(OneByOne):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)
        return lambda *given: (step(*given)[0].half(), step(*given)[1])


class FusedStepsForgetfully(OneByOne):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)
        return lambda tokens, conditions, state: step(tokens, conditions)


class FusedStateGrows(OneByOne):
    def stepper(self, weights: Any) -> Any:
        step = super().stepper(weights)

        def grown(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, after = step(tokens, conditions, state and state[:2])
            return logits, (*after, torch.zeros(len(state[2]) + 1 if state else 1))

        return grown


class FusedStateIsShared(OneByOne):
    """Its last tensor is made once for all generations."""

    def stepper(self, weights: Any) -> Any:
        step, count = super().stepper(weights), torch.zeros(1)

        def shared(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, after = step(tokens, conditions, state and state[:-1])
            return logits, (*after, state[-1] + 1 if state else count)

        return shared


class FusedStateMoves(OneByOne):
    """Writes in place, and exchanges the places."""

    def stepper(self, weights: Any) -> Any:
        step, exchanged = super().stepper(weights), itertools.cycle((False, True))

        def moved(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            if state is None:
                return step(tokens, conditions)
            own = state[::-1] if next(exchanged) else state
            logits, after = step(tokens, conditions, own)
            for memory, values in zip(own, after, strict=True):
                memory.copy_(values)
            return logits, state[::-1]

        return moved


class DropsOut(Network, ablate.Fusible):
    """Draws random numbers in training, which fused models must draw too."""

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        logits, state = super().forward(tokens, conditions, state)
        return torch.nn.functional.dropout(logits, 0.5, training=self.training), state

    @classmethod
    def fuse(cls, models: Any, precision: str) -> Any:
        assert precision in {"bf16", "fp32"}

        class InEvaluation(OneByOne):
            def alone(self, weights: Any, v: int, *inputs: Any) -> Any:
                self.models[v].eval()
                return super().alone(weights, v, *inputs)

        return InEvaluation(models)


class HasBuffer(FusibleNetwork):
    def __init__(self, vocabulary: int, conditioners: Any) -> None:
        super().__init__(vocabulary, conditioners)
        self.register_buffer("seen", torch.zeros(1))


def fused_as(kind: Any) -> Any:
    """A model that is fused in that way."""
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
    ("ModelContract", "test_logits", NoModule, "returns a NoModule"),
    ("ModelContract", "test_logits", LogitsOfLast, "logits have shape"),
    ("ModelContract", "test_logits", LogitsOverflow, "not finite"),
    ("ModelContract", "test_logits", AlwaysDropsOut, "second call"),
    ("ModelContract", "test_causal", SeesTheFuture, "depend on time"),
    ("ModelContract", "test_causal", SeesFutureConditions, "depend on time"),
    ("ModelContract", "test_state_continues", ForgetsState, "other logits than one call"),
    ("ModelContract", "test_rows_are_independent", NormalisesOverRows, "the other rows"),
    ("ModelContract", "test_gradients", IgnoresConditions, "no gradient reaches conditions.0.weight"),
    ("ModelContract", "test_gradients", SpareLayer, "no gradient reaches spare.weight"),
    ("ModelContract", "test_gradients", InfiniteGradient, "not finite in out.bias"),
    ("ModelContract", "test_seed_decides", SameForEverySeed, "another seed gave the same"),
    ("ModelContract", "test_stepper", StepsOtherwise, "in bf16 the stepper's logits are off"),
    ("ModelContract", "test_stepper", StepsForgetfully, "in fp32 the stepper's logits are off"),
    ("ModelContract", "test_fuse", fused_as(FusedOfLast), "logits of fused models have shape"),
    ("ModelContract", "test_fuse", fused_as(FusedOfOthers), "logits of model 0 are off"),
    ("ModelContract", "test_fuse", fused_as(FusedWithoutBias), "no gradient reaches out.bias"),
    ("ModelContract", "test_fuse", fused_as(FusedLearnsOtherwise), "gradient of out.bias of model 0 is off"),
    ("ModelContract", "test_fused_models_are_independent", fused_as(FusedSharesDraws), "depends on the others"),
    (
        "ModelContract",
        "test_fused_models_are_independent",
        fused_as(FusedAveragesModels),
        "NaN in model 0 reaches the logits of model 1",
    ),
    (
        "ModelContract",
        "test_fused_models_are_independent",
        fused_as(FusedSharesGradients),
        "NaN in model 0 reaches the gradient of .* of model 1",
    ),
    ("ModelContract", "test_fusible", HasBuffer, "buffers cannot be fused"),
    ("ModelContract", "test_fuse_in_bf16", fused_as(FusedFailsInBf16), "in bf16, the logits of model 0 are off"),
    ("ModelContract", "test_fused_randomness", DropsOut, "draws random numbers in training, but not when it is fused"),
    ("ModelContract", "test_fused_randomness", fused_as(FusedDrawsItself), "draw from torch's own stream"),
    ("ModelContract", "test_fused_models_stay_on_their_device", fused_as(FusedWaits), "meta"),
    (
        "ModelContract",
        "test_fused_models_stay_on_their_device",
        fused_as(FusedReadsTheHost),
        "uses a tensor on the cpu",
    ),
    ("ModelContract", "test_fused_stepper", fused_as(FusedStateIsBare), "state is a list, not a tuple"),
    ("ModelContract", "test_fused_stepper", fused_as(FusedStepsInHalf), "not float32"),
    ("ModelContract", "test_fused_stepper", fused_as(FusedStepsForgetfully), "at time 1 the logits of model 0 are off"),
    ("ModelContract", "test_fused_stepper", fused_as(FusedStateGrows), "changes its shape"),
    ("ModelContract", "test_fused_stepper", fused_as(FusedStateIsShared), "first state is not new memory"),
    ("ModelContract", "test_fused_stepper", fused_as(FusedStateMoves), "at time 2 the logits of model 0 are off"),
    ("ModelContract", "test_seed_decides", OwnStream, "the same seed gave other"),
]
