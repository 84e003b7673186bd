"""Every conditioner of this distribution runs with every model, through training and generation."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from support.engine_material import TOKENIZER, VOCABULARY, job, row, tokens_of, train_as

from ablate.engine.devices import Compute
from ablate.engine.training.job import TrainingResult
from ablate.engine.training.windows import Example
from ablate.registry import get_registry
from ablate.testing import performances

#: Options without which a component cannot be built.
NEEDED = {"performer": {"performers": [piece.name for piece in performances()]}}
SMALL = {"embedding": 8, "layers": 2}


def first_party(kind: str) -> list[str]:
    return [each.spec.name for each in get_registry().offered(kind) if each.plugin.module.startswith("ablate_")]


@pytest.mark.parametrize("fused", [False, True], ids=["alone", "fused"])
@pytest.mark.parametrize("model", first_party("model"))
@pytest.mark.parametrize("conditioner", first_party("conditioner"))
def test_trains_and_generates(conditioner: str, model: str, fused: bool) -> None:  # noqa: FBT001
    spec, network = (get_registry().spec(kind, name) for kind, name in (("conditioner", conditioner), ("model", model)))
    conditioners = [spec.build(spec.parse(NEEDED.get(conditioner, {})))]

    def build() -> Any:
        return network.build(network.parse(SMALL), VOCABULARY, conditioners)

    def example(index: int) -> Example:
        piece = performances()[index].labelled(**conditioners[0].labels)
        tokens = np.tile(TOKENIZER.encode(piece), 5)
        return Example(tokens, (conditioners[0].from_performance(piece, TOKENIZER.times(tokens)),))

    examples = [example(index) for index in range(len(performances()))]
    jobs = [
        dataclasses.replace(job(seed, steps=2), build=build, examples=examples, conditioners=conditioners)
        for seed in (1, 2)
    ]
    results = train_as(jobs, fused=fused)
    models = []
    for result in results:
        assert isinstance(result, TrainingResult), result
        assert result.together == (2 if fused else 1)
        assert np.isfinite(result.losses).all()
        models.append(build().eval())
        models[-1].load_state_dict(result.weights)
    labels = conditioners[0].labels
    rows = [dataclasses.replace(row(seed, 5, labels=labels), model=seed % 2) for seed in range(3)]
    for precision in ("fp32", "bf16"):
        compute = Compute(precision=precision, fused=fused)
        made = tokens_of(rows, models, conditioners=conditioners, compute=compute)
        assert [len(tokens) for tokens in made] == [5, 5, 5]


def test_positions_that_a_conditioner_never_gives_are_not_tried() -> None:
    # an embedding of a single performer: every number but 0 is outside
    spec, network = get_registry().spec("conditioner", "performer"), get_registry().spec("model", "lstm")
    conditioners = [spec.build(spec.parse({"performers": ["Ada"]}))]
    model = network.build(network.parse(SMALL), VOCABULARY, conditioners).eval()
    with pytest.raises(IndexError):
        model(torch.zeros(1, 1, dtype=torch.int64), [torch.ones(1, 1, 1)])
    assert len(tokens_of([row(0, 3)], [model], conditioners=conditioners)[0]) == 3
