"""The model of docs/guides/fast-models.md keeps the contract, and trains when fused as it does alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from support.checkout import ROOT
from support.engine_material import RECIPE

import ablate
from ablate.engine.training.job import TrainingJob, TrainingResult, TrainingSeeds
from ablate.engine.training.train import train, train_fused
from ablate.engine.training.windows import Example
from ablate.settings import TrainingSettings
from ablate.testing import ModelContract

(CODE,) = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs/guides/fast-models.md").read_text(), re.DOTALL | re.MULTILINE
)
SHOWN: dict[str, Any] = {}
exec(CODE, SHOWN)


@dataclass(frozen=True)
class Options:
    width: int = ablate.option(8, ge=1, doc="Width of the embedding.")
    dropout: float = ablate.option(0.0, ge=0, lt=1, doc="Share of units dropped in training.")


SPEC = ablate.ModelSpec(name="small", summary="Small.", options=Options, build=SHOWN["Small"])


class TestSmall(ModelContract):
    spec = SPEC
    options = ({}, {"width": 3, "dropout": 0.4})
    fusible = True


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_trains_when_fused_as_it_does_alone(precision: str) -> None:
    settings = TrainingSettings(40, batch=4, window=16, precision=precision)  # type: ignore[arg-type]
    tokens = np.random.default_rng(0).integers(0, 11, 300)
    jobs = [
        TrainingJob(
            lambda share=share: SPEC.build(Options(dropout=share), 11, []),  # type: ignore[misc]
            [Example(tokens)],
            [],
            settings,
            TrainingSeeds(seed, 1, 2, 3),
            RECIPE,
        )
        for seed, share in enumerate((0.0, 0.3, 0.5))
    ]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone, together = train(jobs), train_fused(jobs)
    finally:
        torch.set_num_threads(before)
    for one, other in zip(alone, together, strict=True):
        assert isinstance(one, TrainingResult)
        assert isinstance(other, TrainingResult)
        assert other.together == 3
        assert np.allclose(one.losses, other.losses, atol=1e-4 if precision == "fp32" else 0.05)
