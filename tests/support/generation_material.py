"""Small networks of equal shape, and rows for them, for the tests of generation with fused models."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch

from ablate.engine.devices import Compute
from ablate.engine.generation.generate import generate
from ablate_recurrent import ablate_models as recurrent_models
from ablate_transformer import ablate_models as transformer_models
from support.engine_material import TOKENIZER, VOCABULARY, row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.engine.generation.row import Row

SPECS = {spec.name: spec for spec in [*recurrent_models(), *transformer_models()]}
#: A context that the rows outgrow.
SMALL: dict[str, dict[str, Any]] = {
    "lstm": {"embedding": 24, "hidden": 40},
    "gru": {"embedding": 24, "hidden": 40},
    "transformer": {"embedding": 24, "heads": 3, "context": 7},
}


def networks(
    model: str, count: int, conditioners: Sequence[Any] = (), device: str = "cpu", **options: Any
) -> list[Any]:
    """Networks of equal shape in evaluation mode whose predictions are far from even."""
    made = []
    for seed in range(count):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            settings = SPECS[model].parse({**SMALL[model], **options})
            network: Any = SPECS[model].build(settings, VOCABULARY, list(conditioners))
        with torch.no_grad():
            for weight in network.parameters():
                weight.mul_(3)
        made.append(network.eval().to(device))
    return made


def of(model: int, seed: int, **given: Any) -> Row:
    return dataclasses.replace(row(seed, tau=0.6 + seed / 40, **given), model=model)


def made(models: Sequence[Any], rows: Sequence[Row], conditioners: Sequence[Any] = (), **how: Any) -> list[list[int]]:
    on_progress = how.pop("on_progress", lambda done, total: None)
    compute = Compute(**{"fused": True, **how})
    found = generate(
        models, rows, tokenizer=TOKENIZER, conditioners=conditioners, compute=compute, on_progress=on_progress
    )
    assert found is not None
    return [tokens.tolist() for tokens in found]


#: Rows of three models, of which each has another number.
UNEVEN = [of(model, seed, tokens=15 + seed % 4) for seed, model in enumerate([0, 1, 1, 2, 2, 2, 2, 0, 1])]
