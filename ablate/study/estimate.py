"""How long a run should take: a few steps of each kind of training and generation in it, timed here and now."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.engine.devices import one_thread
from ablate.engine.generate import BLOCK, Row, generate
from ablate.engine.settings import SplitSettings, TrainingSettings
from ablate.engine.train import Member, MemberSeeds, train
from ablate.engine.windows import Example
from ablate.options import validate
from ablate.study.built import build_model, built, built_conditioners
from ablate.study.split import split_pieces
from ablate.study.stages import fingerprint
from ablate.study.work_music import augmented

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ablate.study.plan import Plan
    from ablate.study.stages import Stage

#: Steps to time, after one that warms up.
STEPS = 3
TOKENS = 12
_SEEDS = MemberSeeds(0, 0, 0, 0)


def estimate_seconds(plan: Plan, device: str, workers: int) -> float:
    """The expected duration of what is missing, in seconds, by trial steps on random tokens; changes nothing.

    Trainings with the same components and settings are timed once. Measuring and writing are left out: they take
    seconds. ``workers`` processes are taken to work side by side without slowing each other down.
    """
    rates: dict[str, tuple[float, float]] = {}
    train_seconds = generate_seconds = 0.0
    with one_thread():
        for stage in plan.missing.values():
            if stage.kind == "train":
                train_seconds += _rate(stage, device, rates)[0] * stage.config["training"]["steps"]
        for stages in plan.generations():
            rows = sum(len(stage.config["seeds"]) for stage in stages)
            longest = max(stage.config["generation"]["tokens"] for stage in stages)
            rate = _rate(stages[0].inputs["weights"], device, rates)[1]
            generate_seconds += rate * longest * math.ceil(rows / BLOCK)
    side_by_side = min(workers, plan.width()) if device == "cpu" else 1
    return (train_seconds + generate_seconds) / side_by_side


def _rate(stage: Stage, device: str, rates: dict[str, tuple[float, float]]) -> tuple[float, float]:
    """Seconds a training step and seconds a generated column of a training stage's model."""
    config = {key: value for key, value in stage.config.items() if key != "seeds"}
    prepare = stage.inputs["examples"].config
    key = fingerprint({**config, "prepare": {name: value for name, value in prepare.items() if name != "seed"}})
    if key not in rates:
        counted = config["training"]["batch_counts"] == "example"
        rates[key] = _timed(config, _examples(stage) if counted else 1, device)
    return rates[key]


def _examples(train: Stage) -> int:
    """How many examples there are to train on; 1 where that is yet to fail, and will say so itself."""
    prepare = train.inputs["examples"]
    try:
        performances = built("corpus", prepare.inputs["corpus"].extra["corpus"]).load()
        kept, _ = split_pieces(performances, validate(SplitSettings, prepare.config.get("split", {})))
        return len(augmented(kept, prepare))
    except Exception:  # noqa: BLE001 - whatever a plugin raises is for the run to say
        return 1


def _timed(config: Mapping[str, Any], examples: int, device: str) -> tuple[float, float]:
    tokenizer = built("tokenizer", config["tokenizer"])
    conditioners = built_conditioners(config)
    settings = validate(TrainingSettings, config["training"])
    tokens = np.random.default_rng(0).integers(0, len(tokenizer.vocabulary), settings.window + 1)
    conditions = tuple(np.zeros((len(tokens), conditioner.features), np.float32) for conditioner in conditioners)
    member = Member(
        lambda: build_model(config), [Example(tokens, conditions)] * examples, conditioners, settings, _SEEDS
    )

    def training(steps: int) -> None:
        train([dataclasses.replace(member, settings=dataclasses.replace(settings, steps=steps))], device)

    model = build_model(config).to(device).eval()

    def generation(steps: int) -> None:
        generate([model], [Row(0, (), steps, 0)], tokenizer=tokenizer, conditioners=conditioners, device=device)

    return _per_step(training, STEPS), _per_step(generation, TOKENS)


def _per_step(run: Callable[[int], None], steps: int) -> float:
    """Seconds a step beyond the first, which pays for the start."""
    run(1)
    begun = time.perf_counter()
    run(1)
    once = time.perf_counter() - begun
    begun = time.perf_counter()
    run(1 + steps)
    return max(time.perf_counter() - begun - once, 0.0) / steps
