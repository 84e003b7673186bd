"""Models that differ in everything but their shape, for the tests of fusion."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ablate.engine.training.job import TrainingJob, TrainingResult, TrainingSeeds
from ablate.engine.training.windows import Example
from ablate_recurrent import ablate_models as recurrent_models
from ablate_transformer import ablate_models as transformer_models
from support.engine_material import RECIPE, VOCABULARY, examples, settings, train_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SPECS = {spec.name: spec for spec in [*recurrent_models(), *transformer_models()]}
SMALL: dict[str, dict[str, Any]] = {
    "lstm": {"embedding": 8, "hidden": 16, "layers": 2},
    "gru": {"embedding": 8, "hidden": 16, "layers": 2},
    "transformer": {"embedding": 16, "heads": 2, "context": 9},
}
MODELS = pytest.mark.parametrize("model", SMALL)
DEVICES = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])


def job(model: str = "lstm", seed: int = 1, *, conditioners: Sequence[Any] = (), **changes: Any) -> TrainingJob:
    """A job of a dozen steps whose options may differ from another's in everything but its shape."""
    options = SMALL[model] | changes.pop("options", {})
    kept, learns = changes.pop("checkpoint", None), changes.pop("examples", examples())
    if not conditioners:
        learns = [Example(example.tokens) for example in learns]
    return TrainingJob(
        build=lambda: SPECS[model].build(SPECS[model].parse(options), VOCABULARY, list(conditioners)),
        examples=learns,
        conditioners=conditioners,
        recipe=changes.pop("recipe", RECIPE),
        settings=settings(**{"steps": 12, **changes}),
        seeds=TrainingSeeds(seed, seed + 100, seed + 200, seed + 300),
        checkpoint=kept,
    )


def trained(jobs: Sequence[TrainingJob], **how: Any) -> list[TrainingResult]:
    results = train_as(jobs, **{"fused": True, **how})
    assert all(isinstance(result, TrainingResult) for result in results), results
    return results  # type: ignore[return-value]


def off(one: TrainingResult, other: TrainingResult) -> float:
    """How far two trainings are from each other, in their losses."""
    return float(np.abs(np.array(one.losses) - np.array(other.losses)).max())


class Recording:
    """Records steps by a function, and runs them as they are otherwise."""

    def __init__(self, record: Callable[..., Callable[[], None]]) -> None:
        self.usable, self.record = True, record

    def run(self, step: Callable[[], None]) -> None:
        step()


def after(calls: int) -> Callable[[], bool]:
    count = itertools.count()
    return lambda: next(count) >= calls
