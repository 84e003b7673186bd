"""Rows of all fused models in one step, against each model's rows alone. On a GPU too, where there is one."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import VOCABULARY, Recorder
from support.generation_material import UNEVEN, made, networks, of

import ablate
from ablate.engine.devices import Compute
from ablate.engine.fusion import generation
from ablate.engine.fusion.generation import generation_groups
from ablate.engine.generation import block as block_module
from ablate.engine.generation import generate as generate_module
from ablate.engine.generation.plans import Planner
from ablate.errors import NoTokenPossible
from ablate.testing.material import ClockConditioner
from ablate_recurrent.network import Recurrent
from ablate_transformer.fused import FusedTransformer

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVICES = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
MODELS = pytest.mark.parametrize("model", ["lstm", "gru", "transformer"])


class Noise(torch.nn.Linear):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        hidden = super().forward(values)
        return hidden + torch.randn_like(hidden)


class Drawing(ClockConditioner):
    """Its module draws from torch's own stream, also in generation."""

    def module(self, embedding: int) -> torch.nn.Module:
        return Noise(self.width, embedding)


@pytest.fixture
def no_stepper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transformers as models that fuse, and have no stepper."""
    monkeypatch.delattr(FusedTransformer, "stepper")


@DEVICES
@MODELS
@pytest.mark.parametrize("conditioners", [[], [ClockConditioner(), ClockConditioner()]])
def test_rows_that_share_steps_are_those_of_each_model_alone(model: str, conditioners: list[Any], device: str) -> None:
    """In fp32, where no logits of these come near enough to each other for a token to change."""
    models = networks(model, 3, conditioners, layers=2)
    alone = made(models, UNEVEN, conditioners, fused=False)
    on_device = networks(model, 3, conditioners, device, layers=2)
    assert made(on_device, UNEVEN, conditioners, device=device) == alone


@DEVICES
@MODELS
def test_the_same_rows_give_the_same_tokens_in_bf16(model: str, device: str) -> None:
    models = networks(model, 3, device=device)
    once, again = (made(models, UNEVEN, device=device, precision="bf16") for _ in range(2))
    assert once == again
    assert len({tuple(tokens) for tokens in once}) == len(UNEVEN)


@MODELS
def test_logits_of_bf16_stay_near_those_of_fp32(model: str) -> None:
    seen = {}
    for precision in ("fp32", "bf16"):
        recorder = Recorder()
        first = [dataclasses.replace(of(m, m, tokens=1), chain=(recorder.link(f"{m}"),)) for m in (0, 1)]
        made(networks(model, 2), first, precision=precision)
        seen[precision] = torch.stack([recorder.seen[key][0] for key in ("0", "1")])
    assert not seen["fp32"].equal(seen["bf16"])
    assert float((seen["fp32"] - seen["bf16"]).abs().max()) < 0.1 * float(seen["fp32"].abs().max())


def test_primers_and_samplers_are_each_rows_own() -> None:
    models = networks("lstm", 2)
    rows = [
        of(0, 1, primer=np.array([60, 62, 64])),
        of(1, 2),
        dataclasses.replace(of(0, 3), chain=()),
        of(1, 4, primer=np.array([60] * 9), tokens=3),
    ]
    assert made(models, rows) == made(models, rows, fused=False)


def test_a_large_number_of_rows_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    models = networks("lstm", 3)
    whole = made(models, UNEVEN)
    monkeypatch.setattr(generation, "MOST_ROWS", 6)
    (group,) = generation_groups(models, UNEVEN, Compute(fused=True), [])
    assert [[UNEVEN[index].model for index in share] for share in group.split(UNEVEN)] == [
        [0, 0, 1, 1, 2, 2],
        [1, 2, 2],
    ]
    assert made(models, UNEVEN) == whole


def test_networks_of_other_shapes_and_without_a_stepper_generate_beside_them(no_stepper: None) -> None:
    models = [
        *networks("lstm", 2),
        *networks("lstm", 1, layers=2),
        *networks("gru", 2),
        *networks("transformer", 2),
    ]
    rows = [of(model, seed, tokens=9) for seed, model in enumerate([0, 1, 2, 3, 4, 5, 6, 1, 5])]
    groups = generation_groups(models, rows, Compute(fused=True), [])
    assert [list(group.models) for group in groups] == [[0, 1], [2], [3, 4]]
    assert made(models, rows) == made(models, rows, fused=False)


def test_a_kind_of_model_is_tried_once_and_a_model_that_draws_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial on the CPU takes as long as hundreds of tokens on a GPU."""
    tried: list[Any] = []
    plain = generation.step_obstacle

    def noted(model: Any, *given: Any) -> str:
        tried.append(model)
        return plain(model, *given)

    monkeypatch.setattr(generation, "step_obstacle", noted)
    models = [*networks("lstm", 3), *networks("gru", 2)]
    models[1].register_buffer("own", torch.zeros(1))
    rows = [of(model, model, tokens=3) for model in range(len(models))]
    groups = generation_groups(models, rows, Compute(fused=True), [])
    assert [list(group.models) for group in groups] == [[0, 2], [3, 4]]
    assert [models.index(model) for model in tried] == [0, 3]
    drawing = networks("lstm", 2, [Drawing()])
    assert generation_groups(drawing, [of(0, 0), of(1, 1)], Compute(fused=True), [Drawing()]) == []
    assert tried[2:] == [drawing[0]]


def test_separate_rows_of_a_model_share_steps_on_a_gpu() -> None:
    """Without idle rows, and not in blocks of 32, which are for the bits of a CPU."""
    models = networks("transformer", 2)
    rows = [of(seed % 2, seed) for seed in range(130)]
    plans = Planner(models, rows, VOCABULARY, [], Compute("cuda", fused=False)).blocks()
    assert [(len(plan.rows), plan.size) for plan in plans] == [(65, 65), (65, 65)]
    assert sorted(index for plan in plans for index in plan.indices) == list(range(130))
    many = [of(0, seed % 9) for seed in range(1025)]
    plans = Planner(models, many, VOCABULARY, [], Compute("cuda", fused=False)).blocks()
    assert [plan.size for plan in plans] == [1024, 1]


class Forbids(ablate.Sampler):
    """Leaves no token from a step on."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits if history.shape[1] < self.step else torch.full_like(logits, float("-inf"))


@DEVICES
def test_a_row_without_a_possible_token_fails(device: str) -> None:
    spec = ablate.SamplerSpec(name="forbids", summary="Forbids.", build_rows=lambda rows: Forbids(5))
    rows = [dataclasses.replace(of(0, 1), chain=((spec, spec.parse({})),))]
    with pytest.raises(NoTokenPossible, match="cannot sample"):
        made(networks("lstm", 1, device=device), rows, device=device)


def test_a_row_without_a_possible_token_is_seen_later_where_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: the steps go on, and the looks between them see it."""
    begin = block_module.Block.__init__

    def without_waiting(block: Any, *given: Any) -> None:
        begin(block, *given)
        block.deferred_check = torch.zeros((), dtype=torch.float64)

    monkeypatch.setattr(block_module.Block, "__init__", without_waiting)
    assert made(networks("lstm", 1), [of(0, 1)]) == made(networks("lstm", 1), [of(0, 1)], fused=False)
    spec = ablate.SamplerSpec(name="forbids", summary="Forbids.", build_rows=lambda rows: Forbids(5))
    with pytest.raises(NoTokenPossible, match="cannot sample"):
        made(networks("lstm", 1), [dataclasses.replace(of(0, 1), chain=((spec, spec.parse({})),))])


def test_models_without_a_fused_stepper_get_no_second_copy(no_stepper: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(*_: Any) -> dict[str, torch.Tensor]:
        raise AssertionError("the weights were copied for nothing")

    monkeypatch.setattr(generation, "fused_weights", copied)
    models = networks("transformer", 2)
    assert generation_groups(models, [of(0, 0), of(1, 1)], Compute(fused=True), []) == []


def test_a_model_that_an_option_keeps_from_being_fused_generates_beside_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the first model of a kind is tried, and the option of another may be the one that forbids it."""
    fuse = Recurrent.fuse

    def without_dropout(models: Any, precision: str) -> Any:
        return None if any(model.options.dropout for model in models) else fuse(models, precision)

    monkeypatch.setattr(Recurrent, "fuse", staticmethod(without_dropout))
    models = [*networks("lstm", 2), *networks("lstm", 1, dropout=0.3)]
    rows = [of(model, model, tokens=5) for model in (0, 1, 2)]
    groups = generation_groups(models, rows, Compute(fused=True), [])
    assert [list(group.models) for group in groups] == [[0, 1]]
    assert made(models, rows) == made(models, rows, fused=False)


def test_models_are_fused_on_their_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stepper computes when it is made would be the first use of a GPU, before the order of sums is fixed."""
    inside: list[str] = []

    @contextlib.contextmanager
    def on_device(device: str) -> Iterator[None]:
        inside.append(device)
        yield
        inside.remove(device)

    def noted(network: Any, weights: Any) -> Any:
        assert inside == ["cpu"]
        return stepper(network, weights)

    stepper = FusedTransformer.stepper
    monkeypatch.setattr(FusedTransformer, "stepper", noted)
    monkeypatch.setattr(generate_module, "on_device", on_device)
    made(networks("transformer", 2), [of(0, 0, tokens=2), of(1, 1, tokens=2)])
    assert inside == []
