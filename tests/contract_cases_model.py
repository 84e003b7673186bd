"""Models: one that keeps its contract, and many that break it."""

from __future__ import annotations

import itertools
from typing import Any

import torch

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


class StepsOtherwise(Network):
    def stepper(self, precision: str) -> Any:
        def step(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, state = self(tokens[:, None], [values[:, None] for values in conditions], state)
            return logits[:, 0] * (1 if precision == "fp32" else 2), state

        return step


class StepsForgetfully(Network):
    def stepper(self, precision: str) -> Any:
        def step(tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            return self(tokens[:, None], [values[:, None] for values in conditions])[0][:, 0], state

        return step


KEEPS = {"ModelContract": Network}
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
    ("ModelContract", "test_seed_decides", OwnStream, "the same seed gave other"),
]
