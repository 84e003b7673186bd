"""What a run should cost in time and memory: some steps of each kind of training and generation, tried here and now."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, NamedTuple

from ablate.engine.devices import Compute, one_thread, spread
from ablate.engine.fusion.cuda_graph import WARMUP_RUNS
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.engine.memory import peak_memory
from ablate.engine.training.train import train
from ablate.options import validate
from ablate.settings import SplitSettings
from ablate.study.plan.jobs import Packing, trial_job
from ablate.study.stage import fingerprint, weights_of
from ablate.study.work.components import build_model, built, built_conditioners, training_settings
from ablate.study.work.load import split_pieces
from ablate.study.work.prepare import augmented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ablate.settings import TrainingSettings
    from ablate.study.plan.layout import Layout
    from ablate.study.plan.plan import Plan
    from ablate.study.stage import Stage

#: Sections that change nothing of a training.
AFTER_TRAINING = ("sampler", "primer", "generation", "labels", "measure")
#: Steps to time, after one that warms up: as many as take so long in seconds, within limits.
FEWEST, MOST, LONG_ENOUGH = 2, 400, 0.4


class Estimate(NamedTuple):
    """What is to be expected of a run.

    Attributes:
        seconds: how long it takes.
        bytes: the memory that it needs, of the device's own where it has any; 0 where the system does not tell.
        fused_groups: how many trainings each job has; empty where none are fused.
        alone: the models that cannot be fused, and why.
    """

    seconds: float
    bytes: int
    fused_groups: tuple[int, ...] = ()
    alone: tuple[str, ...] = ()


def estimate(plan: Plan, device: str, workers: int) -> Estimate:
    """The expected cost of what is missing, by trial steps on random tokens; changes nothing.

    Trainings with the same components and settings are timed once, and generations that also have as many samples; on
    a GPU the fused groups of them.
    Measuring and writing are left out: they take seconds. ``workers`` processes are taken to work side by side without
    slowing each other down, each in need of what this one has taken at most; what they map from the same files is
    counted once. Of a search, the variants that it has not chosen yet are taken to cost what the baseline does.
    """
    beside = len(spread(device, min(workers, plan.width())))
    packing = Packing(device, beside, _examples)
    trial = _Trial(device, packing)
    with one_thread():
        jobs = packing.trainings(plan.missing.values())
        seconds = trial.trainings(jobs) + trial.generations(plan.missing.values())
        seconds += _unchosen(plan.layout) * _variant_seconds(plan.layout, trial, packing)
    sizes, memory = tuple(map(len, jobs)) if packing.fuses else (), peak_memory(device)
    # the driver is a process of its own beside a pool
    needed = memory.own if device != "cpu" else memory.shared + memory.own * (beside + (beside > 1))
    return Estimate(seconds / beside, needed, sizes, tuple(dict.fromkeys(packing.alone)))


class _Trial:
    """Times each kind of work once."""

    def __init__(self, device: str, packing: Packing) -> None:
        self._device, self._packing = device, packing
        self._seconds: dict[str, float] = {}

    def trainings(self, jobs: Iterable[Sequence[Stage]]) -> float:
        """Seconds that the jobs take, each a list of trainings that are done as one."""
        return sum(self._training(stages) for stages in jobs)

    def _training(self, stages: Sequence[Stage]) -> float:
        first = stages[0]
        kind = f"{len(stages)} trainings of {_kind(first)}"
        if kind not in self._seconds:
            counted = first.config["training"]["batch_counts"] == "example"
            examples = _examples(first) if counted else 1
            settings = training_settings(first.config, examples)
            self._seconds[kind] = settings.steps * _per_step(
                _training(stages, settings, examples, self._device), self._device
            )
        return self._seconds[kind]

    def generations(self, stages: Iterable[Stage]) -> float:
        """Seconds that the generations among the stages take."""
        return sum(map(self._generation, self._packing.generations(stages)))

    def _generation(self, stages: Sequence[Stage]) -> float:
        source = weights_of(stages[0])
        rows = sum(len(stage.config["seeds"]) for stage in stages)
        models = len({weights_of(stage).fingerprint for stage in stages})
        key = f"{rows} rows of {models} of {_kind(source)}"
        if key not in self._seconds:
            self._seconds[key] = _per_step(_generation(stages, self._device), self._device)
        longest: int = max(stage.config["generation"]["tokens"] for stage in stages)
        return self._seconds[key] * longest


def _unchosen(layout: Layout) -> int:
    """How many variants a search has still to choose."""
    return layout.spec.search.n_variants - len(layout.variants) if layout.spec.design == "search" else 0


def _variant_seconds(layout: Layout, trial: _Trial, packing: Packing) -> float:
    """What one more variant of a search costs: its generations, and its trainings if any axis comes before them."""
    if not _unchosen(layout):
        return 0.0
    stages = {s.fingerprint: s for run in layout.runs if run.variant.baseline for s in run.stages.stages.values()}
    trains = any(axis.path.partition(".")[0] not in AFTER_TRAINING for axis in layout.spec.axes)
    seconds = trial.generations(stages.values())
    return seconds + (trial.trainings(packing.trainings(stages.values())) if trains else 0.0)


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


def _training(stages: Sequence[Stage], settings: TrainingSettings, examples: int, device: str) -> Callable[[int], None]:
    """Trains for so many steps."""
    jobs = [trial_job(stage.config, settings, examples) for stage in stages]

    def training(steps: int) -> None:
        short = dataclasses.replace(settings, steps=steps)
        train([dataclasses.replace(job, settings=short) for job in jobs], device)

    return training


def _generation(stages: Sequence[Stage], device: str) -> Callable[[int], None]:
    """Generates so many tokens of each row."""
    sources = {weights_of(stage).fingerprint: weights_of(stage).config for stage in stages}
    config = next(iter(sources.values()))
    tokenizer, conditioners = built("tokenizer", config["tokenizer"]), built_conditioners(config)
    models = [build_model(config).to(device).eval() for config in sources.values()]
    compute = Compute(device, config["training"]["precision"])
    model_of = [list(sources).index(weights_of(stage).fingerprint) for stage in stages for _ in stage.config["seeds"]]

    def generation(tokens: int) -> None:
        each = [Row(model, (), tokens, seed) for seed, model in enumerate(model_of)]
        generate(models, each, tokenizer=tokenizer, conditioners=conditioners, compute=compute)

    return generation


def _per_step(run: Callable[[int], None], device: str) -> float:
    """Seconds a step beyond the first ones, which pay for the start; the more steps are tried, the shorter they are."""
    # on a GPU a step is recorded once it has run some times
    first = WARMUP_RUNS + 2 if device.startswith("cuda") else 1
    run(first)
    once = _timed(run, first)
    steps = FEWEST
    while True:
        longer = max(_timed(run, first + steps) - once, 0.0)
        if longer >= LONG_ENOUGH or steps >= MOST:
            return longer / steps
        steps = min(MOST, max(2 * steps, round(1.2 * steps * LONG_ENOUGH / max(longer, 1e-3))))


def _timed(run: Callable[[int], None], steps: int) -> float:
    begun = time.perf_counter()
    run(steps)
    return time.perf_counter() - begun
