from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from ablate.engine.training.weights import weight_groups
from ablate.errors import InvalidOptions
from ablate.testing import OptimizerContract
from ablate_optimizers import ablate_optimizers

SPECS = {spec.name: spec for spec in ablate_optimizers()}


class TestAdam(OptimizerContract):
    spec = SPECS["adam"]
    options = ({}, {"beta1": 0.0, "beta2": 0.9, "eps": 1e-3})


class TestAdamW(OptimizerContract):
    spec = SPECS["adamw"]
    options = ({}, {"beta2": 0.95})


class TestSgd(OptimizerContract):
    spec = SPECS["sgd"]
    options = ({}, {"nesterov": True}, {"momentum": 0.0})


with_muon = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")


@with_muon
class TestMuon(OptimizerContract):
    spec = SPECS["muon"]
    options = ({}, {"nesterov": False, "iterations": 3, "adamw_rate": 0.5})


@with_muon
def test_adam_is_the_default_and_muon_alone_cannot_be_fused() -> None:
    assert [name for name, spec in SPECS.items() if spec.default] == ["adam"]
    assert [name for name, spec in SPECS.items() if not spec.build(spec.parse({})).fusible] == ["muon"]


def moved(name: str, gradients: list[float], decay: float = 0.0, **options: Any) -> float:
    """A weight that begins at 1, after steps with these gradients at a learning rate of 0.1."""
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    spec = SPECS[name]
    group: Any = {"params": [weight], "lr": 0.1, "weight_decay": decay, "hidden": [False]}
    optimizer: Any = spec.build(spec.parse(options)).build([group])
    for gradient in gradients:
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
    return float(weight.detach())


def test_adamw_shrinks_the_weight_and_adam_its_gradient() -> None:
    # Kingma and Ba, algorithm 1: the first step is the learning rate times the sign of the gradient
    assert moved("adam", [0.5]) == pytest.approx(1 - 0.1)
    assert moved("adam", [0.5], decay=2.0) == pytest.approx(1 - 0.1)  # 0.5 + 2 * 1 has the same sign
    assert moved("adam", [-0.5], decay=2.0) == pytest.approx(1 - 0.1)  # -0.5 + 2 * 1 has another
    # Loshchilov and Hutter, algorithm 2
    assert moved("adamw", [0.5], decay=2.0) == pytest.approx(1 * (1 - 0.1 * 2.0) - 0.1)


def test_adams_means_are_those_of_its_betas() -> None:
    first, second = 0.0, 0.0
    weight = 1.0
    for step, gradient in enumerate([0.5, -1.0, 2.0], start=1):
        first, second = 0.7 * first + 0.3 * gradient, 0.9 * second + 0.1 * gradient**2
        weight -= 0.1 * first / (1 - 0.7**step) / (np.sqrt(second / (1 - 0.9**step)) + 1e-2)
    assert moved("adam", [0.5, -1.0, 2.0], beta1=0.7, beta2=0.9, eps=1e-2) == pytest.approx(weight)


def test_sgd_adds_momentum_and_weight_decay() -> None:
    assert moved("sgd", [1.0, 1.0], momentum=0.5) == pytest.approx(1 - 0.1 * 1 - 0.1 * 1.5)
    assert moved("sgd", [1.0, 1.0], momentum=0.5, nesterov=True) == pytest.approx(1 - 0.1 * 1.5 - 0.1 * 1.75)
    assert moved("sgd", [1.0], decay=2.0, momentum=0.0) == pytest.approx(1 - 0.1 * 3)


def test_nesterov_needs_a_momentum() -> None:
    with pytest.raises(InvalidOptions, match="nesterov needs a momentum above 0"):
        SPECS["sgd"].parse({"momentum": 0.0, "nesterov": True})


class Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(11, 4)
        self.inner = torch.nn.Linear(4, 6)
        self.kernel = torch.nn.Conv1d(6, 6, 3)
        self.norm = torch.nn.LayerNorm(6)
        self.projection = torch.nn.Linear(6, 11)


@with_muon
def test_muon_takes_the_matrices_between_hidden_layers_only() -> None:
    model, spec = Small(), SPECS["muon"]
    weights = dict(model.named_parameters())
    built: Any = spec.build(spec.parse({"adamw_rate": 0.25})).build(weight_groups(model, weights, 0.02, 0.1, 11))
    names = {id(weight): name for name, weight in weights.items()}
    parts = {
        type(each).__name__: [
            (names[id(weight)], group["lr"], group["weight_decay"])
            for group in each.param_groups
            for weight in group["params"]
        ]
        for each in built
    }
    assert parts["Muon"] == [("inner.weight", 0.02, 0.1)]
    assert sorted(parts["AdamW"]) == [
        ("embedding.weight", 0.005, 0.0),
        ("inner.bias", 0.005, 0.0),
        ("kernel.bias", 0.005, 0.0),
        ("kernel.weight", 0.005, 0.1),
        ("norm.bias", 0.005, 0.0),
        ("norm.weight", 0.005, 0.0),
        ("projection.bias", 0.005, 0.0),
        ("projection.weight", 0.005, 0.1),
    ]


@with_muon
def test_muons_update_has_singular_values_near_those_of_adamws_size() -> None:
    """Newton-Schulz iterations bring singular values near 1; Liu et al. scale them by 0.2 sqrt(max(rows, columns))."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(16, 32, bias=False)
    before = layer.weight.detach().clone()
    spec = SPECS["muon"]
    group: Any = {"params": [layer.weight], "lr": 0.1, "weight_decay": 0.0, "hidden": [True]}
    (optimizer,) = spec.build(spec.parse({})).build([group])
    layer.weight.grad = torch.randn(32, 16)
    optimizer.step()
    singular = torch.linalg.svdvals((before - layer.weight.detach()) / (0.1 * 0.2 * 32**0.5))
    assert 0.5 < float(singular.min()) <= float(singular.max()) < 1.5


@pytest.mark.parametrize("version", ["2.6.0", "2.8.1+cu128", "1.13"])
def test_an_old_torch_has_no_muon(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: version)
    said = f"needs torch 2.9 or newer, not {version}: run pip install 'torch>=2.9'"
    with pytest.raises(InvalidOptions, match=re.escape(said)):
        SPECS["muon"].parse({})
