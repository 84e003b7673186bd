"""What a run should cost in time and memory: some steps of each kind of training and generation, tried here and now."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.engine.devices import Compute, one_thread, peak_memory
from ablate.engine.generate import Row, generate
from ablate.engine.settings import SplitSettings
from ablate.engine.train import Member, MemberSeeds, train
from ablate.engine.windows import Example
from ablate.options import validate
from ablate.study.built import build_model, built, built_conditioners, training_settings
from ablate.study.executor import spread
from ablate.study.plan import weights_of
from ablate.study.split import split_pieces
from ablate.study.stages import fingerprint
from ablate.study.work_music import augmented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.engine.settings import TrainingSettings
    from ablate.study.plan import Layout, Plan
    from ablate.study.stages import Stage

#: Sections that change nothing of a training.
AFTER_TRAINING = ("sampler", "primer", "generation", "labels", "measure")
#: Steps to time, after one that warms up: as many as take so long in seconds, within limits.
FEWEST, MOST, LONG_ENOUGH = 2, 400, 0.4
_SEEDS = MemberSeeds(0, 0, 0, 0)


class Estimate(NamedTuple):
    """What is to be expected of a run.

    Attributes:
        seconds: how long it takes.
        bytes: the memory that it needs, of the device's own where it has any; 0 where the system does not tell.
    """

    seconds: float
    bytes: int


def estimate(plan: Plan, device: str, workers: int) -> Estimate:
    """The expected cost of what is missing, by trial steps on random tokens; changes nothing.

    Trainings with the same components and settings are timed once, and generations that also have as many samples.
    Measuring and writing are left out: they take seconds. ``workers`` processes are taken to work side by side without
    slowing each other down, each in need of what this one has taken at most; what they map from the same files is
    counted once. Of a search, the variants that it has not chosen yet are taken to cost what the baseline does.
    """
    trial = _Trial(device)
    with one_thread():
        seconds = trial.trainings(plan.missing.values()) + trial.generations(plan.generations())
        seconds += _unchosen(plan.layout) * _variant_seconds(plan.layout, trial)
    beside, memory = len(spread(device, min(workers, plan.width()))), peak_memory(device)
    if device != "cpu":
        return Estimate(seconds / beside, memory.own)
    # the driver is a process of its own beside a pool
    return Estimate(seconds / beside, memory.shared + memory.own * (beside + (beside > 1)))


class _Trial:
    """Times each kind of work once."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._seconds: dict[str, float] = {}

    def trainings(self, stages: Iterable[Stage]) -> float:
        """Seconds that the trainings among the stages take."""
        return sum(self._training(stage) for stage in stages if stage.kind == "train")

    def _training(self, stage: Stage) -> float:
        kind = _kind(stage)
        if kind not in self._seconds:
            counted = stage.config["training"]["batch_counts"] == "example"
            examples = _examples(stage) if counted else 1
            settings = training_settings(stage.config, examples)
            self._seconds[kind] = settings.steps * _per_step(_training(stage.config, settings, examples, self._device))
        return self._seconds[kind]

    def generations(self, jobs: Iterable[Sequence[Stage]]) -> float:
        """Seconds that the jobs take, each a list of generations from the same weights."""
        return sum(self._generation(stages) for stages in jobs)

    def _generation(self, stages: Sequence[Stage]) -> float:
        source = weights_of(stages[0])
        rows = sum(len(stage.config["seeds"]) for stage in stages)
        key = f"{rows} rows of {_kind(source)}"
        if key not in self._seconds:
            self._seconds[key] = _per_step(_generation(source.config, rows, self._device))
        longest: int = max(stage.config["generation"]["tokens"] for stage in stages)
        return self._seconds[key] * longest


def _unchosen(layout: Layout) -> int:
    """How many variants a search has still to choose."""
    return layout.spec.search.n_variants - len(layout.variants) if layout.spec.design == "search" else 0


def _variant_seconds(layout: Layout, trial: _Trial) -> float:
    """What one more variant of a search costs: its generations, and its trainings if any axis comes before them."""
    if not _unchosen(layout):
        return 0.0
    stages = {s.fingerprint: s for cell in layout.cells if cell.variant.baseline for s in cell.stages.stages.values()}
    trains = any(axis.path.partition(".")[0] not in AFTER_TRAINING for axis in layout.spec.axes)
    seconds = trial.generations([[stage] for stage in stages.values() if stage.kind == "generate"])
    return seconds + (trial.trainings(stages.values()) if trains else 0.0)


def _kind(train: Stage) -> str:
    """What trainings have in common that take the same time: all but their seeds."""
    config = {key: value for key, value in train.config.items() if key != "seeds"}
    prepare = train.inputs["examples"].config
    return fingerprint({**config, "prepare": {name: value for name, value in prepare.items() if name != "seed"}})


def _examples(train: Stage) -> int:
    """How many examples there are to train on; 1 where that is yet to fail, and will say so itself."""
    prepare = train.inputs["examples"]
    try:
        performances = built("corpus", prepare.inputs["corpus"].extra["corpus"]).load()
        kept, _ = split_pieces(performances, validate(SplitSettings, prepare.config.get("split", {})))
        return len(augmented(kept, prepare))
    except Exception:  # noqa: BLE001 - whatever a plugin raises is for the run to say
        return 1


def _training(
    config: Mapping[str, Any], settings: TrainingSettings, examples: int, device: str
) -> Callable[[int], None]:
    """Trains for so many steps."""
    conditioners = built_conditioners(config)
    words = len(built("tokenizer", config["tokenizer"]).vocabulary)
    tokens = np.random.default_rng(0).integers(0, words, settings.window + 1)
    conditions = tuple(np.zeros((len(tokens), conditioner.features), np.float32) for conditioner in conditioners)
    each = [Example(tokens, conditions)] * examples
    member = Member(lambda: build_model(config), each, conditioners, settings, _SEEDS)

    def training(steps: int) -> None:
        train([dataclasses.replace(member, settings=dataclasses.replace(settings, steps=steps))], device)

    return training


def _generation(config: Mapping[str, Any], rows: int, device: str) -> Callable[[int], None]:
    """Generates so many tokens of each row."""
    tokenizer, conditioners = built("tokenizer", config["tokenizer"]), built_conditioners(config)
    model = build_model(config).to(device).eval()
    compute = Compute(device, config["training"]["precision"])

    def generation(tokens: int) -> None:
        each = [Row(0, (), tokens, seed) for seed in range(rows)]
        generate([model], each, tokenizer=tokenizer, conditioners=conditioners, compute=compute)

    return generation


def _per_step(run: Callable[[int], None]) -> float:
    """Seconds a step beyond the first, which pays for the start; the more steps are tried, the shorter they are."""
    run(1)
    once = _timed(run, 1)
    steps = FEWEST
    while True:
        longer = max(_timed(run, 1 + steps) - once, 0.0)
        if longer >= LONG_ENOUGH or steps >= MOST:
            return longer / steps
        steps = min(MOST, max(2 * steps, round(1.2 * steps * LONG_ENOUGH / max(longer, 1e-3))))


def _timed(run: Callable[[int], None], steps: int) -> float:
    begun = time.perf_counter()
    run(steps)
    return time.perf_counter() - begun
