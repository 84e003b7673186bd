"""Which models are fused, and that those which are not train as usual."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import VOCABULARY
from support.fusion_material import MODELS, SMALL, SPECS, job, off, trained

from ablate.engine.fusion.cuda_graph import graph_recorder
from ablate.engine.fusion.eligibility import why_not_fusible
from ablate.engine.training.job import TrainingResult
from ablate.engine.training.train import train
from ablate.engine.training.windows import Examples
from ablate.testing.material import ClockConditioner
from ablate_recurrent.network import Recurrent

if TYPE_CHECKING:
    from collections.abc import Callable


class Dropping(ClockConditioner):
    """Its module draws from torch's own stream."""

    def module(self, embedding: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(self.width, embedding), torch.nn.Dropout(0.5))


class Recurring(ClockConditioner):
    """Its module is one that cannot be vectorised over models."""

    def module(self, embedding: int) -> torch.nn.Module:
        class Layer(torch.nn.Module):
            def __init__(self, count: int) -> None:
                super().__init__()
                self.layer = torch.nn.GRU(count, embedding, batch_first=True)

            def forward(self, values: torch.Tensor) -> torch.Tensor:
                return self.layer(values)[0]  # type: ignore[no-any-return]

        return Layer(self.width)


class Acting(ClockConditioner):
    """Its module is of one shape, whatever the function."""

    def __init__(self, act: Any) -> None:
        super().__init__()
        self.act = act

    def module(self, embedding: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(self.width, embedding), self.act())


class Factor(ClockConditioner):
    """Its module has a number that is no weight."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def module(self, embedding: int) -> torch.nn.Module:
        class Scale(torch.nn.Linear):
            def forward(self, values: torch.Tensor) -> torch.Tensor:
                return super().forward(values) * self.factor

        layer = Scale(self.width, embedding)
        layer.factor = self.factor
        return layer


class Buffered(ClockConditioner):
    """Its module keeps a buffer."""

    def module(self, embedding: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(self.width, embedding), Scaled())


class Scaled(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values * self.scale


@MODELS
@pytest.mark.parametrize(("conditioner", "fusible"), [(Dropping, False), (Buffered, False), (Recurring, True)])
def test_strangers_conditioners_train_as_they_do_alone(model: str, conditioner: Any, *, fusible: bool) -> None:
    jobs = [job(model, seed, conditioners=[conditioner()], steps=8) for seed in (1, 2)]
    together = trained(jobs)
    assert [result.together for result in together] == [2 if fusible else 1] * 2
    for one, other in zip(train(jobs), together, strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4


@pytest.mark.gpu
def test_a_conditioner_with_recurrent_layers_is_recorded() -> None:
    """Its layers leave nodes of autograd alive that invalidate a recording on another stream than the warm-up's."""
    jobs = [job("lstm", seed, conditioners=[Recurring()], steps=8) for seed in (1, 2)]
    together = trained(jobs, device="cuda")
    assert graph_recorder(torch.device("cuda", 0)).usable
    for one, other in zip(train(jobs, "cuda"), together, strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4


@MODELS
@pytest.mark.parametrize("conditioners", [[Acting(torch.nn.Tanh), Acting(torch.nn.ReLU)], [Factor(0.5), Factor(2.0)]])
def test_conditioners_whose_modules_differ_are_each_jobs_own(model: str, conditioners: list[Any]) -> None:
    jobs = [job(model, seed, conditioners=[own], steps=8) for seed, own in enumerate(conditioners)]
    together = trained(jobs)
    assert [result.together for result in together] == [2, 2]
    for one, other in zip(train(jobs), together, strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4


def test_a_fuse_that_ignores_an_option_is_seen_and_not_used(caplog: pytest.LogCaptureFixture) -> None:
    class Wrong(Recurrent):
        factor = 1.0

        def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            logits, state = super().forward(tokens, conditions, state)
            return logits * self.factor, state

    def built(factor: float) -> Any:
        network = Wrong("lstm", SPECS["lstm"].parse(SMALL["lstm"]), VOCABULARY, [])
        network.factor = factor
        return network

    jobs = [dataclasses.replace(job(steps=8), build=lambda f=f: built(f)) for f in (1.0, 3.0)]  # type: ignore[misc]
    together = trained(jobs)
    assert [result.together for result in together] == [1, 1]
    assert "Wrong predicts otherwise when fused than alone" in caplog.text
    assert "2 models are trained one by one" in caplog.text
    for one, other in zip(train(jobs), together, strict=True):
        assert isinstance(one, TrainingResult)
        assert one.losses == other.losses


def test_why_a_job_is_trained_by_itself_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        trained([job(conditioners=[Dropping()], steps=2)])
    (record,) = caplog.records
    assert record.getMessage().startswith("Recurrent is trained by itself: something in it, a conditioner's module")


def test_models_that_cannot_be_fused_train_beside_those_that_can() -> None:
    class Table(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(VOCABULARY, VOCABULARY)

        def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            return self.table(tokens), state

    table = dataclasses.replace(job(), build=Table)
    jobs = [job(), table, job("gru"), job(seed=2), job(steps=7)]
    results = trained(jobs)
    assert [result.together for result in results] == [2, 1, 1, 2, 1]
    for one, other in zip(train(jobs), results, strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4


def test_transformers_that_look_back_differently_far_are_trained_apart() -> None:
    jobs = [job("transformer", seed, options={"context": c}, steps=4) for seed, c in enumerate((4, 9, 4, 9, 9))]
    results = trained(jobs)
    assert [result.together for result in results] == [2, 3, 2, 3, 3]
    for one, other in zip(train(jobs), results, strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4


def test_tied_frozen_and_buffered_networks_cannot_be_fused() -> None:
    def network(change: Callable[[Any], None]) -> Any:
        model = SPECS["lstm"].build(SPECS["lstm"].parse(SMALL["lstm"] | {"embedding": 16}), VOCABULARY, [])
        change(model)
        return model

    def tie(model: Any) -> None:
        model.projection.weight = model.embedding.weight

    changes: list[Callable[[Any], None]] = [
        tie,
        lambda model: model.embedding.requires_grad_(False),
        lambda model: model.register_buffer("seen", torch.zeros(3)),
        lambda model: model.register_buffer("seen", torch.zeros(3), persistent=False),
    ]
    assert why_not_fusible(network(lambda model: None), "fp32", []) == ""
    reasons = [why_not_fusible(network(change), "fp32", []) for change in changes]
    assert reasons == [
        "some of its weights are shared",
        "some of its weights are not trained",
        "it has buffers",
        "it has buffers",
    ]


def test_examples_that_share_tokens_and_not_conditions_are_told_apart() -> None:
    tokens, counts = np.arange(60) % VOCABULARY, np.array([60])
    told = [np.full((60, 2), value, np.float32) for value in (-1.0, 1.0)]
    learns = [Examples(tokens, counts, (values,)) for values in told]
    jobs = [
        dataclasses.replace(job("lstm", conditioners=[ClockConditioner()], steps=8), examples=each) for each in learns
    ]
    results = trained(jobs)
    assert off(*results) > 1e-3
    for one, other in zip(train(jobs), results, strict=True):
        assert isinstance(one, TrainingResult)
        assert off(one, other) < 1e-4
