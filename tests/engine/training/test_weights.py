"""Which weights decay, and which are matrices between hidden layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support.engine_material import VOCABULARY, job, recipe, train_as
from support.fusion_material import SPECS

from ablate.engine.training.job import TrainingResult
from ablate.engine.training.weights import decaying, hidden_matrices, weight_groups
from ablate.testing.material import ClockConditioner
from ablate_performer import ablate_conditioners


class OwnNorm(torch.nn.Module):
    """A norm as a plugin may write it, with a gain of two dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1, 4))


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(11, 4)
        self.inner = torch.nn.Linear(4, 4)
        self.norm = torch.nn.LayerNorm(4)
        self.own = OwnNorm()
        self.projection = torch.nn.Linear(4, 11)
        self.projection.weight = self.embedding.weight


def built(model: str, conditioners: Any = ()) -> torch.nn.Module:
    options = {"embedding": 16, "heads": 2} if model == "transformer" else {"embedding": 8, "hidden": 16}
    module: torch.nn.Module = SPECS[model].build(SPECS[model].parse(options), VOCABULARY, list(conditioners))
    return module


def test_biases_norms_and_embeddings_do_not_decay() -> None:
    assert decaying(Tied()) == {"inner.weight"}
    assert decaying(built("lstm")) == {"lstm.weight_ih_l0", "lstm.weight_hh_l0", "projection.weight"}
    inner = {"spread", "gather", "widen", "narrow"}
    layers = {f"layers.{layer}.{name}.weight" for layer in range(2) for name in inner}
    assert decaying(built("transformer")) == {*layers, "projection.weight"}


def test_conditioners_follow_the_same_rule() -> None:
    (spec,) = ablate_conditioners()
    performer = spec.build(spec.parse({"performers": ["one", "two"]}))
    names = decaying(built("lstm", [ClockConditioner(), performer]))
    assert {name for name in names if name.startswith("conditioners")} == {"conditioners.0.weight"}


def test_the_layer_that_predicts_the_token_is_not_hidden() -> None:
    assert hidden_matrices(built("gru"), VOCABULARY) == {"gru.weight_ih_l0", "gru.weight_hh_l0"}


def test_without_decay_there_is_one_group_in_the_order_of_the_network() -> None:
    model = Tied()
    weights = dict(model.named_parameters())
    (group,) = weight_groups(model, weights, 0.1, 0.0, 11)
    assert [id(weight) for weight in group["params"]] == [id(weight) for weight in model.parameters()]
    assert group["hidden"] == [name == "inner.weight" for name in weights]


def test_frozen_weights_are_left_out() -> None:
    model = Tied()
    model.inner.weight.requires_grad_(False)
    groups = weight_groups(model, dict(model.named_parameters()), 0.1, 0.5, 11)
    assert [group["weight_decay"] for group in groups] == [0.0]
    assert all(weight is not model.inner.weight for weight in groups[0]["params"])


@pytest.mark.parametrize("fused", [False, True])
def test_decay_shrinks_what_decays_and_nothing_else(*, fused: bool) -> None:
    """At a learning rate so small that the gradients hardly matter, AdamW shrinks by rate times decay at each step."""
    how: dict[str, Any] = {"steps": 10, "learning_rate": 1e-6, "weight_decay": 2e4, "recipe": recipe("adamw")}
    (trained,) = train_as([job(**how)], fused=fused)
    assert isinstance(trained, TrainingResult)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(job().seeds.init)
        model = job().build()
    factor = (1 - 1e-6 * 2e4) ** 10
    for name, weight in model.state_dict().items():
        expected = weight * factor if name in decaying(model) else weight
        assert torch.allclose(trained.weights[name], expected, atol=2e-5), name
