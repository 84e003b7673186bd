"""How long a run should take: a few steps of each kind of training and generation in it, timed here and now."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.engine.devices import one_thread
from ablate.engine.generate import BLOCK, Row, generate
from ablate.engine.settings import SplitSettings
from ablate.engine.train import Member, MemberSeeds, train
from ablate.engine.windows import Example
from ablate.options import validate
from ablate.study.built import build_model, built, built_conditioners, training_settings
from ablate.study.plan import weights_of
from ablate.study.split import split_pieces
from ablate.study.stages import fingerprint
from ablate.study.work_music import augmented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.study.plan import Layout, Plan
    from ablate.study.stages import Stage

#: Sections that change nothing of a training.
AFTER_TRAINING = ("sampler", "primer", "generation", "labels", "measure")
#: Steps to time, after one that warms up.
STEPS = 3
TOKENS = 12
_SEEDS = MemberSeeds(0, 0, 0, 0)


class Rate(NamedTuple):
    """A training's steps, seconds for each of them, and seconds for each column that its model generates."""

    steps: int
    step: float
    column: float


def estimate_seconds(plan: Plan, device: str, workers: int) -> float:
    """The expected duration of what is missing, in seconds, by trial steps on random tokens; changes nothing.

    Trainings with the same components and settings are timed once. Measuring and writing are left out: they take
    seconds. ``workers`` processes are taken to work side by side without slowing each other down. Of a search, the
    variants that it has not chosen yet are taken to cost what the baseline does.
    """
    rates: dict[str, Rate] = {}
    missing = plan.missing.values()
    with one_thread():
        seconds = _train_seconds(missing, device, rates) + _generate_seconds(plan.generations(), device, rates)
        seconds += _unchosen(plan.layout) * _variant_seconds(plan.layout, device, rates)
    return seconds / (min(workers, plan.width()) if device == "cpu" else 1)


def _train_seconds(stages: Iterable[Stage], device: str, rates: dict[str, Rate]) -> float:
    found = [_rate(stage, device, rates) for stage in stages if stage.kind == "train"]
    return sum(rate.step * rate.steps for rate in found)


def _generate_seconds(jobs: Iterable[Sequence[Stage]], device: str, rates: dict[str, Rate]) -> float:
    seconds = 0.0
    for stages in jobs:
        rows = sum(len(stage.config["seeds"]) for stage in stages)
        longest = max(stage.config["generation"]["tokens"] for stage in stages)
        seconds += _rate(weights_of(stages[0]), device, rates).column * longest * math.ceil(rows / BLOCK)
    return seconds


def _unchosen(layout: Layout) -> int:
    """How many variants a search has still to choose."""
    return layout.spec.search.n_variants - len(layout.variants) if layout.spec.design == "search" else 0


def _variant_seconds(layout: Layout, device: str, rates: dict[str, Rate]) -> float:
    """What one more variant of a search costs: its generations, and its trainings if any axis comes before them."""
    if not _unchosen(layout):
        return 0.0
    stages = {s.fingerprint: s for cell in layout.cells if cell.variant.baseline for s in cell.stages.stages.values()}
    trains = any(axis.path.partition(".")[0] not in AFTER_TRAINING for axis in layout.spec.axes)
    seconds = _generate_seconds([[stage] for stage in stages.values() if stage.kind == "generate"], device, rates)
    return seconds + (_train_seconds(stages.values(), device, rates) if trains else 0.0)


def _rate(stage: Stage, device: str, rates: dict[str, Rate]) -> Rate:
    """What a training stage's model takes; trainings that differ in their seeds alone take the same."""
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


def _timed(config: Mapping[str, Any], examples: int, device: str) -> Rate:
    tokenizer = built("tokenizer", config["tokenizer"])
    conditioners = built_conditioners(config)
    settings = training_settings(config, examples)
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

    return Rate(settings.steps, _per_step(training, STEPS), _per_step(generation, TOKENS))


def _per_step(run: Callable[[int], None], steps: int) -> float:
    """Seconds a step beyond the first, which pays for the start."""
    run(1)
    begun = time.perf_counter()
    run(1)
    once = time.perf_counter() - begun
    begun = time.perf_counter()
    run(1 + steps)
    return max(time.perf_counter() - begun - once, 0.0) / steps
