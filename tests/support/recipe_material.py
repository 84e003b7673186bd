"""A small training with any recipe, and with pieces to validate on."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

from ablate.engine.training.job import TrainingJob, TrainingResult, TrainingSeeds
from ablate.engine.training.windows import Example
from ablate.errors import StageError
from support.engine_material import LSTM, RECIPE, VOCABULARY, Noisy, examples, settings, train_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Everything at once.
MODERN: dict[str, Any] = {
    "weight_decay": 0.1,
    "accumulate": 2,
    "label_smoothing": 0.1,
    "ema": 0.8,
    "validate_every": 4,
    "keep": "best",
    "patience": 3,
}
PLAIN = {"dropout": 0.0, "initial_state": "zeros"}


def job(made: Any = RECIPE, seed: int = 1, checkpoint: Path | None = None, **changes: Any) -> TrainingJob:
    """A small LSTM with a conditioner, all streams of random numbers, and pieces to validate on."""
    conditioners, options = [Noisy()], {"embedding": 8, "hidden": 16, "dropout": 0.3, "initial_state": "random"}
    options |= changes.pop("options", {})
    conditioners = changes.pop("conditioners", conditioners)
    learns = changes.pop("examples", examples() if conditioners else bare(examples()))
    return TrainingJob(
        build=lambda: LSTM.build(LSTM.parse(options), VOCABULARY, conditioners),
        examples=learns,
        conditioners=conditioners,
        settings=settings(**{"steps": 24, **changes}),
        seeds=TrainingSeeds(seed, seed + 100, seed + 200, seed + 300),
        recipe=made,
        checkpoint=checkpoint,
        validation=[dataclasses.replace(each, tokens=each.tokens[::-1].copy()) for each in learns],
    )


def bare(of: list[Example]) -> list[Example]:
    return [Example(each.tokens) for each in of]


def only(trained: TrainingJob, **how: Any) -> TrainingResult:
    (result,) = train_as([trained], **{"fused": False, **how})
    if isinstance(result, StageError):
        raise result
    return result


def after(calls: int) -> Callable[[], bool]:
    count = itertools.count()
    return lambda: next(count) >= calls
