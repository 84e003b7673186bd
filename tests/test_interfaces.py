"""The base classes of components: what they refuse, and what a component gets from them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ablate


class Network(torch.nn.Module):
    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        return tokens, state


def test_a_misspelt_stepper_is_an_error_when_the_model_is_built() -> None:
    class Misspelt(Network, ablate.Steppable):
        def steper(self, precision: str) -> Any:
            return None

    with pytest.raises(TypeError, match=r"abstract method '?stepper"):
        Misspelt()  # type: ignore[abstract]


def test_a_misspelt_fuse_is_an_error_when_the_model_is_built() -> None:
    class Misspelt(Network, ablate.Fusible):
        @staticmethod
        def fuze(*_: Any) -> Any:
            return None

    with pytest.raises(TypeError, match=r"abstract method '?fuse"):
        Misspelt()  # type: ignore[abstract]


def test_a_model_of_both_kinds_is_a_module_like_any_other() -> None:
    class Both(Network, ablate.Steppable, ablate.Fusible):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 3)

        def stepper(self, precision: str) -> Any:
            return None

        @staticmethod
        def fuse(*_: Any) -> None:
            return None

    assert [name for name, _ in Both().named_parameters()] == ["layer.weight", "layer.bias"]


def test_fused_models_generate_one_by_one_by_default() -> None:
    class Fused(ablate.FusedModels):
        def __call__(self, weights: Any, tokens: torch.Tensor, conditions: Any, random: Any) -> torch.Tensor:
            return tokens

    assert Fused().stepper({}) is None


def test_a_sampler_needs_no_preparation_by_default() -> None:
    class Nothing(ablate.Sampler):
        def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
            return logits

    tokenizer: Any = None
    spec = ablate.SamplerSpec(name="nothing", summary="Changes nothing.", build_rows=lambda rows: Nothing())
    assert isinstance(spec.build([None], tokenizer), Nothing)
